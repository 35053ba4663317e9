// The images that were chosen, page by page: each with its picture, its target and what A and B say of it.

const PAGE = 48;
/** Of more classes, those that A or B find likeliest are shown, and the target. */
const MOST_BARS = 10;

/** Of the names beside bars, in letters. */
const NAME_WIDTH = Math.min(Math.max(...head.classes.map((name) => name.length)), 12) + 1;

/** @type {[string, ChosenSet][]} */
const COMMON_SETS = [
  ["right in A, wrong in B", { kind: "a_right" }], ["right in B, wrong in A", { kind: "b_right" }],
  ["A and B disagree", { kind: "disagree" }], ["both wrong", { kind: "both_wrong" }], ["all images", { kind: "all" }],
];

/** @type {Record<string, {name: string, key: (pair: Pair, row: number) => number}>} */
const ORDERS = {
  apart: { name: "furthest apart first", key: (pair, row) => -(pair.apart[row] ?? 0) },
  margin_a: { name: "A's margin, least first", key: (pair, row) => pair.a.margin[row] ?? 0 },
  margin_b: { name: "B's margin, least first", key: (pair, row) => pair.b.margin[row] ?? 0 },
  number: { name: "image number", key: (pair, row) => pair.image[row] ?? 0 },
};

registerView(imagesView());

