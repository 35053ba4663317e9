// Pictures of numbers, a pixel a number: images, kernels, maps. What they show is said beside them, or in their label.

/** What is black and what is white: pixels are from 0, or from -scale, to scale, unless the data holds others. @type {Promise<[number, number]> | undefined} */
let pixelRange;

/** @param {number} row Of the block "image". */
function hasPicture(row) {
  return row < head.images.pictures;
}

/** @param {number} row @returns {Promise<Matrix>} An image as it is stored. */
async function pictureOf(row) {
  const { data, shape } = await block("pictures");
  const [, height = 0, width = 0] = shape;
  const size = height * width;
  return { data: data.subarray(row * size, (row + 1) * size), height, width };
}

/** @param {number} row @param {number} side Of the longer side, in pixels of the page. */
async function pictureCanvas(row, side) {
  pixelRange ??= block("pictures").then(({ data }) => {
    const scale = head.images.scale ?? 1;
    let [least, most] = [0, 0];
    for (const value of data) {
      if (value < least) least = value;
      if (value > most) most = value;
    }
    return [least < 0 ? Math.min(least, -scale) : 0, Math.max(most, scale)];
  });
  const [low, high] = await pixelRange;
  const grey = (/** @type {number} */ value) => {
    const light = Math.round((255 * (value - low)) / (high - low));
    return /** @type {Colour} */ ([light, light, light]);
  };
  return matrixCanvas([await pictureOf(row)], grey, side, "");
}

/**
 * Matrices of one size side by side, as near to a square as they go, a pixel a number.
 * @param {Matrix[]} matrices
 * @param {(value: number) => Colour} colour
 * @param {number} side Of the longer side, in pixels of the page, at most; a number is a whole number of them.
 * @param {string} label Empty where the same is said beside it.
 */
function matrixCanvas(matrices, colour, side, label) {
  const { height, width } = /** @type {Matrix} */ (matrices[0]);
  const columns = Math.ceil(Math.sqrt(matrices.length));
  const rows = Math.ceil(matrices.length / columns);
  const [wide, tall] = [columns * (width + 1) - 1, rows * (height + 1) - 1];
  const canvas = element("canvas", { width: wide, height: tall, class: "numbers", ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }) });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const pixels = context.createImageData(wide, tall);
  matrices.forEach(({ data }, number) => {
    const [top, left] = [Math.floor(number / columns) * (height + 1), (number % columns) * (width + 1)];
    for (let place = 0; place < height * width; place++) {
      const value = data[place] ?? NaN;
      // Where a kernel is smaller than the largest there is nothing.
      if (Number.isNaN(value)) continue;
      const at = 4 * ((top + Math.floor(place / width)) * wide + left + (place % width));
      pixels.data.set([...colour(value), 255], at);
    }
  });
  context.putImageData(pixels, 0, 0);
  const zoom = Math.max(1, Math.floor(side / Math.max(wide, tall)));
  canvas.style.setProperty("width", `${wide * zoom}px`);
  return canvas;
}

/** @param {Block} values (..., height, width) @param {number} first @param {number} count @returns {Matrix[]} */
function matricesFrom(values, first, count) {
  const [height = 1, width = 1] = values.shape.slice(-2);
  return Array.from({ length: count }, (_, i) => ({ data: values.data.subarray((first + i) * height * width, (first + i + 1) * height * width), height, width }));
}

/** @param {Matrix[][]} groups The largest absolute number; 1 where all are 0. */
function largest(...groups) {
  let limit = 0;
  for (const { data } of groups.flat()) for (const value of data) if (Math.abs(value) > limit) limit = Math.abs(value);
  return limit || 1;
}

/** @param {number} limit Blue for -limit, white for 0, red for limit. */
function signedColour(limit) {
  return (/** @type {number} */ value) => redBlue(0.5 + value / (2 * limit));
}

/** @param {Matrix} one @param {Matrix} other Of one size, or of sizes that differ by an even number: the smaller lies in the middle. */
function lessMatrix(one, other) {
  const [height, width] = [Math.max(one.height, other.height), Math.max(one.width, other.width)];
  const [first, second] = [centred(one, height, width), centred(other, height, width)];
  return { data: first.map((value, i) => {
    const less = second[i] ?? NaN;
    return Number.isNaN(value) && Number.isNaN(less) ? NaN : (value || 0) - (less || 0);
  }), height, width };
}

/** @param {Matrix} matrix @param {number} height @param {number} width */
function centred(matrix, height, width) {
  const [top, left] = [(height - matrix.height) / 2, (width - matrix.width) / 2];
  return Float64Array.from({ length: height * width }, (_, i) => {
    const [y, x] = [Math.floor(i / width) - top, (i % width) - left];
    return y >= 0 && x >= 0 && y < matrix.height && x < matrix.width ? matrix.data[y * matrix.width + x] ?? NaN : NaN;
  });
}
