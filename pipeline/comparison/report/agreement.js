// How far all points agree, pair by pair; a cell chooses both.

/** Beyond this no number fits a cell. */
const MOST_PAIRS_WRITTEN = 32;

registerView(agreementView());

/** @returns {View} */
function agreementView() {
  const place = element("div", { class: "scroll" });
  const legend = element("div", { class: "legend" });
  // One image is answered alike by almost all: there the distances tell more.
  let name = head.images.count === 1 ? "distance" : "agreement";
  const newest = latest();

  /** @param {HTMLElement} root */
  function make(root) {
    const look = choice("Of each pair", [["agreement", "share of same answers"], ["distance", "mean distance of y-hat vectors"]], name, (value) => { name = value; draw(); });
    root.append(element("div", { class: "tools" }, look.box, legend), place, element("p", { class: "note" }, "A cell makes its row A and its column B."));
  }

  async function draw() {
    if (!(await hasBlock(name))) {
      place.replaceChildren(element("p", { class: "soft" }, "The file holds no agreement of its points: there are too many, or their y-hat vectors are not of the same images."));
      return undefined;
    }
    return newest(block(name), ({ data }) => {
      const scale = pairScale(data, name === "agreement");
      place.replaceChildren(pairsTable(data, scale, name));
      legend.replaceChildren(element("span", null, scale.low), element("span", { class: "bar", style: { "background-image": gradient(viridis) }, "aria-hidden": true }), element("span", null, scale.high));
      mark(state);
    });
  }

  /** @param {State} chosen */
  function mark(chosen) {
    for (const cell of place.querySelectorAll(".is-pair")) {
      cell.classList.remove("is-pair");
      cell.setAttribute("aria-selected", "false");
    }
    const cell = place.querySelector(`[data-pair="${chosen.a},${chosen.b}"]`);
    cell?.classList.add("is-pair");
    cell?.setAttribute("aria-selected", "true");
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll("[data-of]"))) {
      row.classList.toggle("is-a", Number(row.dataset["of"]) === chosen.a);
      row.classList.toggle("is-b", Number(row.dataset["of"]) === chosen.b);
    }
  }

  /** @param {State} chosen @param {State | null} before */
  function update(chosen, before) {
    if (!before) return draw();
    mark(chosen);
    return undefined;
  }

  return { id: "agreement", title: "Agreement", make, update };
}

/**
 * How far apart two points are becomes a colour on a logarithmic scale; the nearer, the lighter.
 * @param {Numbers} data
 * @param {boolean} share
 */
function pairScale(data, share) {
  const size = head.points.length;
  const apart = (/** @type {number} */ value) => (share ? 1 - value : value);
  const values = [...data].filter((value, i) => i % (size + 1) !== 0 && !Number.isNaN(value)).sort((one, other) => apart(other) - apart(one));
  const least = values.map(apart).findLast((value) => value > 0) ?? 1;
  const place = (/** @type {number} */ value) => Math.log(Math.max(apart(value), least / 2));
  const [far, near] = [place(values[0] ?? 0), place(values.at(-1) ?? 0)];
  return {
    colour: (/** @type {number} */ value) => viridis(far > near ? (far - place(value)) / (far - near) : 1),
    low: formatNumber(values[0]),
    high: formatNumber(values.at(-1)),
  };
}

/** @param {Numbers} data @param {ReturnType<typeof pairScale>} scale @param {string} name */
function pairsTable(data, scale, name) {
  const size = head.points.length;
  const written = size <= MOST_PAIRS_WRITTEN;
  const text = (/** @type {number} */ value) => (name === "agreement" ? (100 * value).toFixed(0) : value.toFixed(2)).replace(/^0\./, ".");
  const lines = head.points.map((one, i) => element("tr", { role: "row" }, element("th", { role: "rowheader", scope: "row", "data-of": i, title: nameOf(i) }, element("span", { class: "point-name" }, one.values.map(formatValue).join(" · ")), ` ${i + 1}`), head.points.map((_, j) => {
    const value = data[i * size + j] ?? NaN;
    const said = `${nameOf(i)} and ${nameOf(j)}: ${formatNumber(value)}`;
    if (i === j) return element("td", { role: "gridcell", class: "self" });
    return element("td", { role: "gridcell", tabindex: i === 0 && j === 1 ? 0 : -1, "data-pair": `${i},${j}`, title: said, "aria-label": said, style: Number.isNaN(value) ? null : painted(scale.colour(value)) }, written && !Number.isNaN(value) ? text(value) : "");
  })));
  const top = element("tr", { role: "row" }, element("th", { role: "columnheader", scope: "col" }, head.keys.map((key) => head.short[key] ?? key).join(" · ")), head.points.map((_, j) => element("th", { role: "columnheader", scope: "col", "data-of": j, title: nameOf(j) }, j + 1)));
  const table = element("table", { role: "grid", class: `heat matrix pairs${written ? "" : " dense"}`, "aria-label": "Agreement of pairs of points" }, element("thead", { role: "rowgroup" }, top), element("tbody", { role: "rowgroup" }, lines));
  walkable(table);
  return table;
}
