// The page is put together: A and B at its top, a section a view, each made when it is about to be seen.

/** More points than this are chosen in the table, not in a list. */
const MOST_LISTED = 400;

document.addEventListener("click", (event) => {
  const index = pointAt(event.target);
  if (index === null) return;
  if (event.shiftKey) {
    getSelection()?.removeAllRanges();
    choose({ b: index });
  } else choose({ a: index });
});

document.addEventListener("keydown", (event) => {
  const index = pointAt(event.target);
  if (index === null || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "b") choose({ b: index });
  else if (key === "a" || ((key === "enter" || key === " ") && !(event.target instanceof HTMLButtonElement))) choose(event.shiftKey ? { b: index } : { a: index });
  else return;
  event.preventDefault();
});

/** @param {EventTarget | null} target The point that an element, or one around it, stands for. */
function pointAt(target) {
  const found = target instanceof Element ? target.closest("[data-point], [data-row]") : null;
  if (!(found instanceof HTMLElement || found instanceof SVGElement)) return null;
  if (found.dataset["point"]) return Number(found.dataset["point"]);
  const row = head.rows[Number(found.dataset["row"])];
  return row ? pointOfRow(row, state.a) : null;
}

/** @type {View} The two chosen points, always in sight. */
const topView = {
  id: "top",
  title: "",
  make(root) {
    const counts = [count(head.points.length, "point"), head.images ? count(head.images.count, `${head.images.split} image`) : "", count(head.classes.length, "class", "classes")];
    root.append(
      element("div", { class: "title" }, element("h1", null, head.title), element("p", null, counts.filter(Boolean).join(" · "))),
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
    const section = element("section", { id: view.id, class: "waiting", "aria-labelledby": `${view.id}-title` }, heading, view.lead ? element("p", { class: "lead" }, view.lead) : null);
    return [/** @type {Element} */ (section), view];
  }));
  place("main").append(...waiting.keys());
  place("contents").append(element("ul", null, views.map((view) => element("li", null, element("a", { href: `#${view.id}`, onclick: (/** @type {Event} */ event) => goTo(event, view.id) }, view.title)))));
  document.querySelector(".skip")?.addEventListener("click", (event) => goTo(event, "main"));
  place("bottom").append(...head.left_out.map((sentence) => element("p", null, sentence)));
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
