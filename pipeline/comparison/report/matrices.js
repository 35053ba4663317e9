// Confusion matrices and mean y-hat vectors of A, of B and their difference, as tables whose cells choose images.

/** More classes than this would be no table to read: their commonest confusions are listed instead. */
const MOST_CLASSES = 40;
const MOST_CONFUSIONS = 40;
/** Beyond this no number fits a cell. */
const MOST_WRITTEN = 16;

/** @param {Judged} a @param {Judged} b @returns {Node[]} */
function matricesOf(a, b) {
  if (head.classes.length > MOST_CLASSES) return [commonConfusions(a, b)];
  const counts = [confusions(a), confusions(b)];
  const means = [meanVectors(a), meanVectors(b)];
  return [
    matrixGroup("Confusions", "Rows are targets, columns answers. A cell chooses its images; right answers are on the diagonal.", counts, {
      text: String,
      colour: countColour(counts),
      less: (value) => (value === 0 ? "" : formatDifference(value)),
      set: (of, target, answer) => ({ kind: "cell", ...(of && { of }), target, answer }),
    }),
    matrixGroup("Mean y-hat by target", "A row is the mean y-hat vector of the images of one target; perfect is 1 on the diagonal, 0 elsewhere.", means, {
      text: (value) => value.toFixed(2).replace(/^0/, ""),
      colour: (value) => (Number.isNaN(value) ? null : logitColour(value)),
      less: (value) => (Math.abs(value) < 0.005 ? "" : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2).replace(/^0/, "")}`),
      set: (_, target) => ({ kind: "class", target }),
    }),
  ];
}

/**
 * @typedef {object} MatrixLook
 * @property {(value: number) => string} text
 * @property {(value: number, diagonal: boolean) => Colour | null} colour
 * @property {(value: number) => string} less
 * @property {(of: "a" | "b" | undefined, target: number, answer: number) => ChosenSet} set
 */

/**
 * A's, B's, and the difference.
 * @param {string} title
 * @param {string} lead
 * @param {Float64Array[]} values
 * @param {MatrixLook} look
 */
function matrixGroup(title, lead, values, look) {
  const [a, b] = [/** @type {Float64Array} */ (values[0]), /** @type {Float64Array} */ (values[1])];
  const less = b.map((value, i) => value - (a[i] ?? NaN));
  const most = less.reduce((largest, value) => Math.max(largest, Math.abs(value) || 0), 0) || 1;
  const third = { ...look, text: look.less, colour: (/** @type {number} */ value) => (look.less(value) === "" || Number.isNaN(value) ? null : redBlue(0.5 + value / (2 * most))) };
  return element("div", { class: "group" }, element("h3", null, title), element("p", { class: "note" }, lead),
    element("div", { class: "panels matrices" }, matrixTable(`${title} of A`, "a", a, look), matrixTable(`${title} of B`, "b", b, look), matrixTable(`${title}, B − A`, undefined, less, third)));
}

/**
 * @param {string} title
 * @param {"a" | "b" | undefined} of
 * @param {Float64Array} values
 * @param {MatrixLook} look
 */
function matrixTable(title, of, values, look) {
  const classes = head.classes.length;
  const written = classes <= MOST_WRITTEN;
  const lines = head.classes.map((target, i) => element("tr", { role: "row" }, element("th", { role: "rowheader", scope: "row", title: target }, element("span", { class: "class-name" }, target)), head.classes.map((answer, j) => {
    const value = values[i * classes + j] ?? NaN;
    const colour = look.colour(value, i === j);
    const text = Number.isNaN(value) ? "" : look.text(value);
    return element("td", {
      role: "gridcell", tabindex: i + j ? -1 : 0, "data-set": JSON.stringify(look.set(of, i, j)), class: i === j ? "diagonal" : null, style: colour ? painted(colour) : null,
      title: `${target} → ${answer}: ${text || "0"}`, "aria-label": written ? null : `${target}, ${answer}: ${text || "0"}`,
    }, written ? text : "");
  })));
  const tilted = head.classes.some((name) => name.length > 3);
  const top = element("tr", { role: "row" }, element("td", { role: "gridcell" }), head.classes.map((name) => element("th", { role: "columnheader", scope: "col", title: name, class: tilted ? "tilted" : null }, element("span", { class: "class-name" }, name))));
  const table = element("table", { role: "grid", class: `heat matrix${written ? "" : " dense"}`, "aria-label": title }, element("thead", { role: "rowgroup" }, top), element("tbody", { role: "rowgroup" }, lines));
  walkable(table);
  const heading = of ? element("span", { class: `mark mark-${of}` }, of.toUpperCase()) : element("span", null, "B − A");
  return element("figure", { class: "panel" }, element("figcaption", null, element("h4", null, heading)), element("div", { class: "scroll" }, table));
}

/** Right answers and mistakes are as different as hundreds and ones: the colour follows the logarithm. @param {Float64Array[]} counts */
function countColour(counts) {
  const most = Math.log1p(Math.max(...counts.map((one) => Math.max(...one)), 1));
  return (/** @type {number} */ value) => (value > 0 ? viridis(0.15 + (0.85 * Math.log1p(value)) / most) : null);
}

/** @param {Judged} a @param {Judged} b */
function commonConfusions(a, b) {
  const [one, other] = [confusions(a), confusions(b)];
  const classes = head.classes.length;
  const wrong = [...one.keys()].filter((i) => Math.floor(i / classes) !== i % classes && (one[i] ?? 0) + (other[i] ?? 0) > 0);
  wrong.sort((x, y) => (one[y] ?? 0) + (other[y] ?? 0) - (one[x] ?? 0) - (other[x] ?? 0));
  const lines = wrong.slice(0, MOST_CONFUSIONS).map((i) => {
    const [target, answer] = [Math.floor(i / classes), i % classes];
    const cell = (/** @type {"a" | "b"} */ of, /** @type {number} */ value) => element("td", null, element("button", { class: "plain", "data-set": JSON.stringify({ kind: "cell", of, target, answer }) }, value));
    return element("tr", null, element("th", { scope: "row" }, `${head.classes[target]} → ${head.classes[answer]}`), cell("a", one[i] ?? 0), cell("b", other[i] ?? 0), element("td", null, formatDifference((other[i] ?? 0) - (one[i] ?? 0))));
  });
  return pairTable(`The ${lines.length} commonest confusions of ${classes} classes`, ["A", "B", "B − A"], lines);
}
