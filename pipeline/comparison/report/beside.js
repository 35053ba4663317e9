// A beside B: what differs in settings and metrics, what they answer, how sure they are.

/** More heads than this are shown when asked for. */
const MOST_OPEN = 12;

registerView(besideView());

/** @returns {View} */
function besideView() {
  const tables = element("div", { class: "panels" });
  const pictures = element("div", { class: "stack" });
  const newest = latest();

  /** @param {HTMLElement} root */
  function make(root) {
    root.append(tables, pictures);
  }

  /** @param {State} chosen @param {State | null} before */
  function update(chosen, before) {
    markSet(pictures, chosen.set);
    if (before && before.a === chosen.a && before.b === chosen.b) return undefined;
    tables.replaceChildren(settingsTable(chosen), metricsTable(chosen), ...headsTable(chosen));
    return newest(Promise.all([judged(chosen.a), judged(chosen.b)]), ([a, b]) => {
      if (!a || !b) pictures.replaceChildren(element("p", { class: "soft" }, "The y-hat vectors of these points are not in this file; ", element("code", null, "y_hat.csv"), " of each record holds them."));
      else if (a.images === 1) pictures.replaceChildren(oneImage(a, b));
      else pictures.replaceChildren(...matricesOf(a, b), reliabilityOf(a, b), marginsOf(a, b));
      markSet(pictures, chosen.set);
    });
  }

  return { id: "beside", title: "A beside B", make, update };
}

/**
 * A table of A and B: rows of a name and cells.
 * @param {string} title
 * @param {string[]} columns
 * @param {(Node | null)[]} lines
 */
function pairTable(title, columns, lines) {
  const marked = columns.map((name) => element("th", { scope: "col" }, name === "A" || name === "B" ? element("span", { class: `mark mark-${name.toLowerCase()}` }, name) : name));
  return element("div", { class: "panel" }, title ? element("h3", null, title) : null,
    scrollBox(title || "The heads", element("table", { class: "pair", "aria-label": title || null }, element("thead", null, element("tr", null, element("td"), marked)), element("tbody", null, lines))));
}

/** @param {State} chosen */
function settingsTable(chosen) {
  const [a, b] = [point(chosen.a).settings, point(chosen.b).settings];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const differing = keys.filter((key) => a[key] !== b[key]);
  const same = keys.filter((key) => a[key] === b[key]);
  const lines = differing.map((key) => element("tr", null, element("th", { scope: "row" }, key), element("td", null, formatValue(a[key])), element("td", null, formatValue(b[key]))));
  const alike = element("details", null, element("summary", null, `${same.length} settings are the same`), element("dl", { class: "settings" }, same.flatMap((key) => [element("dt", null, key), element("dd", null, formatValue(a[key]))])));
  const records = element("dl", { class: "settings" }, [element("dt", null, "A's record"), element("dd", null, point(chosen.a).record), element("dt", null, "B's record"), element("dd", null, point(chosen.b).record)]);
  const panel = pairTable("Settings that differ", ["A", "B"], lines.length ? lines : [element("tr", null, element("td", { colspan: 3, class: "soft" }, "A and B are one point."))]);
  panel.append(alike, element("details", null, element("summary", null, "Where their files are"), records));
  return panel;
}

/** @param {State} chosen */
function metricsTable(chosen) {
  const [a, b] = [point(chosen.a).metrics, point(chosen.b).metrics];
  const lines = head.metrics.map((name) => {
    const less = difference(b[name] ?? null, a[name] ?? null);
    const better = less === null || less === 0 ? "" : (less < 0) === lessIsBetter(name) ? "b" : "a";
    return element("tr", null, element("th", { scope: "row" }, name),
      element("td", { class: better === "a" ? "better" : null }, formatMetric(name, a[name])), element("td", { class: better === "b" ? "better" : null }, formatMetric(name, b[name])), element("td", null, formatDifference(less)));
  });
  return pairTable("Metrics, the better one bold", ["A", "B", "B − A"], lines);
}

/** @param {State} chosen Nothing where the records hold no metrics a head. */
function headsTable(chosen) {
  const [a, b] = [point(chosen.a).heads, point(chosen.b).heads];
  const names = Object.keys(a[0] ?? {}).filter((name) => name !== "class" && typeof a[0]?.[name] === "number");
  if (!names.length || a.length !== b.length) return [];
  const list = choice("Metrics a head", names.map((name) => [name, name]), names[0] ?? "", (name) => place.replaceChildren(table(name)));
  const place = element("div");
  const state = (/** @type {HeadRow | undefined} */ row) => (row?.dead ? "dead" : row?.saturated ? "saturated" : "");
  const table = (/** @type {string} */ name) => pairTable("", ["A", "B", "B − A"], a.map((row, j) => {
    const [one, other] = [row[name] ?? null, b[j]?.[name] ?? null];
    const cell = (/** @type {Value} */ value, /** @type {string} */ note) => element("td", null, note ? element("span", { class: "warning" }, note) : null, ` ${formatNumber(/** @type {number | null} */ (value))}`);
    return element("tr", null, element("th", { scope: "row" }, row.class), cell(one, state(row)), cell(other, state(b[j])), element("td", null, formatDifference(difference(other, one))));
  }));
  place.append(table(names[0] ?? ""));
  return [element("details", { class: "panel", open: a.length <= MOST_OPEN }, element("summary", null, `The ${a.length} heads one by one`), list.box, place)];
}

/** @param {Judged} a @param {Judged} b The notebook's case: target beside y-hat. */
function oneImage(a, b) {
  const lines = head.classes.map((name, j) => {
    const [one, other] = [a.y_hat[j] ?? NaN, b.y_hat[j] ?? NaN];
    return element("tr", null, element("th", { scope: "row" }, name), element("td", null, a.target[0] === j ? "1" : "0"), ...[one, other].map((value) => element("td", { style: painted(logitColour(value)) }, formatNumber(value))), element("td", null, formatDifference(other - one)));
  });
  return pairTable("Target beside y-hat of the one image", ["target", "A", "B", "B − A"], lines);
}

/** Shows which cell or bin the chosen images come from. @param {HTMLElement} root @param {ChosenSet} set */
function markSet(root, set) {
  const wanted = JSON.stringify(set);
  for (const one of root.querySelectorAll("[data-set]")) {
    const is = /** @type {HTMLElement | SVGElement} */ (one).dataset["set"] === wanted;
    one.classList.toggle("is-set", is);
    if (one.getAttribute("role") === "button") one.setAttribute("aria-pressed", String(is));
    else one.setAttribute("aria-selected", String(is));
  }
}
