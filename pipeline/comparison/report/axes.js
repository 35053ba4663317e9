// Scales of a chart, linear or logarithmic, with ticks at round numbers.

/**
 * @param {number} low
 * @param {number} high
 * @param {number} from The pixel of `low`.
 * @param {number} to The pixel of `high`.
 * @param {boolean} log
 */
function axisScale(low, high, from, to, log) {
  const end = high > low ? high : low + (Math.abs(low) || 1);
  const forth = log ? Math.log : (/** @type {number} */ value) => value;
  const back = log ? Math.exp : (/** @type {number} */ value) => value;
  const [first, last] = [forth(low), forth(end)];
  return {
    log,
    at: (/** @type {number} */ value) => from + ((forth(value) - first) / (last - first)) * (to - from),
    value: (/** @type {number} */ pixel) => back(first + ((pixel - from) / (to - from)) * (last - first)),
    ticks: log ? logTicks(low, end) : linearTicks(low, end),
  };
}

/** @param {number} low @param {number} high */
function linearTicks(low, high) {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** @param {number} low @param {number} high Powers of ten, with 2 and 5 of them where they are few. */
function logTicks(low, high) {
  const powers = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) powers.push(power);
  const factors = powers.length > 5 ? [1] : [1, 2, 5];
  return powers.flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`))).filter((value) => value >= low * 0.999 && value <= high * 1.001);
}

/**
 * Lines across the chart with a number each.
 * @param {ReturnType<typeof axisScale>} scale
 * @param {number} near Where the numbers stand.
 * @param {number} far
 * @param {boolean} level Whether the lines are level: those of the vertical axis.
 */
function axisTicks(scale, near, far, level) {
  return scale.ticks.flatMap((value) => {
    const at = scale.at(value);
    const line = level ? { x1: near, x2: far, y1: at, y2: at } : { x1: at, x2: at, y1: near, y2: far };
    const text = level ? { x: near - 8, y: at + 4, "text-anchor": "end" } : { x: at, y: near + 18, "text-anchor": "middle" };
    return [vector("line", { class: "tick-line", ...line }), vector("text", { class: "tick-text", ...text }, tickText(value))];
  });
}

/** @param {number} value */
function tickText(value) {
  const size = Math.abs(value);
  return signed(size !== 0 && (size < 0.0001 || size >= 1e6) ? value.toExponential(0) : value >= 1000 ? value.toLocaleString("en") : String(value));
}
