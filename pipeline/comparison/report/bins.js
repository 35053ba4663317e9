// How sure A and B are and how right; by how much. Bins that choose their images.

const [BINS_WIDTH, BINS_HEIGHT] = [520, 300];
const BINS_BOX = { left: 48, right: BINS_WIDTH - 10, top: 28, bottom: BINS_HEIGHT - 40 };

/** @param {Judged} a @param {Judged} b */
function reliabilityOf(a, b) {
  const curves = { a: reliability(a), b: reliability(b) };
  const x = axisScale(0, 1, BINS_BOX.left, BINS_BOX.right, false);
  const y = axisScale(0, 1, BINS_BOX.bottom, BINS_BOX.top, false);
  const drawn = /** @type {const} */ (["b", "a"]).flatMap((of) => {
    const bins = curves[of].bins.filter((bin) => bin.count);
    const path = bins.map((bin, i) => `${i ? "L" : "M"}${x.at(bin.mean).toFixed(1)} ${y.at(bin.right).toFixed(1)}`).join("");
    const most = Math.max(...bins.map((bin) => bin.count));
    return [vector("path", { class: `line line-${of}`, d: path }), ...bins.map((bin) => {
      const said = `${of.toUpperCase()}: ${count(bin.count, "image")} with an answer's y-hat from ${bin.low} to ${bin.high}, mean ${formatNumber(bin.mean)}, right ${formatNumber(bin.right)}`;
      return binButton({ kind: "calibration", of, low: bin.low, high: bin.high }, said, vector("circle", { class: `dot dot-${of}`, cx: x.at(bin.mean), cy: y.at(bin.right), r: 3.5 + 6 * Math.sqrt(bin.count / most) }));
    })];
  });
  const svg = binsDrawing("Reliability", x, y, ["y-hat of the answer", "share of right answers"], [vector("path", { class: "ideal", d: `M${x.at(0)} ${y.at(0)}L${x.at(1)} ${y.at(1)}` }), ...drawn]);
  const ece = element("p", { class: "legend" }, "expected calibration error", markedNumber("a", curves.a.ece), markedNumber("b", curves.b.ece));
  return binsPanel("Calibration", "On the dashed line a point is as right as it is sure; a circle's area is its share of the images.", svg, ece, curvesTable(curves));
}

/** @param {Judged} a @param {Judged} b */
function marginsOf(a, b) {
  const counts = { a: marginCounts(a), b: marginCounts(b) };
  const most = Math.max(...counts.a, ...counts.b, 1);
  const x = axisScale(-1, 1, BINS_BOX.left, BINS_BOX.right, false);
  // Few images are wrong and many right: their square roots can be seen side by side.
  const root = axisScale(0, Math.sqrt(most), BINS_BOX.bottom, BINS_BOX.top, false);
  const y = { ...root, at: (/** @type {number} */ value) => root.at(Math.sqrt(value)), ticks: [...new Set([0, 0.05, 0.2, 0.5, 1].map((part) => Math.round(most * part)))] };
  const bars = MARGIN_EDGES.slice(1).flatMap((high, i) => /** @type {const} */ (["a", "b"]).map((of, side) => {
    const low = MARGIN_EDGES[i] ?? -1;
    const images = counts[of][i] ?? 0;
    if (!images) return null;
    const [from, to] = [x.at(low), x.at(high)];
    const wide = (to - from - 3) / 2;
    const bar = vector("rect", { class: `bar-${of}`, x: from + 1 + side * (wide + 1), y: y.at(images), width: wide, height: BINS_BOX.bottom - y.at(images) });
    return binButton({ kind: "margin", of, low, high }, `${of.toUpperCase()}: ${count(images, "image")} with a margin from ${signed(String(low))} to ${signed(String(high))}`, bar);
  }));
  const zero = vector("line", { class: "ideal", x1: x.at(0), x2: x.at(0), y1: BINS_BOX.top, y2: BINS_BOX.bottom });
  const svg = binsDrawing("Margins", x, y, ["margin", "images (square root)"], [zero, ...bars]);
  const mean = (/** @type {Judged} */ one) => one.margin.reduce((sum, value) => sum + value, 0) / one.images;
  const means = element("p", { class: "legend" }, "mean", markedNumber("a", mean(a)), markedNumber("b", mean(b)));
  const lines = MARGIN_EDGES.slice(1).map((high, i) => element("tr", null, element("th", { scope: "row" }, `${signed(String(MARGIN_EDGES[i]))} to ${signed(String(high))}`), element("td", null, counts.a[i]), element("td", null, counts.b[i])));
  return binsPanel("Margins", "The right class's y-hat less the largest other one: below 0 the answer is wrong.", svg, means, pairTable("Images by margin", ["A", "B"], lines));
}

/** @param {"a" | "b"} of @param {number} value */
function markedNumber(of, value) {
  return element("span", null, element("span", { class: `mark mark-${of}` }, of.toUpperCase()), ` ${formatNumber(value)}`);
}

/** @param {Record<"a" | "b", ReturnType<typeof reliability>>} curves */
function curvesTable({ a, b }) {
  const lines = a.bins.map((bin, i) => {
    const other = b.bins[i];
    return element("tr", null, element("th", { scope: "row" }, `${bin.low} to ${bin.high}`), [bin, other].flatMap((one) => [element("td", null, one?.count), element("td", null, one?.count ? formatNumber(one.right) : "–")]));
  });
  return pairTable("Right answers by the answer's y-hat", ["A images", "A right", "B images", "B right"], lines);
}

/**
 * @param {string} title
 * @param {string} lead
 * @param {Node} svg
 * @param {Node} legend
 * @param {Node} table The same in numbers.
 */
function binsPanel(title, lead, svg, legend, table) {
  return element("div", { class: "panel bins" }, element("h3", null, title), element("p", { class: "note" }, lead), legend, svg, element("details", null, element("summary", null, "As a table"), table));
}

/**
 * @param {string} title
 * @param {ReturnType<typeof axisScale>} x
 * @param {ReturnType<typeof axisScale>} y
 * @param {[string, string]} names
 * @param {(Child | Child[])[]} drawn
 */
function binsDrawing(title, x, y, names, drawn) {
  const svg = vector("svg", { viewBox: `0 0 ${BINS_WIDTH} ${BINS_HEIGHT}`, role: "group", "aria-label": title, class: "bins-chart" },
    axisTicks(x, BINS_BOX.bottom, BINS_BOX.top, false), axisTicks(y, BINS_BOX.left, BINS_BOX.right, true),
    vector("text", { class: "axis", x: BINS_BOX.right, y: BINS_HEIGHT - 6, "text-anchor": "end" }, names[0]),
    vector("text", { class: "axis", x: 4, y: 12 }, names[1]), ...drawn);
  const buttons = /** @type {SVGElement[]} */ ([...svg.querySelectorAll("[data-set]")]);
  buttons[0]?.setAttribute("tabindex", "0");
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const to = step && buttons[buttons.indexOf(/** @type {SVGElement} */ (event.target)) + step];
    if (!to) return;
    event.preventDefault();
    buttons.forEach((button) => button.setAttribute("tabindex", button === to ? "0" : "-1"));
    to.focus();
  });
  return svg;
}

/** @param {ChosenSet} set @param {string} said @param {Node} drawn */
function binButton(set, said, drawn) {
  return vector("g", { role: "button", tabindex: -1, "data-set": JSON.stringify(set), "aria-label": said }, vector("title", null, said), drawn);
}
