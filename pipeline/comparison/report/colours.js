// Colours for numbers: safe for the colour-blind, and letters that can be read on them.

/** @type {readonly Colour[]} matplotlib's viridis. */
const VIRIDIS = [
  [68, 1, 84], [72, 26, 108], [71, 47, 125], [65, 68, 135], [57, 86, 140], [49, 104, 142], [42, 120, 142], [35, 136, 142],
  [31, 152, 139], [34, 168, 132], [53, 183, 121], [84, 197, 104], [122, 209, 81], [165, 219, 54], [210, 226, 27], [253, 231, 37],
];

/** @type {readonly Colour[]} ColorBrewer's RdBu from blue to red, as in the figures. */
const RED_BLUE = [
  [5, 48, 97], [33, 102, 172], [67, 147, 195], [146, 197, 222], [209, 229, 240], [247, 247, 247], [253, 219, 199],
  [244, 165, 130], [214, 96, 77], [178, 24, 43], [103, 0, 31],
];

/** Logits beyond this are as good as certain. */
const MOST_LOGIT = 7;

/**
 * @param {readonly Colour[]} stops
 * @param {number} t between 0 and 1
 * @returns {Colour}
 */
function between(stops, t) {
  const place = Math.min(Math.max(t, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(place), stops.length - 2);
  const [one, other] = [/** @type {Colour} */ (stops[low]), /** @type {Colour} */ (stops[low + 1])];
  const part = (/** @type {0 | 1 | 2} */ i) => Math.round(one[i] + (other[i] - one[i]) * (place - low));
  return [part(0), part(1), part(2)];
}

/** @param {number} t 0 is dark, 1 is light. */
function viridis(t) {
  return between(VIRIDIS, t);
}

/** @param {number} t 0 is blue, 0.5 white, 1 red. */
function redBlue(t) {
  return between(RED_BLUE, t);
}

/** @param {number} y_hat between 0 and 1; the colour follows its logit, so that 0.99 is not 0.999. */
function logitColour(y_hat) {
  const logit = Math.log(y_hat / (1 - y_hat));
  return viridis((Math.min(Math.max(logit, -MOST_LOGIT), MOST_LOGIT) + MOST_LOGIT) / (2 * MOST_LOGIT));
}

/** @param {Colour} colour */
function css(colour) {
  return `rgb(${colour.join(" ")})`;
}

/** @param {Colour} colour Black or white, whichever is read better on it. */
function inkOn(colour) {
  const light = (/** @type {number} */ part) => (part <= 10 ? part / 3294 : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = 0.2126 * light(colour[0]) + 0.7152 * light(colour[1]) + 0.0722 * light(colour[2]);
  return luminance > 0.179 ? "#000" : "#fff";
}

/** @param {Colour} colour As the style of a cell that has text. */
function painted(colour) {
  return { "background-color": css(colour), color: inkOn(colour) };
}

/** @param {(t: number) => Colour} scale As a style's background, from left to right. */
function gradient(scale) {
  return `linear-gradient(to right, ${Array.from({ length: 17 }, (_, i) => css(scale(i / 16))).join(", ")})`;
}
