// The heads of A and B: kernels and weights beside their differences; what each of them sees of the chosen image.

/** Heads that are drawn before more are asked for. */
const MOST_HEADS = 12;
/** Sides of pictures in pixels: in a line of all heads, and of the one head that is looked at closely. */
const [SMALL_SIDE, LARGE_SIDE] = [92, 200];

registerView(headsView());

/** @returns {View} */
function headsView() {
  const learnt = element("div", { class: "scroll" });
  const seen = element("div");
  const newest = latest();
  const newestSeen = latest();
  let all = false;
  let common = false;

  /** @param {HTMLElement} root */
  function make(root) {
    root.append(
      element("h3", null, "Kernels and weights"),
      element("div", { class: "tools" }, tick("One scale for all heads", common, (ticked) => { common = ticked; draw(); }), colourLegend(["takes light away", "lets it through"])),
      learnt, element("h3", { id: "seen-title" }, "What they see"), seen);
  }

  /** @param {State} chosen @param {State | null} before */
  function update(chosen, before) {
    const same = before && before.a === chosen.a && before.b === chosen.b;
    return Promise.all([same ? undefined : draw(), same && before.image === chosen.image && before.head === chosen.head ? undefined : look()]).then(() => {
      for (const line of learnt.querySelectorAll("[data-head]")) line.classList.toggle("is-head", Number(/** @type {HTMLElement} */ (line).dataset["head"]) === state.head);
    });
  }

  function draw() {
    const { a, b } = state;
    if (!point(a).kernels || !point(b).kernels) {
      learnt.replaceChildren(element("p", { class: "soft" }, "The kernels of these points are not in this file; ", element("code", null, "checkpoint.npz"), " of each record holds them."));
      return undefined;
    }
    return newest(Promise.all([headsOf(a), headsOf(b)]), ([one, other]) => {
      const count = all ? head.classes.length : Math.min(head.classes.length, MOST_HEADS);
      learnt.replaceChildren(learntTable(one, other, count, common));
      if (count < head.classes.length) learnt.append(element("button", { onclick: () => { all = true; draw(); look(); } }, `Show all ${head.classes.length} heads`));
    });
  }

  function look() {
    const { a, b, image } = state;
    if (!head.images.pictures || !point(a).kernels || !point(b).kernels || !point(a).vectors || !point(b).vectors) {
      seen.replaceChildren(element("p", { class: "soft" }, "The file does not hold what is needed for this: an image, and the kernels of A and B."));
      return undefined;
    }
    if (image !== null && !hasPicture(image)) {
      seen.replaceChildren(element("p", { class: "soft" }, "The file holds no picture of this image."));
      return undefined;
    }
    return newestSeen(imageToLookAt(state).then((row) => lookAt(a, b, row)), (looked) => seen.replaceChildren(seenOf(looked, all ? head.classes.length : MOST_HEADS)));
  }

  return { id: "heads", title: "Heads", make, update };
}

/** @param {[string, string]} ends */
function colourLegend(ends) {
  return element("div", { class: "legend" }, element("span", null, ends[0]), element("span", { class: "bar", style: { "background-image": gradient(redBlue) }, "aria-hidden": true }), element("span", null, ends[1]));
}

