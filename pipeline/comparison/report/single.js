// One image in all points: the target beside each point's y-hat, and how y-hat came about over iterations.

/** Points that are shown before more are asked for. */
const MOST_ROWS = 60;
const [HISTORY_WIDTH, HISTORY_HEIGHT] = [560, 320];
const HISTORY_BOX = { left: 48, right: HISTORY_WIDTH - 130, top: 14, bottom: HISTORY_HEIGHT - 40 };
/** Lines get names as far apart as this. */
const NAME_STEP = 14;

registerView(singleView());

/** @returns {View} */
function singleView() {
  const top = element("div", { class: "looked" });
  const history = element("div", { class: "stack" });
  const table = element("div", { class: "scroll" });
  const newest = latest();
  let most = MOST_ROWS;

  /** @param {HTMLElement} root */
  function make(root) {
    root.append(top, history, table);
  }

  /** @param {State} chosen @param {State | null} before */
  function update(chosen, before) {
    if (before && before.image === chosen.image && before.a === chosen.a && before.b === chosen.b) return undefined;
    const having = head.points.map((_, index) => index).filter((index) => point(index).vectors);
    if (!having.length) {
      top.replaceChildren(element("p", { class: "soft" }, "The file holds no y-hat vectors."));
      return undefined;
    }
    const mustBe = new Set([chosen.a, chosen.b, ...historyOf(chosen.a), ...historyOf(chosen.b)].filter((index) => point(index).vectors));
    const shown = having.filter((index, i) => i < most || mustBe.has(index));
    return newest(imageToLookAt(chosen).then((row) => vectorsAt(shown, row)), ({ vectors, row, number, target }) => {
      const picture = element("div", { class: "picture" });
      if (hasPicture(row)) pictureCanvas(row, 112).then((canvas) => picture.append(canvas));
      top.replaceChildren(picture, element("div", null, element("p", null, `Image ${number}, target `, element("strong", null, head.classes[target])), element("p", { class: "note" }, head.images.count === 1 ? "The one image of this experiment." : chosen.image === null ? "A and B are furthest apart on it. Another one is chosen among the images." : "Another one is chosen among the images.")));
      const drawn = /** @type {const} */ (["a", "b"]).map((of) => historyPanel(of, chosen[of], vectors, target));
      history.replaceChildren(...drawn.filter((one) => one !== null));
      table.replaceChildren(singleTable(shown, vectors, target, chosen));
      if (shown.length < having.length) table.append(element("button", { onclick: () => { most = Infinity; update(state, null); } }, `Show all ${having.length} points`));
    });
  }

  return { id: "single", title: "One image, all points", make, update };
}

/** @param {number} index The points of its trajectory, by iterations. */
function historyOf(index) {
  const { trajectory } = point(index);
  return head.points.map((_, i) => i).filter((i) => point(i).trajectory === trajectory).sort((one, other) => point(one).iterations - point(other).iterations);
}

/** @param {number[]} points @param {number} row */
async function vectorsAt(points, row) {
  const [image, target, ...all] = await Promise.all([block("image"), block("target"), ...points.map((index) => block(`y_hat-${index}`))]);
  const classes = head.classes.length;
  const vectors = new Map(points.map((index, i) => [index, /** @type {Block} */ (all[i]).data.subarray(row * classes, (row + 1) * classes)]));
  return { vectors, row, number: image.data[row] ?? row, target: target.data[row] ?? 0 };
}

