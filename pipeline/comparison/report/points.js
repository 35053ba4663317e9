// The points as a table: sorted, filtered, each number also less A's; what is seen can be copied as CSV.

/** Rows that are drawn before more are asked for. */
const ROWS_A_TIME = 100;

/**
 * A column. said: as a person reads it; number: what may be subtracted.
 * @typedef {{name: string, full: string, metric: boolean, of: (one: PointRow) => Value}} Column
 */

registerView(pointsView());

/** @returns {View} */
function pointsView() {
  const body = element("tbody");
  const headings = element("tr");
  const table = element("table", { class: "points", "aria-label": "Points" }, element("thead", null, headings), body);
  const complaint = element("p", { class: "complaint", role: "alert" });
  const counted = element("span", { class: "soft" });
  const more = element("button", { onclick: () => { rows += ROWS_A_TIME; draw(); } }, "Show more");
  const filter = element("input", { type: "search", id: "filter", size: 28, placeholder: "alpha<0.5 kernel_size=3", autocomplete: "off", spellcheck: "false", oninput: () => choose({ filter: filter.value }) });
  // The best first.
  let sort = { name: head.metric, down: !lessIsBetter(head.metric) };
  let rows = ROWS_A_TIME;
  let differing = true;
  let numbers = "plain";
  let columns = /** @type {Column[]} */ ([]);
  let order = /** @type {number[]} */ ([]);

  /** @param {HTMLElement} root */
  function make(root) {
    filter.value = state.filter;
    walkable(table);
    const look = choice("Numbers", [["plain", "as they are"], ["less", "less A's"], ["both", "both"]], numbers, (value) => { numbers = value; draw(); });
    const copied = element("button", { onclick: () => copyText(csvOf(columns, order)).then((done) => { copied.textContent = done ? "Copied" : "Not copied"; setTimeout(() => { copied.textContent = "Copy as CSV"; }, 1500); }) }, "Copy as CSV");
    root.append(
      element("div", { class: "tools" }, element("label", { class: "field", for: "filter" }, element("span", null, "Filter"), filter), look.box, tick("only what differs", differing, (on) => { differing = on; draw(); }), copied, counted),
      complaint,
      element("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Table of points" }, table),
      more,
    );
  }

  /** @param {State} chosen @param {State | null} before */
  function update(chosen, before) {
    if (filter.value !== chosen.filter) filter.value = chosen.filter;
    const moved = !before || before.filter !== chosen.filter || (before.a !== chosen.a && numbers !== "plain");
    if (moved) draw();
    else markRows(body, chosen);
  }

  function draw() {
    const { points, complaint: said } = filtered(state.filter);
    complaint.textContent = said;
    order = [...points];
    columns = columnsOf(differing ? order : null);
    const by = columns.find((column) => column.name === sort.name);
    if (by) order.sort((one, other) => compareValues(by.of(point(one)), by.of(point(other))) * (sort.down ? -1 : 1));
    headings.replaceChildren(element("th", { scope: "col" }, element("span", { class: "unseen" }, "choose")), ...columns.map(heading));
    body.replaceChildren(...order.slice(0, rows).map((index) => pointLine(index, columns, numbers)));
    body.querySelector("button")?.setAttribute("tabindex", "0");
    more.hidden = order.length <= rows;
    counted.textContent = order.length === head.points.length ? count(order.length, "point") : `${order.length.toLocaleString("en")} of ${count(head.points.length, "point")}`;
    markRows(body, state);
  }

  /** @param {Column} column */
  function heading(column) {
    const sorted = sort.name === column.name;
    const turn = () => {
      // Largest first for what one wants much of, else smallest first.
      sort = { name: column.name, down: sorted ? !sort.down : column.metric && !lessIsBetter(column.name) };
      draw();
    };
    const arrow = element("span", { class: "arrow", "aria-hidden": true }, sorted ? (sort.down ? "▼" : "▲") : "");
    return element("th", { scope: "col", "aria-sort": sorted ? (sort.down ? "descending" : "ascending") : null }, element("button", { class: "sort", title: column.full, onclick: turn }, brokenName(column.name), arrow));
  }

  return { id: "points", title: "Points", make, update };
}