/** @param {Heads} a @param {Heads} b @param {number} shown @param {boolean} common Whether all heads have one scale. */
function learntTable(a, b, shown, common) {
  const sizes = (/** @type {Heads} */ { kernel }) => [kernel.shape[1] ?? 0, kernel.shape[2] ?? 0];
  const [[filtersA = 0], [filtersB = 0]] = [sizes(a), sizes(b)];
  const matrices = (/** @type {Heads} */ heads, /** @type {"kernel" | "weights"} */ name, /** @type {number} */ j) => matricesFrom(heads[name], j * (heads[name].shape[1] ?? 0), heads[name].shape[1] ?? 0);
  const fits = filtersA === filtersB && a.weights.shape.join() === b.weights.shape.join();
  const heads = Array.from({ length: shown }, (_, j) => j);
  const less = (/** @type {"kernel" | "weights"} */ name, /** @type {number} */ j) => {
    const of = matrices(b, name, j);
    return name === "kernel" && filtersA === filtersB || fits ? matrices(a, name, j).map((matrix, f) => lessMatrix(/** @type {Matrix} */ (of[f]), matrix)) : null;
  };
  const limitOf = (/** @type {"kernel" | "weights"} */ name) => (/** @type {number} */ j) => largest(matrices(a, name, j), matrices(b, name, j), less(name, j) ?? []);
  const limits = /** @type {const} */ (["kernel", "weights"]).map((name) => {
    const each = heads.map(limitOf(name));
    return common ? each.map(() => Math.max(...each)) : each;
  });
  const lines = heads.map((j) => {
    const cells = /** @type {const} */ (["kernel", "weights"]).flatMap((name, part) => {
      const limit = limits[part]?.[j] ?? 1;
      const label = (/** @type {string} */ whose) => `${name} of head ${head.classes[j]}, ${whose}`;
      const picture = (/** @type {Matrix[] | null} */ shownOnes, /** @type {string} */ whose) => element("td", null, shownOnes ? matrixCanvas(shownOnes, signedColour(limit), SMALL_SIDE, label(whose)) : "–");
      return [picture(matrices(a, name, j), "A"), picture(matrices(b, name, j), "B"), picture(less(name, j), "B less A"), element("td", { class: "soft" }, `±${formatNumber(limit)}`)];
    });
    const name = element("button", { class: "plain", onclick: () => choose({ head: j }), title: "Look at this head closely" }, head.classes[j]);
    return element("tr", { "data-head": j }, element("th", { scope: "row" }, name, headNote("a", j), headNote("b", j)), cells);
  });
  const mark = (/** @type {string} */ letter) => element("span", { class: `mark mark-${letter}` }, letter.toUpperCase());
  const columns = () => [element("th", { scope: "col" }, mark("a")), element("th", { scope: "col" }, mark("b")), element("th", { scope: "col" }, "B − A"), element("th", { scope: "col" }, "scale")];
  return element("table", { class: "learnt", "aria-label": "Kernels and weights of A and B" },
    element("thead", null, element("tr", null, element("td"), element("th", { scope: "colgroup", colspan: 4 }, filtersA > 1 || filtersB > 1 ? `kernels (${filtersA === filtersB ? filtersA : `${filtersA}, ${filtersB}`} a head)` : "kernel"), element("th", { scope: "colgroup", colspan: 4 }, "weights of the pooled map")), element("tr", null, element("th", { scope: "col" }, "head"), columns(), columns())),
    element("tbody", null, lines));
}

/** @param {"a" | "b"} of @param {number} j Whether the head is dead or saturated. */
function headNote(of, j) {
  const row = point(state[of]).heads[j];
  const what = row?.dead ? "dead" : row?.saturated ? "saturated" : "";
  return what ? element("span", { class: "warning" }, ` ${what} in ${of.toUpperCase()}`) : null;
}

/**
 * @param {number} a
 * @param {number} b
 * @param {number} row
 * @returns {Promise<Looked>}
 */
async function lookAt(a, b, row) {
  const [headsA, headsB, vectorsA, vectorsB, image, picture, target] = await Promise.all([headsOf(a), headsOf(b), block(`y_hat-${a}`), block(`y_hat-${b}`), block("image"), pictureOf(row), block("target")]);
  const classes = head.classes.length;
  const one = (/** @type {Heads} */ heads, /** @type {number} */ index, /** @type {Block} */ vectors) => ({
    index,
    seen: (/** @type {number} */ j) => see(heads, j, picture, point(index).scale ?? head.images.scale ?? 1),
    recorded: vectors.data.subarray(row * classes, (row + 1) * classes),
    heads,
  });
  return { picture, row, number: image.data[row] ?? row, target: target.data[row] ?? 0, a: one(headsA, a, vectorsA), b: one(headsB, b, vectorsB) };
}

