// The sweep as heat maps: one for each value of the third axis, a cell a setting, coloured by how far it is from perfect.

/** More pages than this are asked for. */
const MOST_PAGES = 12;

registerView(gridView());

/** @returns {View} */
function gridView() {
  const pages = gridPages();
  const cells = /** @type {Map<number, HTMLElement>} */ (new Map());
  const legend = element("div", { class: "legend" });
  const note = element("p", { class: "note" });
  let shown = MOST_PAGES;

  /** @param {HTMLElement} root */
  function make(root) {
    const metric = choice("Metric", head.metrics.map((name) => [name, name]), state.metric, (value) => choose({ metric: value }));
    metric.list.id = "metric";
    root.append(element("div", { class: "tools" }, metric.box, legend));
    const place = element("div", { class: "panels" });
    root.append(place, note);
    fillPanels(place);
    // Of a panel too wide for the window, the part where A is.
    const chosen = cells.get(point(state.a).row);
    const box = chosen?.closest(".scroll");
    if (chosen && box) box.scrollLeft = chosen.offsetLeft - box.clientWidth / 2;
  }

  /** @param {HTMLElement} place */
  function fillPanels(place) {
    cells.clear();
    place.replaceChildren(...pages.slice(0, shown).map((page) => gridPanel(page, cells)));
    if (pages.length > shown) {
      const more = element("button", { onclick: () => { shown += MOST_PAGES; fillPanels(place); update(state); } }, `Show more (${pages.length - shown} left)`);
      place.append(more);
    }
  }

  /** @param {State} chosen */
  function update(chosen) {
    const list = document.getElementById("metric");
    if (list instanceof HTMLSelectElement) list.value = chosen.metric;
    const scale = errorScale(chosen.metric);
    for (const [row, cell] of cells) paintCell(cell, row, chosen, scale);
    legend.replaceChildren(...scale.legend());
    const spread = head.repeats.length ? ` Means ± standard deviations over ${head.repeats.map((key) => head.short[key] ?? key).join(" and ")}.` : "";
    note.textContent = `★ is the best point, by ${head.metric}. A click chooses A, Shift and a click B; arrow keys move, the keys a and b choose.${spread}`;
  }

  return { id: "grid", title: "Grid", make, update };
}

/** @returns {{title: string, down: Value[], across: Value[], at: Map<string, number>}[]} */
function gridPages() {
  const { down, across, pages } = head.axes;
  const keys = head.keys.filter((key) => !head.repeats.includes(key));
  const value = (/** @type {SummaryRow} */ row, /** @type {string} */ key) => row.values[keys.indexOf(key)] ?? null;
  const downs = ordered(head.rows.map((row) => value(row, down)));
  const acrosses = across ? ordered(head.rows.map((row) => value(row, across))) : [null];
  const orders = pages.map((key) => ordered(head.rows.map((row) => value(row, key))));
  const byPage = /** @type {Map<string, number[]>} */ (new Map());
  head.rows.forEach((row, index) => {
    const place = JSON.stringify(pages.map((key, i) => orders[i]?.indexOf(value(row, key))));
    byPage.set(place, [...(byPage.get(place) ?? []), index]);
  });
  const places = [...byPage.keys()].map((text) => /** @type {number[]} */ (JSON.parse(text)));
  places.sort((one, other) => one.reduce((sign, number, i) => sign || number - (other[i] ?? 0), 0));
  return places.map((place) => {
    const title = place.map((number, i) => `${head.short[pages[i] ?? ""] ?? pages[i]} ${formatValue(orders[i]?.[number])}`).join(", ");
    const rows = (byPage.get(JSON.stringify(place)) ?? []).map((index) => ({ index, row: /** @type {SummaryRow} */ (head.rows[index]) }));
    const at = new Map(rows.map(({ index, row }) => [gridKey(value(row, down), across ? value(row, across) : null), index]));
    // Of values that no point of this page has there is neither row nor column.
    const has = (/** @type {string} */ key, /** @type {Value[]} */ values) => values.filter((one) => rows.some(({ row }) => value(row, key) === one));
    return { title, down: has(down, downs), across: across ? has(across, acrosses) : acrosses, at };
  });
}

/** @param {Value} down @param {Value} across */
function gridKey(down, across) {
  return JSON.stringify([down, across]);
}

/**
 * @param {ReturnType<typeof gridPages>[number]} page
 * @param {Map<number, HTMLElement>} cells
 */
