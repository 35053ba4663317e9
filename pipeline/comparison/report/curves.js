// Losses over iterations: A and B in front, all others faint.

/** Trajectories that are drawn faintly behind A and B. */
const MOST_FAINT = 100;
const CURVES_HEIGHT = 380;

/** @typedef {{steps: Numbers, losses: Numbers, classes: number}} Curve */

registerView(curvesView());

/** @returns {View} */
function curvesView() {
  const place = element("div", { class: "chart" });
  const reading = element("input", { type: "range", min: 0, max: 1000, value: 1000, "aria-label": "Iteration to read", oninput: () => read() });
  const said = element("output", { class: "reading" });
  const newest = latest();
  const local = { logX: true, logY: true, whole: true };
  /** @type {CurvesPlan | null} */
  let plan = null;

  /** @param {HTMLElement} root */
  function make(root) {
    /** @type {[string, string][]} */
    const heads = [["", "mean over heads"], ...head.classes.map((name, j) => /** @type {[string, string]} */ ([String(j), name]))];
    const whose = choice("Head", heads, "", (value) => {
      local.whole = value === "";
      if (!local.whole && Number(value) !== state.head) choose({ head: Number(value) });
      else draw();
    });
    whose.list.id = "curves-head";
    root.append(
      element("div", { class: "tools" }, whose.box, tick("logarithmic iterations", true, (on) => { local.logX = on; draw(); }), tick("logarithmic loss", true, (on) => { local.logY = on; draw(); })),
      place,
      element("div", { class: "tools under" }, element("label", { class: "field grow" }, element("span", null, "Read at"), reading), said),
      element("p", { class: "note" }, "The training loss of each batch, smoothed; circles are the validation loss where a point ends (mean over heads). A click on a line makes its longest point A, with Shift B."),
    );
    new ResizeObserver(() => draw()).observe(place);
    place.addEventListener("pointermove", (event) => {
      if (!plan) return;
      const box = place.getBoundingClientRect();
      reading.value = String(Math.round(1000 * (event.clientX - box.left - plan.left) / (plan.right - plan.left)));
      read();
    });
  }

  /** @param {State} chosen @param {State | null} before */
  function update(chosen, before) {
    const list = document.getElementById("curves-head");
    if (list instanceof HTMLSelectElement && !local.whole) list.value = String(chosen.head);
    if (!before || before.a !== chosen.a || before.b !== chosen.b || before.filter !== chosen.filter || (before.head !== chosen.head && !local.whole)) return draw();
    return undefined;
  }

  function draw() {
    return newest(readCurves(), (curves) => {
      plan = curves.size ? curvesPlan(curves, place.clientWidth || 800, { ...local, head: local.whole ? null : state.head }) : null;
      place.replaceChildren(plan ? curvesDrawing(plan, state) : element("p", { class: "soft" }, "The file holds no losses of these points."));
      read();
    });
  }

  function read() {
    said.replaceChildren();
    if (!plan) return;
    const t = Number(reading.value) / 1000;
    const at = plan.iterationAt(t);
    const parts = /** @type {const} */ (["a", "b"]).map((which) => {
      const value = plan?.lossAt(state[which], at);
      return [element("span", { class: `mark mark-${which}` }, which.toUpperCase()), ` ${formatNumber(value)} `];
    });
    said.replaceChildren(`iteration ${Math.round(at).toLocaleString("en")}: `, .../** @type {(Node | string)[]} */ (parts.flat()));
    const line = place.querySelector(".cross");
    const x = String(plan.left + t * (plan.right - plan.left));
    line?.setAttribute("x1", x);
    line?.setAttribute("x2", x);
  }

  return { id: "curves", title: "Loss curves", make, update };
}

/** Those that are drawn, by trajectory: A's and B's, and of the others as many as can be told apart.
 * @returns {Promise<Map<string, Curve>>} */
async function readCurves() {
  const { points } = filtered(state.filter);
  const chosen = [point(state.a).trajectory, point(state.b).trajectory];
  const wanted = new Set([...chosen, ...[...points].map((index) => point(index).trajectory)]);
  const found = /** @type {Map<string, Curve>} */ (new Map());
  for (const name of [...wanted].slice(0, MOST_FAINT + 2)) {
    if (!(await hasBlock(`steps-${name}`))) continue;
    const [steps, losses] = await Promise.all([block(`steps-${name}`), block(`losses-${name}`)]);
    found.set(name, { steps: steps.data, losses: losses.data, classes: losses.shape[1] ?? 1 });
  }
  return found;
}

/** @param {Curve} curve @param {number} step @param {number | null} of A head, or the mean of all. */
function lossOf({ losses, classes }, step, of) {
  if (of !== null) return losses[step * classes + of] ?? NaN;
  let sum = 0;
  for (let j = 0; j < classes; j++) sum += losses[step * classes + j] ?? NaN;
  return sum / classes;
}

/** @typedef {ReturnType<typeof curvesPlan>} CurvesPlan */

/**
 * Scales and lines.
 * @param {Map<string, Curve>} curves
 * @param {number} width
 * @param {{logX: boolean, logY: boolean, head: number | null}} how
 */
