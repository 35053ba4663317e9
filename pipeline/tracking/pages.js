// Runs in MLflow's page before its own scripts. They keep in the browser what a person sees of an experiment: columns, order,
// filter and charts. The newest sweep's view is put there, once, so that it is what a click on the experiment shows, F5 and
// Back keep it, and a person may change it.

/**
 * @typedef {{mark: string, state: {searchFilter: string}}} SavedView
 * @typedef {{newest: string, views: Record<string, SavedView>}} SavedViews an experiment's views by their sweeps' keys
 * @typedef {{newest: string | null, experiments: Record<string, SavedViews>}} SavedPages newest: an experiment's id
 */

(() => {
  const SHARE = "viewStateShareKey";
  /** @type {SavedPages} */
  const pages = JSON.parse(document.getElementById("ovrcnn-views")?.textContent ?? "null");
  const storage = window.localStorage;

  /** @param {string} experiment */
  const place = (experiment) => `MLflowLocalStorage-1.1-ExperimentPage-${JSON.stringify([experiment])}-ReactComponentState`;

  /**
   * @param {string} experiment
   * @param {string} key
   */
  function show(experiment, key) {
    const found = pages.experiments[experiment];
    const view = found?.views[key];
    if (!found || !view) return false;
    storage.setItem(place(experiment), JSON.stringify(view.state));
    storage.setItem(`ovrcnn.newest-${experiment}`, found.views[found.newest]?.mark ?? "");
    return true;
  }

  /** Pages for training, no panel of an assistant that nobody called, nothing told about the person who looks. */
  function settle() {
    storage.setItem("mlflow.settings.telemetry.enabled_v1", "false");
    if (storage.getItem("ovrcnn.settled")) return;
    storage.setItem("mlflow.workflowType_v1", '"machine_learning"');
    storage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
    storage.setItem("mlflow.assistant.panelOpen_v1", "false");
    storage.setItem("ovrcnn.settled", "yes");
  }

  /** A view that the browser has not seen yet; the newest of each experiment. */
  function seed() {
    for (const [experiment, found] of Object.entries(pages.experiments)) {
      const seen = storage.getItem(`ovrcnn.newest-${experiment}`);
      if (seen !== found.views[found.newest]?.mark) show(experiment, found.newest);
    }
  }

  /**
   * The plain address leads to the newest sweep; a link to a view is followed once, and is then an address like any other.
   * Returns whether the address was changed.
   */
  function lead() {
    const [path = "", query = ""] = window.location.hash.split("?");
    const id = pages.newest;
    if (["", "#", "#/"].includes(path) && id) {
      const found = /** @type {SavedViews} */ (pages.experiments[id]);
      const kept = JSON.parse(storage.getItem(place(id)) ?? "{}");
      if (kept.searchFilter !== found.views[found.newest]?.state.searchFilter) show(id, found.newest);
      window.history.replaceState(null, "", `#/experiments/${id}/runs?workflowType=machine_learning`);
      return true;
    }
    const experiment = path.match(/^#\/experiments\/(\w+)(\/runs)?$/)?.[1];
    const words = new URLSearchParams(query);
    const key = words.get(SHARE);
    if (!experiment || !key || !show(experiment, key)) return false;
    words.delete(SHARE);
    window.history.replaceState(null, "", `${path}?${words}`);
    return true;
  }

  settle();
  seed();
  lead();
  // A link that is pasted or clicked while the pages are open; they read what the browser keeps when they begin.
  window.addEventListener("hashchange", () => {
    if (window.location.hash.includes(SHARE) && lead()) window.location.reload();
  });
})();
