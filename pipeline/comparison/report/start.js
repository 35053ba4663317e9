// The page is put together: A and B at its top, a section a view, each made when it is about to be seen.

/** More points than this are chosen in the table, not in a list. */
const MOST_LISTED = 400;

document.addEventListener("click", (event) => {
  if (chooseAt(event.target, event.shiftKey)) getSelection()?.removeAllRanges();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
  const key = event.key.toLowerCase();
  const pressed = (key === "enter" || key === " ") && !(event.target instanceof HTMLButtonElement);
  if (key !== "a" && key !== "b" && !pressed) return;
  if (chooseAt(event.target, event.shiftKey, pressed ? undefined : key === "a" ? "a" : "b")) event.preventDefault();
});

/**
 * Choose what an element, or one around it, stands for: a point or a row of the summary (A, or B with Shift), a pair, or a set
 * of images. Whether it stands for any.
 * @param {EventTarget | null} target
 * @param {boolean} shift
 * @param {"a" | "b"} [letter] The key that was pressed: only points and rows know it.
 */
function chooseAt(target, shift, letter) {
  const found = target instanceof Element ? target.closest("[data-point], [data-row], [data-pair], [data-set]") : null;
  if (!(found instanceof HTMLElement || found instanceof SVGElement)) return false;
  const { point: index, row, pair, set, as } = found.dataset;
  const which = letter ?? as ?? (shift ? "b" : "a");
  if (index !== undefined) choose({ [which]: Number(index) });
  else if (row !== undefined) choose({ [which]: pointOfRow(/** @type {SummaryRow} */ (head.rows[Number(row)]), state.a) });
  else if (letter) return false;
  else if (pair !== undefined) choose({ a: Number(pair.split(",")[0]), b: Number(pair.split(",")[1]) });
  else if (set !== undefined) {
    choose({ set: JSON.parse(set) });
    if (!found.closest("#images")) offerImages();
  }
  return true;
}

/** The images may be far below: a button that goes there, until they are seen. */
function offerImages() {
  const section = document.getElementById("images");
  if (!section) return;
  document.querySelector(".offer")?.remove();
  const button = element("button", { class: "offer", onclick: (/** @type {Event} */ event) => goTo(event, "images") }, "Show these images ↓");
  document.body.append(button);
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    button.remove();
    seen.disconnect();
  });
  seen.observe(section.querySelector("h2") ?? section);
}

/** @type {View} The two chosen points, always in sight. */
const topView = {
  id: "top",
  title: "",
  make(root) {
    const counts = [count(head.points.length, "point"), count(head.images.count, `${head.images.split} image`), count(head.classes.length, "class", "classes")];
    root.append(
      element("div", { class: "title" }, element("h1", null, head.title), element("p", null, counts.join(" · "))),
      element("div", { class: "chosen" }, pointChoice("a"), element("button", { class: "swap", title: "Swap A and B", "aria-label": "Swap A and B", onclick: () => choose({ a: state.b, b: state.a }) }, "⇄"), pointChoice("b")),
      element("button", { class: "theme", onclick: switchTheme, "aria-label": "Light or dark", title: "Light or dark" }, "◐"),
    );
  },
  update(chosen) {
    for (const which of /** @type {const} */ (["a", "b"])) {
      const shown = document.getElementById(`chosen-${which}`);
      if (shown instanceof HTMLSelectElement) shown.value = String(chosen[which]);
      else if (shown) shown.textContent = nameOf(chosen[which]);
    }
  },
};

/** @param {"a" | "b"} which */
function pointChoice(which) {
  const letter = which.toUpperCase();
  const id = `chosen-${which}`;
  const list = head.points.length > MOST_LISTED
    ? element("output", { id })
    : element("select", { id, onchange: (/** @type {Event} */ event) => choose({ [which]: Number(/** @type {HTMLSelectElement} */ (event.target).value) }) },
      head.points.map((_, index) => element("option", { value: index }, `${nameOf(index)}${index === head.best ? " ★" : ""}`)));
  return element("label", { class: "pick", for: id }, element("span", { class: `mark mark-${which}` }, letter), list);
}

/** @param {number} number @param {string} one @param {string} [many] */
function count(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many ?? `${one}s`}`;
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset["theme"] ? root.dataset["theme"] === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset["theme"] = dark ? "light" : "dark";
}

/** @param {View} view @param {HTMLElement} root */
function show(view, root) {
  if (made.has(view)) return;
  made.add(view);
  root.classList.remove("waiting");
  view.make(root);
  view.update(state, null);
}

/** @param {string} id */
function place(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

function start() {
  show(topView, place("top"));
  const waiting = new Map(views.map((view) => {
    const heading = element("h2", { id: `${view.id}-title`, tabindex: -1 }, view.title);
    const section = element("section", { id: view.id, class: "waiting", "aria-labelledby": `${view.id}-title` }, heading);
    return [/** @type {Element} */ (section), view];
  }));
  place("main").append(...waiting.keys());
  place("contents").append(element("ul", null, views.map((view) => element("li", null, element("a", { href: `#${view.id}`, onclick: (/** @type {Event} */ event) => goTo(event, view.id) }, view.title)))));
  document.querySelector(".skip")?.addEventListener("click", (event) => goTo(event, "main"));
  if (head.left_out.length) place("bottom").append(element("h2", null, "Not in this file"), ...head.left_out.map((sentence) => element("p", null, sentence)));
  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      const view = waiting.get(target);
      if (!isIntersecting || !view) continue;
      watcher.unobserve(target);
      show(view, /** @type {HTMLElement} */ (target));
    }
  }, { rootMargin: "400px" });
  for (const section of waiting.keys()) watcher.observe(section);
}

/** Not left to the browser: the fragment holds what is chosen. @param {Event} event @param {string} id */
function goTo(event, id) {
  event.preventDefault();
  const target = place(id);
  target.scrollIntoView();
  (target.querySelector("h2") ?? target).focus({ preventScroll: true });
}

start();