/** @param {number[]} shown @param {Map<number, Numbers>} vectors @param {number} target @param {State} chosen */
function singleTable(shown, vectors, target, chosen) {
  const exact = head.images.count === 1;
  const top = element("tr", null, element("th", { scope: "col" }, "point"), head.classes.map((name, j) => element("th", { scope: "col", class: j === target ? "is-target" : null }, element("span", { class: "class-name" }, name))), element("th", { scope: "col" }, "margin"));
  const wanted = element("tr", { class: "target-row" }, element("th", { scope: "row" }, "target"), head.classes.map((_, j) => element("td", null, j === target ? "1" : "0")), element("td", null, "1"));
  const lines = shown.map((index) => {
    const vector = vectors.get(index) ?? new Float32Array();
    const rivals = [...vector].filter((_, j) => j !== target);
    const marks = /** @type {const} */ (["a", "b"]).filter((of) => chosen[of] === index).map((of) => element("span", { class: `mark mark-${of}` }, of.toUpperCase()));
    return element("tr", { "data-point": index, tabindex: index === shown[0] ? 0 : -1 }, element("th", { scope: "row" }, ...marks, " ", nameOf(index)),
      [...vector].map((value) => element("td", { style: Number.isNaN(value) ? null : painted(logitColour(value)) }, exact && value >= 0.001 ? value.toFixed(6) : formatYHat(value))), element("td", null, formatNumber((vector[target] ?? NaN) - Math.max(...rivals))));
  });
  const table = element("table", { class: "heat singles", "aria-label": "y-hat of the image by point" }, element("thead", null, top), element("tbody", null, wanted, lines));
  walkable(table);
  return table;
}

/**
 * y-hat of each head over the iterations of a point's trajectory; null where it is the only one of it.
 * @param {"a" | "b"} of
 * @param {number} index
 * @param {Map<number, Numbers>} vectors
 * @param {number} target
 */
function historyPanel(of, index, vectors, target) {
  const points = historyOf(index).filter((one) => vectors.has(one));
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2) return null;
  const x = axisScale(point(first).iterations, point(last).iterations, HISTORY_BOX.left, HISTORY_BOX.right, true);
  const y = axisScale(0, 1, HISTORY_BOX.bottom, HISTORY_BOX.top, false);
  x.ticks = points.map((one) => point(one).iterations);
  const value = (/** @type {number} */ one, /** @type {number} */ j) => vectors.get(one)?.[j] ?? NaN;
  const heads = head.classes.map((_, j) => j);
  const order = [...heads.filter((j) => j !== target), target];
  const lines = order.map((j) => vector("g", { class: j === target ? `history history-${of}` : "history" },
    vector("path", { d: points.map((one, i) => `${i ? "L" : "M"}${x.at(point(one).iterations).toFixed(1)} ${y.at(value(one, j)).toFixed(1)}`).join("") }),
    points.map((one) => vector("circle", { cx: x.at(point(one).iterations), cy: y.at(value(one, j)), r: 2.5 }))));
  const names = namePlaces(heads.map((j) => y.at(value(last, j))), target).map(([j, at]) => vector("text", { x: HISTORY_BOX.right + 10, y: at + 4, class: j === target ? `end end-${of}` : "tick-text" }, cutName(head.classes[j] ?? "")));
  const svg = vector("svg", { viewBox: `0 0 ${HISTORY_WIDTH} ${HISTORY_HEIGHT}`, role: "img", "aria-label": `y-hat of each head over iterations, ${of.toUpperCase()}; the table below says the same`, class: "bins-chart" },
    axisTicks(x, HISTORY_BOX.bottom, HISTORY_BOX.top, false), axisTicks(y, HISTORY_BOX.left, HISTORY_BOX.right, true),
    vector("text", { class: "axis", x: HISTORY_BOX.right, y: HISTORY_HEIGHT - 6, "text-anchor": "end" }, "iterations"), lines, names);
  return element("div", { class: "panel bins" }, element("h3", null, element("span", null, element("span", { class: `mark mark-${of}` }, of.toUpperCase()), " y-hat over iterations")), svg);
}

/** @param {number[]} places @param {number} target Names that do not lie over each other, the target's first of all. @returns {[number, number][]} */
function namePlaces(places, target) {
  /** @type {[number, number][]} */
  const taken = [];
  for (const j of [target, ...places.map((_, i) => i).filter((i) => i !== target).sort((one, other) => (places[one] ?? 0) - (places[other] ?? 0))]) {
    const at = places[j] ?? NaN;
    if (taken.every(([, other]) => Math.abs(other - at) >= NAME_STEP)) taken.push([j, at]);
  }
  return taken;
}

/** @param {string} name */
function cutName(name) {
  return name.length > 16 ? `${name.slice(0, 15)}…` : name;
}
