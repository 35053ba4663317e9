// What a head sees of an image, computed from its kernels: the same as the engines' forward pass, in double precision.

/** @param {number} index A point whose kernels are in the file. @returns {Promise<Heads>} */
async function headsOf(index) {
  const [kernel, bias, weights, bias_flat] = await Promise.all(["kernel", "bias", "weights", "bias_flat"].map((name) => block(`${name}-${index}`)));
  return /** @type {Heads} */ ({ kernel, bias, weights, bias_flat });
}

/**
 * One head's way from an image to its y-hat: zero-padded cross-correlation and bias, ReLU and 2 x 2 maximum, weights, sigmoid.
 * @param {Heads} heads
 * @param {number} index The head's.
 * @param {Matrix} image
 * @param {number} scale A stored pixel is divided by it.
 * @returns {Seen}
 */
function see(heads, index, image, scale) {
  const [, filters = 0, size = 0] = heads.kernel.shape;
  // Pixels reach the heads in the numbers that these count in.
  const precise = heads.kernel.data instanceof Float64Array;
  const pixels = Float64Array.from(image.data, (value) => (precise ? value / scale : Math.fround(value / scale)));
  const maps = matricesFrom(heads.kernel, index * filters, filters).map((kernel, f) => correlate(pixels, image, kernel.data, size, heads.bias.data[index * filters + f] ?? 0));
  const pools = maps.map(pool);
  const weights = matricesFrom(heads.weights, index * filters, filters);
  const products = pools.map(({ pooled }, f) => ({ ...pooled, data: Float64Array.from(pooled.data, (value, i) => value * (weights[f]?.data[i] ?? NaN)) }));
  const logit = products.reduce((sum, { data }) => data.reduce((part, value) => part + value, sum), heads.bias_flat.data[index] ?? NaN);
  return { maps, pooled: pools.map((one) => one.pooled), winners: pools.map((one) => one.winners), products, logit, y_hat: 1 / (1 + Math.exp(-logit)) };
}

/**
 * @param {Float64Array} pixels
 * @param {Matrix} image Its size.
 * @param {Numbers | Float64Array} kernel size x size; NaN around a smaller one.
 * @param {number} size
 * @param {number} bias
 * @returns {Matrix}
 */
function correlate(pixels, { height, width }, kernel, size, bias) {
  const data = new Float64Array(height * width).fill(bias);
  const half = (size - 1) / 2;
  for (let u = 0; u < size; u++) {
    for (let v = 0; v < size; v++) {
      const tap = kernel[u * size + v] ?? NaN;
      if (Number.isNaN(tap)) continue;
      const [first, last] = [Math.max(0, half - v), Math.min(width, width + half - v)];
      for (let y = Math.max(0, half - u); y < Math.min(height, height + half - u); y++) {
        const from = (y + u - half) * width + v - half;
        for (let x = first; x < last; x++) data[y * width + x] = (data[y * width + x] ?? 0) + tap * (pixels[from + x] ?? 0);
      }
    }
  }
  return { data, height, width };
}

/** @param {Matrix} map The ReLU and the maximum of each 2 x 2 window; the last row or column of an odd size is lost. winners: their places in the map. */
function pool({ data, height, width }) {
  const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)];
  const pooled = { data: new Float64Array(rows * columns), height: rows, width: columns };
  const winners = new Int32Array(rows * columns);
  for (let i = 0; i < rows * columns; i++) {
    const corner = 2 * Math.floor(i / columns) * width + 2 * (i % columns);
    let best = corner;
    for (const place of [corner + 1, corner + width, corner + width + 1]) if ((data[place] ?? NaN) > (data[best] ?? NaN)) best = place;
    pooled.data[i] = Math.max(data[best] ?? NaN, 0);
    winners[i] = best;
  }
  return { pooled, winners };
}
