// Elements, numbers as text, and what several views need. No view and nothing chosen is known here.

/**
 * An HTML element. Attributes named on<event> are listeners, `style` an object of properties (the policy lets no style be
 * written as text), true an attribute without a value; null, undefined and false are left out.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes | null} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[T]}
 */
function element(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * An SVG element, likewise.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes | null} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {SVGElementTagNameMap[T]}
 */
function vector(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/**
 * @template {HTMLElement | SVGElement} T
 * @param {T} made
 * @param {Attributes | null | undefined} attributes
 * @param {(Child | Child[])[]} children
 * @returns {T}
 */
function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") {
      for (const [property, to] of Object.entries(/** @type {Record<string, string>} */ (value))) made.style.setProperty(property, to);
    } else if (typeof value === "function") {
      made.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else {
      made.setAttribute(name, value === true ? "" : String(value));
    }
  }
  made.append(.../** @type {(Node | string)[]} */ (children.flat().filter((child) => child !== null && child !== undefined && child !== false).map((child) => (child instanceof Node ? child : String(child)))));
  return made;
}

/**
 * A list to choose from. options: [value, text].
 * @param {string} label
 * @param {[string, string][]} options
 * @param {string} chosen
 * @param {(value: string) => void} then
 */
function choice(label, options, chosen, then) {
  const list = element("select", { "aria-label": label, onchange: () => then(list.value) }, options.map(([value, text]) => element("option", { value, selected: value === chosen }, text)));
  return { box: element("label", { class: "field" }, element("span", null, label), list), list };
}

/**
 * A box to tick.
 * @param {string} label
 * @param {boolean} ticked
 * @param {(ticked: boolean) => void} then
 */
function tick(label, ticked, then) {
  const box = element("input", { type: "checkbox", checked: ticked, onchange: () => then(box.checked) });
  return element("label", { class: "tick" }, box, element("span", null, label));
}

/**
 * A number as people read it: four decimals, or powers of ten where these would hide it; a dash where there is none.
 * @param {number | null | undefined} value
 * @returns {string}
 */
function formatNumber(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (Number.isInteger(value)) return signed(String(value));
  const size = Math.abs(value);
  return signed(size >= 0.001 && size < 10000 ? value.toFixed(4) : value.toExponential(2));
}

/**
 * A difference, always with its sign; in powers of ten only where four decimals would say nothing.
 * @param {number | null | undefined} value
 * @returns {string}
 */
function formatDifference(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  const text = size >= 0.0001 && size < 0.001 ? signed(value.toFixed(4)) : formatNumber(value);
  return value > 0 ? `+${text}` : text;
}

/**
 * A metric: counts as they are, all others with decimals, so that columns stand in line.
 * @param {string} metric
 * @param {number | null | undefined} value
 */
function formatMetric(metric, value) {
  return value === 1 && !isCount(metric) ? "1.0000" : formatNumber(value);
}

/** @param {string} metric */
function isCount(metric) {
  return metric.endsWith("_heads");
}

/** @param {string} metric Whether less of it is better. */
function lessIsBetter(metric) {
  return isCount(metric) || metric.endsWith("loss");
}

/**
 * The value of a setting; long decimals are cut, as no axis needs them.
 * @param {Value | undefined} value
 */
function formatValue(value) {
  if (value === null || value === undefined) return "null";
  if (typeof value !== "number" || String(value).length <= 8) return signed(String(value));
  return signed(String(Number(value.toPrecision(4))));
}

/** @param {string} text A minus as long as a plus. */
function signed(text) {
  return text.replace(/^-/, "−").replace("e-", "e−").replace("e+", "e");
}

/**
 * Values of a setting in their order: numbers by size, others as they first came; null last.
 * @param {Value[]} values
 * @returns {Value[]}
 */
function ordered(values) {
  const found = [...new Set(values)];
  const known = found.filter((value) => value !== null);
  if (known.every((value) => typeof value === "number")) known.sort((one, other) => Number(one) - Number(other));
  return found.includes(null) ? [...known, null] : known;
}

/** Boxes that hide a part of what is in them can be reached by Tab, then moved with the arrow keys. */
const overflowing = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth + 1) target.setAttribute("tabindex", "0");
    else target.removeAttribute("tabindex");
  }
});

/**
 * A box for what may be wider than the window and has nothing in it that Tab reaches.
 * @param {string} label
 * @param {Node} child
 */
function scrollBox(label, child) {
  const box = element("div", { class: "scroll", role: "group", "aria-label": label }, child);
  overflowing.observe(box);
  return box;
}

/**
 * What is done last counts: the promise's result is handed on only if no later call was made meanwhile.
 * @template T
 * @returns {(work: Promise<T>, then: (result: T) => void) => Promise<void>}
 */
function latest() {
  let turn = 0;
  return async (work, then) => {
    const mine = ++turn;
    const result = await work;
    if (mine === turn) then(result);
  };
}

/** @param {string} text Said by screen readers. */
function speak(text) {
  const place = document.getElementById("spoken");
  if (place) place.textContent = text;
}

/**
 * Arrow keys, Home and End move the focus among a table's cells that can have it; one of them is reached by Tab.
 * @param {HTMLTableElement} table
 */
function walkable(table) {
  const cells = () => [...table.rows].map((row) => /** @type {HTMLElement[]} */ ([...row.querySelectorAll("[tabindex]")]));
  table.addEventListener("focusin", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (!target.hasAttribute("tabindex")) return;
    table.querySelectorAll("[tabindex='0']").forEach((cell) => cell.setAttribute("tabindex", "-1"));
    target.setAttribute("tabindex", "0");
  });
  table.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const lines = cells().filter((line) => line.length);
    const row = lines.findIndex((line) => line.includes(target));
    if (row < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const column = /** @type {HTMLElement[]} */ (lines[row]).indexOf(target);
    const wanted = { ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1], Home: [row, 0], End: [row, Infinity] }[event.key];
    if (!wanted) return;
    event.preventDefault();
    const line = lines[wanted[0] ?? 0];
    if (line) line[Math.min(wanted[1] ?? 0, line.length - 1)]?.focus();
  });
}