/** @param {Looked} looked @param {number} most */
function seenOf(looked, most) {
  const { row } = looked;
  const place = element("div", { class: "seen" });
  const total = head.images.pictures;
  const picture = element("div", { class: "picture" });
  pictureCanvas(row, 112).then((canvas) => picture.append(canvas));
  const go = (/** @type {string} */ text, /** @type {string} */ said, /** @type {number} */ to) => element("button", { "aria-label": said, disabled: to < 0 || to >= total, onclick: () => choose({ image: to }) }, text);
  const about = element("div", null, element("p", null, `Image ${looked.number}, target `, element("strong", null, head.classes[looked.target])),
    element("div", { class: "tools" }, go("←", "Previous image", row - 1), go("→", "Next image", row + 1), element("button", { class: "plain", onclick: (/** @type {Event} */ event) => goTo(event, "images") }, "choose among the images")));
  const shown = Array.from({ length: Math.min(most, head.classes.length) }, (_, j) => ({ a: looked.a.seen(j), b: looked.b.seen(j) }));
  let apart = 0;
  shown.forEach((both, j) => { for (const of of /** @type {const} */ (["a", "b"])) apart = Math.max(apart, Math.abs(both[of].y_hat - (looked[of].recorded[j] ?? NaN)) || 0); });
  about.append(element("p", { class: "note", "data-apart": apart }, `Computed here from the kernels; no y-hat is further than ${apart.toExponential(0)} from the record's.`));
  place.append(element("div", { class: "looked" }, picture, about), element("div", { class: "scroll" }, seenTable(looked, shown)), closely(looked, Math.min(state.head, head.classes.length - 1)));
  return place;
}

/** @param {Looked} looked @param {{a: Seen, b: Seen}[]} shown */
function seenTable(looked, shown) {
  const lines = shown.map((both, j) => {
    const [maps, products] = [largest(both.a.maps, both.b.maps), largest(both.a.products, both.b.products)];
    const cells = /** @type {const} */ (["a", "b"]).flatMap((of) => {
      const { maps: map, pooled, products: product, logit, y_hat } = both[of];
      const recorded = looked[of].recorded[j] ?? NaN;
      const picture = (/** @type {Matrix[]} */ matrices, /** @type {number} */ limit, /** @type {string} */ what) => element("td", null, matrixCanvas(matrices, signedColour(limit), SMALL_SIDE, `${what} of head ${head.classes[j]}, ${of.toUpperCase()}`));
      return [picture(map, maps, "feature map"), picture(pooled, maps, "pooled map"), picture(product, products, "weights times pooled"),
        element("td", null, element("span", { class: "logit" }, signed(logit.toFixed(3))), element("br"), element("span", { style: Number.isNaN(y_hat) ? null : painted(logitColour(y_hat)), class: "chip" }, formatYHat(y_hat)), element("span", { class: "unseen" }, `, recorded ${formatYHat(recorded)}`))];
    });
    return element("tr", { "data-head": j, class: j === looked.target ? "is-target" : null }, element("th", { scope: "row" }, element("button", { class: "plain", onclick: () => choose({ head: j }), title: "Look at this head closely" }, head.classes[j]), j === looked.target ? element("span", { class: "soft" }, " target") : null, headNote("a", j), headNote("b", j)), cells);
  });
  const columns = ["feature map", "pooled", "weights × pooled", "logit, y-hat"];
  const group = (/** @type {"a" | "b"} */ of) => element("th", { scope: "colgroup", colspan: 4 }, element("span", { class: `mark mark-${of}` }, of.toUpperCase()), ` ${nameOf(looked[of].index)}`);
  return element("table", { class: "learnt", "aria-label": "What each head sees" }, element("thead", null, element("tr", null, element("td"), group("a"), group("b")), element("tr", null, element("th", { scope: "col" }, "head"), [...columns, ...columns].map((name) => element("th", { scope: "col" }, name)))), element("tbody", null, lines));
}

