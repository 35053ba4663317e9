// Blocks of numbers: base64 of gzip in the page itself, unpacked when they are first asked for.

/** @type {Map<string, Promise<Block>>} */
const blocks = new Map();

/** The blocks stand after the script, so that the page is seen before they are read. @type {Promise<void>} */
const parsed = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => resolve(), { once: true });
  else resolve();
});

/** @param {string} name @returns {Promise<boolean>} Whether the file holds a block. */
async function hasBlock(name) {
  await parsed;
  return document.getElementById(`block-${name}`) !== null;
}

/** @param {string} name @returns {Promise<Block>} Rejected when the file holds none of this name. */
function block(name) {
  const known = blocks.get(name);
  if (known) return known;
  const work = parsed.then(() => unpack(name));
  blocks.set(name, work);
  return work;
}

/** @param {string} name @returns {Promise<Block>} */
async function unpack(name) {
  const place = document.getElementById(`block-${name}`);
  if (!place) throw new Error(`the file holds no block ${name}`);
  const { dtype = "", shape = "", packing } = place.dataset;
  const stream = new Blob([fromBase64(place.textContent ?? "")]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const Kind = { float32: Float32Array, float64: Float64Array, int32: Int32Array, uint8: Uint8Array, uint16: Uint16Array }[dtype];
  if (!Kind) throw new Error(`block ${name} is of ${dtype}`);
  const plain = packing === "shuffle" ? unshuffled(bytes, Kind.BYTES_PER_ELEMENT) : bytes;
  return { shape: shape.split(",").filter(Boolean).map(Number), data: new Kind(plain.buffer) };
}

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
function fromBase64(text) {
  const native = /** @type {{fromBase64?: (text: string) => Uint8Array<ArrayBuffer>}} */ (/** @type {unknown} */ (Uint8Array));
  return native.fromBase64 ? native.fromBase64(text) : Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** @param {Uint8Array} bytes All first bytes of the numbers, then all second ones, and so on. @param {number} width */
function unshuffled(bytes, width) {
  const count = bytes.length / width;
  const plain = new Uint8Array(bytes.length);
  for (let part = 0; part < width; part++) {
    for (let i = 0, from = part * count; i < count; i++) plain[i * width + part] = bytes[from + i] ?? 0;
  }
  return plain;
}