function curvesPlan(curves, width, how) {
  const [left, right, top, bottom] = [58, width - 24, 12, CURVES_HEIGHT - 38];
  const lines = new Map([...curves].map(([name, curve]) => [name, [...curve.steps].map((iteration, step) => /** @type {const} */ ([iteration, lossOf(curve, step, how.head)]))]));
  const all = [...lines.values()].flat();
  const found = all.map(([, loss]) => loss).filter((loss) => loss > 0);
  const losses = found.length ? found : [1];
  const ends = head.points.filter((one) => lines.has(one.trajectory)).map((one) => one.iterations);
  const xs = axisScale(Math.min(...all.map(([iteration]) => iteration)), Math.max(...ends), left, right, how.logX);
  const ys = axisScale(how.logY ? Math.min(...losses) : 0, Math.max(...losses), bottom, top, how.logY);
  return {
    left, right, top, bottom, width, lines, xs, ys, head: how.head,
    iterationAt: (/** @type {number} */ t) => xs.value(left + t * (right - left)),
    /** @param {number} index @param {number} iteration */
    lossAt(index, iteration) {
      const one = point(index);
      const line = lines.get(one.trajectory) ?? [];
      // Where a point has ended, its curve says nothing.
      if (iteration > one.iterations * 1.001) return null;
      return line.findLast(([at]) => at <= iteration * 1.001)?.[1] ?? line[0]?.[1] ?? null;
    },
  };
}

/** @param {CurvesPlan} plan @param {State} chosen */
function curvesDrawing(plan, chosen) {
  const { left, right, top, bottom, width, xs, ys } = plan;
  const path = (/** @type {(readonly [number, number])[]} */ line) => line.filter(([, loss]) => loss > 0 || !ys.log).map(([iteration, loss], i) => `${i ? "L" : "M"}${xs.at(iteration).toFixed(1)} ${ys.at(loss).toFixed(1)}`).join("");
  const front = new Set([point(chosen.a).trajectory, point(chosen.b).trajectory]);
  const longest = (/** @type {string} */ name) => head.points.reduce((best, one, i) => (one.trajectory === name && (best < 0 || one.iterations > point(best).iterations) ? i : best), -1);
  const faint = [...plan.lines].filter(([name]) => !front.has(name)).map(([name, line]) => {
    const index = longest(name);
    return vector("path", { class: "faint", d: path(line), "data-point": index }, vector("title", null, nameOf(index)));
  });
  const own = (/** @type {"a" | "b"} */ which) => (plan.lines.get(point(chosen[which]).trajectory) ?? []).filter(([iteration]) => iteration <= point(chosen[which]).iterations);
  const ends = { a: own("a").at(-1), b: own("b").at(-1) };
  // Where the two end side by side, their letters stand apart.
  const near = ends.a && ends.b && Math.abs(ys.at(ends.a[1]) - ys.at(ends.b[1])) < 14 && Math.abs(xs.at(ends.a[0]) - xs.at(ends.b[0])) < 14;
  const bold = /** @type {const} */ (["b", "a"]).flatMap((which) => {
    const one = point(chosen[which]);
    const line = plan.lines.get(one.trajectory) ?? [];
    const last = ends[which];
    const other = ends[which === "a" ? "b" : "a"];
    const aside = near && last && other ? (last[1] > other[1] || (last[1] === other[1] && which === "b") ? 8 : -8) : 0;
    const label = last ? vector("text", { class: `end end-${which}`, x: Math.min(xs.at(last[0]) + 10, right + 10), y: ys.at(last[1]) + 4 + aside }, which.toUpperCase()) : null;
    return [vector("path", { class: `after after-${which}`, d: path(line) }), vector("path", { class: `line line-${which}`, d: path(own(which)) }), ...validations(plan, which, one.trajectory), label];
  });
  const said = `Loss over iterations. ${/** @type {const} */ (["a", "b"]).map((which) => `${which.toUpperCase()}, ${nameOf(chosen[which])}, ends at ${formatNumber(plan.lossAt(chosen[which], point(chosen[which]).iterations))}`).join("; ")}.`;
  return vector("svg", { viewBox: `0 0 ${width} ${CURVES_HEIGHT}`, width, height: CURVES_HEIGHT, role: "img", "aria-label": said },
    axisTicks(xs, bottom, top, false), axisTicks(ys, left, right, true),
    vector("text", { class: "axis", x: right, y: bottom + 35, "text-anchor": "end" }, "iterations"),
    faint, bold, vector("line", { class: "cross", y1: top, y2: bottom, x1: -9, x2: -9 }));
}

/** @param {CurvesPlan} plan @param {"a" | "b"} which @param {string} trajectory */
function validations(plan, which, trajectory) {
  if (plan.head !== null) return [];
  return head.points.flatMap((one, index) => {
    const loss = one.metrics["validation_loss"];
    if (one.trajectory !== trajectory || typeof loss !== "number" || loss <= 0) return [];
    const y = plan.ys.at(loss);
    if (y > plan.bottom || y < plan.top) return [];
    return [vector("circle", { class: `dot dot-${which}`, cx: plan.xs.at(one.iterations), cy: y, r: 4, "data-point": index }, vector("title", null, `${nameOf(index)}: validation_loss ${formatNumber(loss)}`))];
  });
}