/** @returns {View} */
function imagesView() {
  const cards = element("ol", { class: "cards" });
  const pinned = element("ol", { class: "cards pinned" });
  const summary = element("p", { class: "note", role: "status" });
  const pages = element("div", { class: "tools pages" });
  const chosenNote = element("p", { class: "note" });
  const newest = latest();
  /** @type {Set<number>} */
  const pins = new Set();
  /** @type {Pair | null} */
  let pair = null;
  /** @type {number[]} */
  let rows = [];
  let page = 0;
  let order = "apart";
  const sets = choice("Show", [], "", (value) => choose({ set: JSON.parse(value) }));
  const orders = choice("sorted by", Object.entries(ORDERS).map(([value, { name }]) => [value, name]), order, (value) => { order = value; page = 0; sort(); });

  /** @param {HTMLElement} root */
  function make(root) {
    sets.list.id = "image-set";
    root.append(element("div", { class: "tools" }, sets.box, orders.box), summary, chosenNote, pinned, cards, pages);
    cards.addEventListener("keydown", walk);
    cards.addEventListener("focusin", (event) => reachable(/** @type {Element} */ (event.target).closest("li")));
  }

  /** @param {State} chosen @param {State | null} before */
  function update(chosen, before) {
    fillSets(chosen.set);
    if (before && before.a === chosen.a && before.b === chosen.b) {
      if (before.set !== chosen.set) { page = 0; select(); } else markChosen();
      return undefined;
    }
    return newest(pairOf(chosen.a, chosen.b), (found) => { pair = found; page = 0; select(); });
  }

  /** @param {ChosenSet} set */
  function fillSets(set) {
    const classes = head.classes.map((name, j) => /** @type {[string, ChosenSet]} */ ([`of class ${name}`, { kind: "class", target: j }]));
    const known = [...COMMON_SETS, ...classes];
    const value = JSON.stringify(set);
    const options = known.some(([, one]) => JSON.stringify(one) === value) ? known : [/** @type {[string, ChosenSet]} */ ([setName(set), set]), ...known];
    sets.list.replaceChildren(...options.map(([name, one]) => element("option", { value: JSON.stringify(one), selected: JSON.stringify(one) === value }, name)));
  }

  function select() {
    const found = pair;
    if (!found) {
      rows = [];
      pinned.replaceChildren();
      cards.replaceChildren();
      pages.replaceChildren();
      summary.textContent = "The y-hat vectors of these points are not in this file; y_hat.csv of each record holds them.";
      return;
    }
    const all = Array.from(found.image, (_, row) => row);
    rows = all.length === 1 ? all : all.filter((row) => inSet(found, row, state.set));
    sort();
  }

  function sort() {
    const found = pair;
    if (!found) return;
    const { key } = /** @type {(typeof ORDERS)[string]} */ (ORDERS[order]);
    // Images that A or B lacks come last.
    const keys = Float64Array.from(found.image, (_, row) => key(found, row)).map((value) => (Number.isNaN(value) ? Infinity : value));
    rows.sort((one, other) => (keys[one] ?? 0) - (keys[other] ?? 0) || one - other);
    draw();
  }

  function draw() {
    const found = pair;
    if (!found) return;
    const last = Math.max(0, Math.ceil(rows.length / PAGE) - 1);
    page = Math.min(page, last);
    summary.textContent = found.image.length === 1 ? "There is one image." : `${rows.length.toLocaleString("en")} of ${count(found.image.length, "image")}: ${setName(state.set)}.`;
    pinned.replaceChildren(...[...pins].map((row) => card(found, row)));
    cards.replaceChildren(...rows.slice(page * PAGE, (page + 1) * PAGE).map((row) => card(found, row)));
    const to = (/** @type {string} */ text, /** @type {string} */ said, /** @type {number} */ number) => element("button", { disabled: number < 0 || number > last || number === page, "aria-label": said, "data-go": said, onclick: () => turn(number, said) }, text);
    const field = element("input", { type: "number", min: 1, max: last + 1, value: page + 1, onchange: () => turn(Math.min(Math.max(Math.round(Number(field.value)) || 1, 1), last + 1) - 1, "") });
    reachable(cards.firstElementChild);
    pages.hidden = last === 0;
    pages.replaceChildren(to("⇤", "First page", 0), to("←", "Previous page", page - 1), element("label", { class: "field" }, "Page", field, element("span", null, `of ${last + 1}`)), to("→", "Next page", page + 1), to("⇥", "Last page", last));
    markChosen();
  }

  /** @param {number} number @param {string} said The button that turned the page has the focus again. */
  function turn(number, said) {
    page = number;
    draw();
    const button = /** @type {HTMLElement | null} */ (said ? pages.querySelector(`[data-go="${said}"]:enabled`) : null);
    (button ?? pages.querySelector("input"))?.focus({ preventScroll: true });
    speak(`Page ${page + 1}`);
  }

  /** @param {number} row @param {boolean} above Whether the pinned one was clicked: the focus stays where it was. */
  function putPin(row, above) {
    if (!pins.delete(row)) pins.add(row);
    draw();
    const places = above ? [pinned, cards] : [cards, pinned];
    const found = places.map((place) => place.querySelector(`[data-image="${row}"] .pin`)).find((one) => one);
    if (found instanceof HTMLElement) found.focus({ preventScroll: true });
  }

  /** Tab reaches one image, arrow keys the others. @param {Element | null | undefined} own */
  function reachable(own) {
    for (const one of cards.children) for (const button of one.querySelectorAll("button")) button.tabIndex = one === own ? 0 : -1;
  }

  /** Arrow keys go from image to image, and on to the next page. @param {KeyboardEvent} event */
  function walk(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const own = event.target instanceof HTMLElement ? event.target.closest("li") : null;
    if (!step || !own || event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    const all = [...cards.children];
    const to = all.indexOf(own) + step;
    if (to < 0 && page > 0) { page--; draw(); focusCard(PAGE - 1); }
    else if (to >= all.length && (page + 1) * PAGE < rows.length) { page++; draw(); focusCard(0); }
    else focusCard(to);
  }

  /** @param {number} number */
  function focusCard(number) {
    /** @type {HTMLElement | null | undefined} */ (cards.children[number]?.querySelector(".look"))?.focus();
  }

  /** @param {Pair} found @param {number} row */
  function card(found, row) {
    const number = found.image[row] ?? row;
    const target = found.a.target[row] ?? 0;
    const picture = element("button", { class: "look", "aria-label": `Image ${number}: see what the heads see`, title: "See what the heads see", onclick: () => choose({ image: row, head: target }) });
    if (hasPicture(row)) pictureCanvas(row, 84).then((canvas) => picture.append(canvas));
    else picture.append("no picture");
    const pin = element("button", { class: "pin", "aria-pressed": pins.has(row), onclick: () => putPin(row, pinned.contains(pin)) }, pins.has(row) ? "Pinned" : "Pin");
    const answer = (/** @type {"a" | "b"} */ of) => {
      const said = found[of].answer[row] ?? -1;
      return element("p", null, element("span", { class: `mark mark-${of}` }, of.toUpperCase()), ` ${said < 0 ? "–" : head.classes[said]} `, said < 0 ? null : element("span", { class: said === target ? "right" : "wrong" }, said === target ? "✓" : "✗", element("span", { class: "unseen" }, said === target ? "right" : "wrong")));
    };
    const about = element("div", { class: "about" }, element("h3", null, head.classes[target]), element("p", { class: "soft" }, `image ${number}`), answer("a"), answer("b"), element("p", { class: "soft" }, `distance ${formatNumber(found.apart[row])}`), pin);
    return element("li", { class: "card", "data-image": row }, element("div", { class: "card-top" }, picture, about), bars(found, row, target));
  }

  function markChosen() {
    const row = state.image;
    for (const one of document.querySelectorAll("#images [data-image]")) {
      const is = Number(/** @type {HTMLElement} */ (one).dataset["image"]) === row;
      one.classList.toggle("is-chosen", is);
      one.querySelector(".look")?.setAttribute("aria-pressed", String(is));
    }
    chosenNote.replaceChildren(...(pair && row !== null ? [`Image ${pair.image[row]} is chosen: `, element("button", { class: "plain", onclick: (/** @type {Event} */ event) => goTo(event, "heads") }, "what the heads see of it"), element("button", { class: "plain", onclick: (/** @type {Event} */ event) => goTo(event, "single") }, "what all points say of it")] : ["A click on a picture chooses it: below stands what the heads see of it. Arrow keys go from image to image. Pinned ones stay on top."]));
  }

  return { id: "images", title: "Images", make, update };
}

/** Both y-hat vectors of an image as bars. @param {Pair} pair @param {number} row @param {number} target */
function bars(pair, row, target) {
  const value = (/** @type {"a" | "b"} */ of, /** @type {number} */ j) => pair[of].y_hat[row * head.classes.length + j] ?? NaN;
  const likely = (/** @type {number} */ j) => (j === target ? 2 : Math.max(value("a", j) || 0, value("b", j) || 0));
  const all = head.classes.map((_, j) => j);
  const shown = all.length <= MOST_BARS ? all : all.sort((one, other) => likely(other) - likely(one)).slice(0, MOST_BARS).sort((one, other) => one - other);
  const cell = (/** @type {"a" | "b"} */ of, /** @type {number} */ j) => element("td", null, element("span", { class: `y-bar y-bar-${of}`, style: { width: `${100 * (value(of, j) || 0)}%` } }), element("span", { class: "y-number" }, formatYHat(value(of, j))));
  const lines = shown.map((j) => element("tr", { class: j === target ? "is-target" : null }, element("th", { scope: "row", title: head.classes[j] }, head.classes[j], j === target ? element("span", { class: "unseen" }, " (target)") : null), cell("a", j), cell("b", j)));
  const rest = head.classes.length - shown.length;
  return element("table", { class: "y-hats", "aria-label": "y-hat of A and B" }, element("colgroup", null, element("col", { style: { width: `${NAME_WIDTH}ch` } }), element("col"), element("col")), element("thead", { class: "unseen" }, element("tr", null, element("td"), element("th", { scope: "col" }, "A"), element("th", { scope: "col" }, "B"))), element("tbody", null, lines), rest ? element("caption", null, `${rest} less likely classes are not shown`) : null);
}

/** @param {number} value A probability: 1 is 1.0000. */
function formatYHat(value) {
  return value === 1 ? "1.0000" : value === 0 ? "0.0000" : formatNumber(value);
}

/**
 * What two points say of each image. apart: the distance of their vectors.
 * @param {number} a
 * @param {number} b
 * @returns {Promise<Pair | null>}
 */
async function pairOf(a, b) {
  const [one, other, image] = await Promise.all([judged(a), judged(b), point(a).vectors && point(b).vectors ? block("image") : null]);
  if (!one || !other || !image) return null;
  const apart = Float64Array.from(image.data, (_, row) => {
    let sum = 0;
    for (let at = row * one.classes; at < (row + 1) * one.classes; at++) sum += ((one.y_hat[at] ?? NaN) - (other.y_hat[at] ?? NaN)) ** 2;
    return Math.sqrt(sum);
  });
  return { a: one, b: other, image: image.data, apart };
}

/** @param {State} chosen @returns {Promise<number>} The image that is chosen; until one is, that on which A and B are furthest apart. */
async function imageToLookAt(chosen) {
  const pair = chosen.image === null ? await pairOf(chosen.a, chosen.b) : null;
  if (!pair) return chosen.image ?? 0;
  const apart = (/** @type {number} */ row) => (hasPicture(row) ? pair.apart[row] || 0 : -1);
  return pair.apart.reduce((best, _, row) => (apart(row) > apart(best) ? row : best), 0);
}

/** @param {Pair} pair @param {number} row @param {ChosenSet} set */
function inSet({ a, b }, row, set) {
  if (set.kind === "all") return true;
  const target = a.target[row] ?? -1;
  if (set.kind === "class") return target === set.target;
  const [one, other] = [a.answer[row] ?? -1, b.answer[row] ?? -1];
  const of = set.of === "b" ? b : a;
  if (set.kind === "cell") return target === set.target && of.answer[row] === set.answer;
  if (set.kind === "margin") return inBin(of.margin[row] ?? NaN, set.low ?? NaN, set.high ?? NaN);
  if (set.kind === "calibration") return inBin(of.confidence[row] ?? NaN, set.low ?? NaN, set.high ?? NaN);
  // An image that one of them lacks is no answer.
  if (one < 0 || other < 0) return false;
  return { a_right: one === target && other !== target, b_right: other === target && one !== target, disagree: one !== other, both_wrong: one !== target && other !== target }[set.kind];
}

/** @param {ChosenSet} set In words. */
function setName(set) {
  const common = COMMON_SETS.find(([, one]) => one.kind === set.kind);
  if (common) return common[0];
  const of = set.of === "b" ? "B" : "A";
  const named = (/** @type {number | undefined} */ j) => head.classes[j ?? -1] ?? "–";
  if (set.kind === "class") return `of class ${named(set.target)}`;
  if (set.kind === "cell") return `target ${named(set.target)}, answered ${named(set.answer)} by ${of}`;
  return `${of}'s ${set.kind === "margin" ? "margin" : "answer has a y-hat"} from ${formatValue(set.low)} to ${formatValue(set.high)}`;
}
