// Which points a text asks for: words of their names, and ranges like alpha<0.5, by short or dotted names.

/** @type {Map<string, Filtered>} The last one: several views ask for it. */
const filteredBy = new Map();

/**
 * @param {string} text
 * @returns {Filtered}
 */
function filtered(text) {
  const known = filteredBy.get(text);
  if (known) return known;
  const tests = /** @type {((one: PointRow) => boolean)[]} */ ([]);
  let complaint = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const test = condition(word) ?? range(word);
    if (typeof test === "string") complaint = test;
    else tests.push(test);
  }
  const points = new Set([...head.points.keys()].filter((index) => tests.every((test) => test(point(index)))));
  filteredBy.clear();
  filteredBy.set(text, { points, complaint });
  return { points, complaint };
}

/** @param {string} word A word of names; null if it is a range. */
function condition(word) {
  const [name = ""] = word.split("=");
  if (/[<>]|!=/.test(word) || valueNamed(point(0), name) !== undefined) return null;
  // A name may hold a sign of its own; where none does, a column was meant.
  if (word.includes("=") && !head.points.some((one) => one.name.toLowerCase().includes(`${name}=`.toLowerCase()))) return null;
  return (/** @type {PointRow} */ one) => one.name.toLowerCase().includes(word.toLowerCase());
}

/** @param {string} word */
function range(word) {
  const [, name = "", sign = "", wanted = ""] = /^([^<>=!]+)(<=|>=|!=|<|>|=)(.*)$/.exec(word) ?? [];
  if (!sign) return (/** @type {PointRow} */ one) => one.name.toLowerCase().includes(word.toLowerCase());
  if (valueNamed(point(0), name) === undefined) return `no setting or metric is called ${name}`;
  if (wanted === "") return `${word}: a value is missing`;
  return (/** @type {PointRow} */ one) => compares(valueNamed(one, name) ?? null, sign, wanted);
}

/** @param {PointRow} one @param {string} name @returns {Value | undefined} */
function valueNamed(one, name) {
  if (name in one.settings) return one.settings[name];
  if (name in one.metrics) return one.metrics[name];
  const key = Object.keys(one.settings).find((dotted) => dotted.endsWith(`.${name}`));
  return key === undefined ? undefined : one.settings[key];
}

/** @param {Value} value @param {string} sign @param {string} wanted */
function compares(value, sign, wanted) {
  const number = Number(wanted);
  const numbers = typeof value === "number" && !Number.isNaN(number);
  if (sign === "=" || sign === "!=") return (numbers ? value === number : String(value) === wanted) === (sign === "=");
  if (!numbers) return false;
  return sign === "<" ? value < number : sign === "<=" ? value <= number : sign === ">" ? value > number : value >= number;
}
