// What is chosen, and who is told. The address's fragment holds it, so that a link shows the same.

/** @type {Payload} */
const head = JSON.parse(/** @type {HTMLElement} */ (document.getElementById("head")).textContent ?? "");

/** @type {View[]} */
const views = [];
/** Views that have been made: only these are told.
 * @type {Set<View>} */
const made = new Set();

/** @type {readonly ChosenSet["kind"][]} */
const KINDS = ["all", "a_right", "b_right", "disagree", "both_wrong", "cell", "class", "margin", "calibration"];

/** @type {State} */
let state = Object.freeze({ ...standard(), ...fromHash(location.hash) });

/** @param {View} view */
function registerView(view) {
  views.push(view);
}

/** @param {Partial<State>} changes */
function choose(changes) {
  const before = state;
  const next = { ...state, ...changes };
  const same = /** @type {(keyof State)[]} */ (Object.keys(next)).every((key) => JSON.stringify(next[key]) === JSON.stringify(before[key]));
  if (same) return;
  state = Object.freeze(next);
  history.replaceState(null, "", toHash(state));
  if (state.a !== before.a) speak(`A is ${nameOf(state.a)}`);
  else if (state.b !== before.b) speak(`B is ${nameOf(state.b)}`);
  for (const view of made) view.update(state, before);
}

/** @returns {State} The best point and a telling neighbour. */
function standard() {
  return { a: head.best, b: neighbour(head.best), metric: head.metric, head: 0, image: null, set: { kind: "a_right" }, filter: "" };
}

/**
 * The point that differs from this one in the kernel size alone, or whatever goes down in the grid, and by as little as
 * possible; else in what goes across, in a page; else the next point. With one point, itself.
 * @param {number} index
 */
function neighbour(index) {
  const { down, across, pages } = head.axes;
  const own = point(index);
  for (const key of [down, ...(across ? [across] : []), ...pages]) {
    const place = head.keys.indexOf(key);
    const order = ordered(head.points.map((other) => other.values[place] ?? null));
    const step = (/** @type {PointRow} */ other) => Math.abs(order.indexOf(other.values[place] ?? null) - order.indexOf(own.values[place] ?? null));
    const like = head.points.filter((other) => other !== own && other.values.every((value, i) => (i === place) !== (value === own.values[i])));
    const first = like.sort((one, other) => step(one) - step(other))[0];
    if (first) return head.points.indexOf(first);
  }
  return head.points.length > 1 ? (index + 1) % head.points.length : index;
}

/** @param {number} index @returns {PointRow} */
function point(index) {
  return /** @type {PointRow} */ (head.points[index]);
}

/** @param {number} index */
function nameOf(index) {
  return point(index).name || "the only point";
}

/**
 * The point of a summary's row: the one whose repeats are those of another point, else the first.
 * @param {SummaryRow} row
 * @param {number} like
 */
function pointOfRow(row, like) {
  const repeats = head.keys.map((key, i) => (head.repeats.includes(key) ? i : -1)).filter((i) => i >= 0);
  const same = row.points.find((index) => repeats.every((i) => point(index).values[i] === point(like).values[i]));
  return same ?? /** @type {number} */ (row.points[0]);
}

/** @param {State} chosen @returns {string} Points by their names, which outlive a report that is made anew. */
function toHash(chosen) {
  const usual = standard();
  const { kind, of, target, answer, low, high } = chosen.set;
  const set = [kind, of, target, answer, low, high].filter((part) => part !== undefined).join(":");
  /** @type {[string, string | null][]} */
  const parts = [
    ["a", point(chosen.a).name],
    ["b", point(chosen.b).name],
    ["metric", chosen.metric === usual.metric ? null : chosen.metric],
    ["head", chosen.head === usual.head ? null : head.classes[chosen.head] ?? null],
    ["image", chosen.image === null ? null : String(chosen.image)],
    ["set", JSON.stringify(chosen.set) === JSON.stringify(usual.set) ? null : set],
    ["filter", chosen.filter || null],
  ];
  return `#${parts.filter(([, value]) => value !== null).map(([key, value]) => `${key}=${escaped(value ?? "")}`).join("&")}`;
}

/** @param {string} text */
function escaped(text) {
  return encodeURIComponent(text).replace(/%20/g, "+").replace(/%(3D|2C|3A|2F)/g, decodeURIComponent);
}

/** @param {string} hash @returns {Partial<State>} What is not understood is left out. */
function fromHash(hash) {
  const parts = new URLSearchParams(hash.slice(1));
  const index = (/** @type {string} */ key) => head.points.findIndex((one) => one.name === parts.get(key));
  const a = index("a");
  const b = index("b");
  const chosenHead = head.classes.indexOf(parts.get("head") ?? "");
  const metric = parts.get("metric") ?? "";
  const image = Number(parts.get("image") ?? NaN);
  const set = setFromHash(parts.get("set") ?? "");
  return {
    ...(a >= 0 && { a, b: neighbour(a) }),
    ...(b >= 0 && { b }),
    ...(head.metrics.includes(metric) && { metric }),
    ...(chosenHead >= 0 && { head: chosenHead }),
    ...(Number.isInteger(image) && image >= 0 && image < head.images.count && { image }),
    ...(set && { set }),
    ...(parts.has("filter") && { filter: parts.get("filter") ?? "" }),
  };
}

/** @param {string} text @returns {ChosenSet | null} */
function setFromHash(text) {
  const [name, ...rest] = text.split(":");
  const kind = KINDS.find((one) => one === name);
  if (!kind) return null;
  const of = rest[0] === "a" || rest[0] === "b" ? rest.shift() : undefined;
  const numbers = rest.map(Number);
  if (numbers.some(Number.isNaN)) return null;
  const [first, second] = numbers;
  /** @type {ChosenSet} */
  const set = { kind };
  if (of === "a" || of === "b") set.of = of;
  if (kind === "cell" || kind === "class") {
    if (first !== undefined) set.target = first;
    if (second !== undefined) set.answer = second;
  } else if (first !== undefined && second !== undefined) {
    set.low = first;
    set.high = second;
  }
  return set;
}

window.addEventListener("hashchange", () => choose({ ...standard(), ...fromHash(location.hash) }));