/** @param {string} name With places where a line may break. */
function brokenName(name) {
  return name.split("_").flatMap((part, i) => (i ? ["_", element("wbr"), part] : [part]));
}

/**
 * The settings, the swept ones first, then the metrics.
 * @param {number[] | null} among Only those that differ among these points.
 * @returns {Column[]}
 */
function columnsOf(among) {
  const swept = head.keys.filter((key) => key in point(0).settings);
  const others = among ? [] : Object.keys(point(0).settings).filter((key) => !swept.includes(key));
  const all = [
    ...[...swept, ...others].map((key) => ({ name: head.short[key] ?? key, full: key, metric: false, of: (/** @type {PointRow} */ one) => one.settings[key] ?? null })),
    ...head.metrics.map((name) => ({ name, full: name, metric: true, of: (/** @type {PointRow} */ one) => one.metrics[name] ?? null })),
  ];
  if (!among || among.length < 2) return all;
  return all.filter(({ of }) => among.some((index) => of(point(index)) !== of(point(among[0] ?? 0))));
}

/** @param {Value} one @param {Value} other What is missing is the least. */
function compareValues(one, other) {
  if (one === other) return 0;
  if (one === null || other === null) return one === null ? -1 : 1;
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other));
}

/** @param {number} index @param {Column[]} columns @param {string} numbers */
function pointLine(index, columns, numbers) {
  const one = point(index);
  const base = point(state.a);
  const pick = (/** @type {"a" | "b"} */ as) => element("button", { class: `mini mini-${as}`, tabindex: -1, "data-point": index, "data-as": as, "aria-label": `${as.toUpperCase()}: ${nameOf(index)}` }, as.toUpperCase());
  const star = index === head.best ? element("span", { class: "star", title: "the best point" }, "★") : null;
  const cells = columns.map((column) => {
    const value = column.of(one);
    const text = column.metric ? formatMetric(column.name, /** @type {number | null} */ (value)) : formatValue(value);
    const less = difference(value, column.of(base));
    const shown = less === null || numbers === "plain" ? [text]
      : numbers === "less" ? [formatDifference(less)]
      : [text, " ", element("span", { class: "less" }, formatDifference(less))];
    return element("td", { title: value !== null && String(value) !== text ? String(value) : null }, shown);
  });
  return element("tr", { "data-line": index }, element("th", { scope: "row" }, element("span", { class: "picks" }, pick("a"), pick("b"), star)), cells);
}

/** @param {Value} value @param {Value} base */
function difference(value, base) {
  return typeof value === "number" && typeof base === "number" ? value - base : null;
}

/** @param {HTMLElement} body @param {State} chosen */
function markRows(body, chosen) {
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (body.querySelectorAll("tr"))) {
    const index = Number(row.dataset["line"]);
    row.classList.toggle("is-a", index === chosen.a);
    row.classList.toggle("is-b", index === chosen.b);
    row.querySelector(".mini-a")?.setAttribute("aria-pressed", String(index === chosen.a));
    row.querySelector(".mini-b")?.setAttribute("aria-pressed", String(index === chosen.b));
  }
}

/** @param {Column[]} columns @param {number[]} order All digits, dotted names. */
function csvOf(columns, order) {
  const quoted = (/** @type {Value} */ value) => {
    const text = value === null ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns.map((column) => column.full), ...order.map((index) => columns.map((column) => column.of(point(index))))];
  return lines.map((line) => line.map(quoted).join(",")).join("\n") + "\n";
}

/** @param {string} text @returns {Promise<boolean>} */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers keep the clipboard from files and plain addresses; this older way they let pass.
    const field = element("textarea", { "aria-hidden": true });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