function gridPanel(page, cells) {
  const { down, across } = head.axes;
  const name = (/** @type {string} */ key) => head.short[key] ?? key;
  const table = element("table", { role: "grid", class: "heat", "aria-label": page.title || head.title });
  const top = element("tr", { role: "row" }, element("th", { role: "columnheader", scope: "col" }, name(down)), page.across.map((value) => element("th", { role: "columnheader", scope: "col", title: across ? `${across}=${value}` : null }, across ? formatValue(value) : head.title)));
  table.append(element("thead", { role: "rowgroup" }, top), element("tbody", { role: "rowgroup" }, page.down.map((value) => {
    const cellsOf = page.across.map((other) => {
      const row = page.at.get(gridKey(value, other));
      if (row === undefined) return element("td", { role: "gridcell" });
      const cell = element("td", { role: "gridcell", tabindex: table.querySelector("[tabindex='0']") || cells.size ? -1 : 0, "data-row": row });
      cells.set(row, cell);
      return cell;
    });
    return element("tr", { role: "row" }, element("th", { role: "rowheader", scope: "row" }, formatValue(value)), cellsOf);
  })));
  walkable(table);
  const caption = element("figcaption", null, element("h3", null, page.title || "All points"), across ? element("span", { class: "axis" }, `${name(across)} →`) : null);
  return element("figure", { class: "panel" }, caption, element("div", { class: "scroll" }, table));
}

/**
 * @param {HTMLElement} cell
 * @param {number} index
 * @param {State} chosen
 * @param {ReturnType<typeof errorScale>} scale
 */
function paintCell(cell, index, chosen, scale) {
  const row = /** @type {SummaryRow} */ (head.rows[index]);
  const value = row.means[chosen.metric];
  const deviation = row.points.length > 1 ? row.deviations[chosen.metric] : null;
  const best = row.points.includes(head.best);
  const marks = [...(row.points.includes(chosen.a) ? ["A"] : []), ...(row.points.includes(chosen.b) ? ["B"] : [])];
  const spread = deviation === null || deviation === undefined ? "" : `±${formatNumber(deviation)}`;
  const said = [best ? "best" : "", ...marks].filter(Boolean).join(", ");
  const faint = !row.points.some((one) => filtered(chosen.filter).points.has(one));
  cell.className = ["value", ...(faint ? ["faded"] : []), ...marks.map((mark) => `is-${mark.toLowerCase()}`)].join(" ");
  for (const [property, to] of Object.entries(value === null || value === undefined ? { "background-color": "", color: "" } : painted(scale.colour(value)))) cell.style.setProperty(property, to);
  const shown = `${formatMetric(chosen.metric, value)}${spread ? ` ${spread}` : ""}`;
  cell.setAttribute("aria-selected", String(marks.length > 0));
  cell.replaceChildren(
    element("span", { class: "number" }, formatMetric(chosen.metric, value), best ? element("span", { class: "star", "aria-hidden": true }, "★") : null),
    spread ? element("span", { class: "spread" }, spread) : "",
    ...marks.map((mark) => element("span", { class: `mark mark-${mark.toLowerCase()}`, "aria-hidden": true }, mark)),
    said ? element("span", { class: "unseen" }, ` (${said})`) : "",
  );
  cell.title = `${nameOf(pointOfRow(row, chosen.a))}: ${chosen.metric} ${shown}`;
}

/**
 * How a metric becomes a colour: by its distance from perfect, on a logarithmic scale, so that 0.98 and 0.99 differ; counts as
 * they are. The best are light.
 * @param {string} metric
 */
function errorScale(metric) {
  const error = (/** @type {number} */ value) => (lessIsBetter(metric) ? value : 1 - value);
  const values = head.rows.map((row) => row.means[metric]).filter((value) => typeof value === "number");
  const errors = values.map(error);
  const least = Math.min(...errors.filter((one) => one > 0), Infinity);
  const linear = isCount(metric) || !Number.isFinite(least);
  // A perfect point has no logarithm: it stands a little beyond the least error.
  const place = (/** @type {number} */ value) => (linear ? error(value) : Math.log(Math.max(error(value), least / 2)));
  const places = values.map(place);
  const [low, high] = [Math.min(...places), Math.max(...places)];
  const t = (/** @type {number} */ value) => (high > low ? (high - place(value)) / (high - low) : 1);
  return {
    colour: (/** @type {number} */ value) => viridis(t(value)),
    legend() {
      if (!values.length) return [];
      const sorted = [...values].sort((one, other) => place(other) - place(one));
      const bar = element("span", { class: "bar", style: { "background-image": gradient(viridis) }, "aria-hidden": true });
      const how = linear ? "colour by value" : lessIsBetter(metric) ? "colour on a logarithmic scale" : `colour by 1 − ${metric.replace(/^.*_/, "")}, logarithmic`;
      return [element("span", null, formatMetric(metric, sorted[0])), bar, element("span", null, formatMetric(metric, sorted.at(-1))), element("span", { class: "how" }, how)];
    },
  };
}
