// What follows from y-hat vectors: answers, margins, confusions, calibration. Computed when looked at, kept afterwards.

/** @type {Map<number, Promise<Judged>>} */
const judgedPoints = new Map();
/** Bins of the reliability curve, from 0 to 1, and of the margins, from -1 to 1. */
const CONFIDENCE_EDGES = Array.from({ length: 11 }, (_, i) => i / 10);
const MARGIN_EDGES = Array.from({ length: 21 }, (_, i) => (i - 10) / 10);

/**
 * A point's y-hat vectors and what they say, image by image; null for a point whose vectors are not in the file.
 * @param {number} index
 * @returns {Promise<Judged> | null}
 */
function judged(index) {
  if (!point(index).vectors) return null;
  const known = judgedPoints.get(index);
  if (known) return known;
  const work = judge(index);
  judgedPoints.set(index, work);
  return work;
}

/** @param {number} index @returns {Promise<Judged>} */
async function judge(index) {
  const [vectors, targets] = await Promise.all([block(`y_hat-${index}`), block("target")]);
  const y_hat = vectors.data;
  const target = targets.data;
  const classes = head.classes.length;
  const images = target.length;
  const answer = new Int32Array(images);
  const margin = new Float64Array(images);
  const confidence = new Float64Array(images);
  for (let i = 0; i < images; i++) {
    const start = i * classes;
    const right = target[i] ?? 0;
    let best = 0;
    let rival = -Infinity;
    for (let j = 0; j < classes; j++) {
      const value = y_hat[start + j] ?? NaN;
      if (value > (y_hat[start + best] ?? NaN)) best = j;
      if (j !== right && value > rival) rival = value;
    }
    confidence[i] = y_hat[start + best] ?? NaN;
    // An image that the point does not have is no answer.
    answer[i] = Number.isNaN(confidence[i]) ? -1 : best;
    margin[i] = (y_hat[start + right] ?? NaN) - (rival === -Infinity ? 0 : rival);
  }
  return { y_hat, target, answer, margin, confidence, classes, images };
}

/** @param {number} value @param {number} low @param {number} high Whether a bin has it; the last one, which ends at 1, has its end too. */
function inBin(value, low, high) {
  return value >= low && (value < high || (high === 1 && value === 1));
}

/** @param {number} value @param {number[]} edges The bin's number, -1 for none. */
function binOf(value, edges) {
  const width = /** @type {number} */ (edges[1]) - /** @type {number} */ (edges[0]);
  const near = Math.floor((value - /** @type {number} */ (edges[0])) / width);
  // Rounding may miss by one.
  for (const bin of [near, near - 1, near + 1]) {
    const [low, high] = [edges[bin], edges[bin + 1]];
    if (low !== undefined && high !== undefined && inBin(value, low, high)) return bin;
  }
  return -1;
}

/** @param {Float64Array} sums @param {number} place @param {number} value */
function add(sums, place, value) {
  sums[place] = (sums[place] ?? 0) + value;
}

/** @param {Judged} of How often each target (rows) got each answer (columns). */
function confusions({ target, answer, classes, images }) {
  const counts = new Float64Array(classes * classes);
  for (let i = 0; i < images; i++) if ((answer[i] ?? -1) >= 0) add(counts, (target[i] ?? 0) * classes + (answer[i] ?? 0), 1);
  return counts;
}

/** @param {Judged} of The mean y-hat vector of each target, a row each; NaN for a class without images. */
function meanVectors({ y_hat, target, answer, classes, images }) {
  const sums = new Float64Array(classes * classes);
  const members = new Float64Array(classes);
  for (let i = 0; i < images; i++) {
    if ((answer[i] ?? -1) < 0) continue;
    const row = target[i] ?? 0;
    add(members, row, 1);
    for (let j = 0; j < classes; j++) add(sums, row * classes + j, y_hat[i * classes + j] ?? NaN);
  }
  return sums.map((sum, place) => sum / (members[Math.floor(place / classes)] ?? NaN));
}

/**
 * How sure a point is against how often it is right: by bins of the answer's y-hat, the mean of that and the share of right
 * answers. ece: their mean distance, weighted by the images in each bin.
 * @param {Judged} of
 */
function reliability({ target, answer, confidence, images }) {
  const bins = CONFIDENCE_EDGES.slice(1).map((high, i) => ({ low: CONFIDENCE_EDGES[i] ?? 0, high, count: 0, mean: 0, right: 0 }));
  let all = 0;
  for (let i = 0; i < images; i++) {
    const bin = bins[binOf(confidence[i] ?? NaN, CONFIDENCE_EDGES)];
    if (!bin) continue;
    all++;
    bin.count++;
    bin.mean += confidence[i] ?? 0;
    bin.right += answer[i] === target[i] ? 1 : 0;
  }
  let ece = 0;
  for (const bin of bins) {
    if (!bin.count) continue;
    ece += Math.abs(bin.mean - bin.right) / all;
    bin.mean /= bin.count;
    bin.right /= bin.count;
  }
  return { bins, ece };
}

/** @param {Judged} of @returns {number[]} The images in each bin of the margins. */
function marginCounts({ margin }) {
  const counts = MARGIN_EDGES.slice(1).map(() => 0);
  for (const value of margin) {
    const bin = binOf(value, MARGIN_EDGES);
    if (bin >= 0) counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}