/** One head, large and in numbers. @param {Looked} looked @param {number} j */
function closely(looked, j) {
  const panels = /** @type {const} */ (["a", "b"]).map((of) => {
    const { heads, recorded } = looked[of];
    const seen = looked[of].seen(j);
    const filters = heads.kernel.shape[1] ?? 0;
    const kernels = matricesFrom(heads.kernel, j * filters, filters);
    const [maps, products, taps] = [largest(seen.maps), largest(seen.products), largest(kernels)];
    const step = (/** @type {string} */ name, /** @type {Node} */ picture, /** @type {string} */ note) => element("figure", { class: "step" }, picture, element("figcaption", null, element("strong", null, name), " ", element("span", { class: "soft" }, note)));
    const map = matrixCanvas(seen.maps, signedColour(maps), LARGE_SIDE, `feature map of head ${head.classes[j]}, ${of.toUpperCase()}`);
    const parts = seen.products.map(({ data }) => Array.from(data).reduce((sum, value) => sum + value, 0));
    const terms = [...parts, heads.bias_flat.data[j] ?? NaN].map((part, i) => `${i ? (part < 0 ? " − " : " + ") : part < 0 ? "−" : ""}${Math.abs(part).toFixed(3)}`);
    const equation = `${terms.join("")} = ${signed(seen.logit.toFixed(3))}, the last term the bias`;
    const kernel = kernels.map((matrix, f) => element("div", null, kernelTable(matrix, taps, `kernel ${f + 1} of head ${head.classes[j]}, ${of.toUpperCase()}`), element("p", { class: "note" }, `bias ${signed((heads.bias.data[j * filters + f] ?? NaN).toFixed(3))}`)));
    return element("div", { class: "panel closely" }, element("h4", null, element("span", { class: `mark mark-${of}` }, of.toUpperCase()), ` ${nameOf(looked[of].index)}`),
      element("div", { class: "panels" },
        step("feature map", map, `up to ±${formatNumber(maps)}`),
        step("winners", matrixCanvas(seen.maps.map((one, f) => winnersOf(one, seen.winners[f])), signedColour(maps), LARGE_SIDE, `winners of the pool windows of head ${head.classes[j]}, ${of.toUpperCase()}`), "the largest of each 2 × 2 window, where it is above 0"),
        step("pooled", matrixCanvas(seen.pooled, signedColour(maps), LARGE_SIDE, `pooled map of head ${head.classes[j]}, ${of.toUpperCase()}`), "what is left of them"),
        step("weights × pooled", matrixCanvas(seen.products, signedColour(products), LARGE_SIDE, `weights times pooled of head ${head.classes[j]}, ${of.toUpperCase()}`), `up to ±${formatNumber(products)}`)),
      element("p", null, `logit: ${parts.length > 1 ? "kernel by kernel " : "sum "}${equation}`),
      element("p", null, `y-hat ${formatYHat(seen.y_hat)}; the record's ${formatYHat(recorded[j] ?? NaN)}`),
      element("details", { open: filters === 1 }, element("summary", null, filters === 1 ? "The kernel in numbers" : `The ${filters} kernels in numbers`), element("div", { class: "panels" }, kernel)));
  });
  return element("div", null, element("h3", null, `Head ${head.classes[j]} closely`), element("div", { class: "stack" }, panels));
}

/** @param {Matrix} map @param {Int32Array | undefined} winners The map with nothing but the winners that the ReLU lets through. */
function winnersOf(map, winners) {
  const data = new Float64Array(map.data.length);
  for (const place of winners ?? []) data[place] = Math.max(map.data[place] ?? 0, 0);
  return { ...map, data };
}

/** @param {Matrix} kernel @param {number} limit @param {string} label */
function kernelTable({ data, width }, limit, label) {
  const colour = signedColour(limit);
  const decimals = Math.min(Math.max(1 - Math.floor(Math.log10(limit)), 2), 6);
  const lines = Array.from({ length: data.length / width }, (_, y) => element("tr", null, Array.from({ length: width }, (__, x) => {
    const value = data[y * width + x] ?? NaN;
    return Number.isNaN(value) ? element("td") : element("td", { style: painted(colour(value)) }, signed(value.toFixed(decimals)));
  })));
  return element("table", { class: "taps", "aria-label": label }, element("tbody", null, lines));
}
