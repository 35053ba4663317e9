"""A saved view of a sweep for MLflow's pages: its points as a table, as charts, and their y-hat side by side.

The pages keep saved views in tags of the experiment, here one for each sweep. Their form is not documented; it was read from
MLflow 3.17, and another version may refuse it. That spoils a view's own link and nothing else: without it the pages never
read the tag.
"""

import base64
import contextlib
import json
import logging
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .store import Store
from .sweeps import SweepView

logger = logging.getLogger(__name__)

TAG = "mlflow.sharedViewState."
# Some versions choose by this tag between pages for training and pages for GenAI; 3.17 goes by the link.
KIND = ("mlflow.experimentKind", "custom_model_development")
PACKED = "deflate;"
SECTION, PICTURES = "sweep", "pictures"
CURVE = "loss/mean"
NOTE = "mlflow.note.content"
# A parameter that is there for axes with many decades, which the pages have not.
ALPHA, LOG_ALPHA = "training.alpha", "log10 training.alpha"
# What a point's pictures are called (see pictures.py).
IMAGES = ("kernels", "mean y_hat")
RUN_NAME = "attributes.`Run Name`"
SHOWN = ("validation_accuracy", "test_accuracy", "train_loss")
# The pages' name for the charts of metrics without a slash in their name.
REST = "Model metrics"


def seed_view(store: Store, sweep: SweepView, metrics: Sequence[str]) -> str | None:
    """Save the view of a sweep's points and return the end of its link; None when that fails, for whatever reason.

    metrics: names of final metrics, the one to choose by first.
    """
    try:
        state = view_state(sweep.swept, metrics, sweep.condition, _groups(store, sweep.condition))
        store.client.set_experiment_tag(store.experiment_id, *KIND)
        store.client.set_experiment_tag(store.experiment_id, TAG + sweep.key, encode(state, _title(sweep)))
        return link(store.experiment_id, sweep.key)
    except Exception as error:
        logger.debug("no view of the sweep in MLflow: %s", error)
        return None


def link(experiment_id: str, key: str, mode: str = "") -> str:
    """The end of the link of a sweep's view. mode: CHART, or ARTIFACT for the y-hat tables side by side; the table without."""
    shown = f"&compareRunsMode={mode}" if mode else ""
    return f"#/experiments/{experiment_id}/runs?workflowType=machine_learning&viewStateShareKey={key}{shown}"


@dataclass(frozen=True)
class View:
    """A sweep's saved view as the store has it. name: of experiment and sweep. saved: when, in milliseconds. state: what the
    pages show."""

    experiment_id: str
    key: str
    name: str
    saved: int
    state: dict[str, Any]

    def link(self, mode: str = "") -> str:
        return link(self.experiment_id, self.key, mode)


def views(store: Store) -> list[View]:
    """The views of all sweeps, the newest last; empty when that fails."""
    found = []
    try:
        for experiment in store.client.search_experiments():
            for tag, value in experiment.tags.items():
                # Others, which people shared in MLflow's pages, may have other forms.
                with contextlib.suppress(ValueError, KeyError, TypeError, zlib.error):
                    if tag.startswith(TAG):
                        found.append(_read(experiment, tag.removeprefix(TAG), json.loads(value)))
    except Exception as error:
        logger.debug("no views of sweeps in MLflow: %s", error)
    return sorted(found, key=lambda view: (view.saved, view.key))


def _read(experiment: Any, key: str, saved: dict[str, Any]) -> View:
    state = json.loads(zlib.decompress(base64.b64decode(saved["state"].removeprefix(PACKED))))
    return View(experiment.experiment_id, key, f"{experiment.name}, {saved['name']}", int(saved["updatedAt"]), dict(state))


def _title(sweep: SweepView) -> str:
    over = " x ".join(key.rpartition(".")[2] for key in sweep.swept)
    return f"{sweep.name}: {over}" if over else sweep.name


def encode(state: dict[str, Any], name: str) -> str:
    """The tag's value: a tag has room for some thousand letters, so the state is packed."""
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode(), 9)).decode()
    now = int(time.time() * 1000)
    return json.dumps({"name": name, "createdAt": now, "updatedAt": now, "state": PACKED + packed})


def view_state(swept: Sequence[str], metrics: Sequence[str], condition: str, groups: Sequence[str]) -> dict[str, Any]:
    """What the view shows, in the words of MLflow's pages. A table sorted by a metric does not fold points away."""
    shown = list(dict.fromkeys([metrics[0], *(key for key in SHOWN if key in metrics)]))
    columns = [*(f"params.`{key}`" for key in swept), *(f"metrics.`{key}`" for key in shown)]
    return {
        "searchFilter": condition,
        "orderByKey": f"metrics.`{shown[0]}`",
        "orderByAsc": shown[0].endswith("loss"),
        "selectedColumns": columns,
        "columnOrder": [RUN_NAME, *columns],
        "columnWidths": {RUN_NAME: 250, **dict.fromkeys(columns, 150)},
        "runsHiddenMode": "SHOW_ALL",
        "compareRunCharts": _charts(swept, shown),
        "compareRunSections": [
            _section(SECTION, True),
            _section(PICTURES, True, 1),
            *(_section(name, False) for name in groups),
        ],
        "isAccordionReordered": True,
    }


def _groups(store: Store, condition: str) -> list[str]:
    """Names under which the pages gather the charts of all other metrics; the view folds them."""
    found = store.client.search_runs([store.experiment_id], condition, max_results=1)
    names = {key.rpartition("/")[0] for entry in found for key in entry.data.metrics}
    return [*sorted(names - {""}, key=lambda name: (name != "loss", name)), REST]


def _section(name: str, is_open: bool, columns: int = 2) -> dict[str, Any]:
    return {"uuid": name, "name": name, "display": is_open, "isReordered": True, "columns": columns, "cardHeight": 380}


def _charts(swept: Sequence[str], shown: Sequence[str]) -> list[dict[str, Any]]:
    main = shown[0]
    curve: dict[str, Any] = {"xAxisKey": "step", "xAxisScaleType": "log", "yAxisKey": "metric", "scaleType": "log"}
    curve |= {"lineSmoothness": 0, "useGlobalXaxisKey": False, "useGlobalLineSmoothing": False, "displayPoints": False}
    curve["range"] = {}
    charts: list[dict[str, Any]] = [
        {"type": "LINE", "metricKey": CURVE, "selectedMetricKeys": [CURVE], "displayName": CURVE, **curve},
        {"type": "BAR", "metricKey": main, "selectedMetricKeys": [main], "displayName": main},
    ]
    if swept:
        axes = [LOG_ALPHA if key == ALPHA else key for key in swept]
        charts.append({"type": "PARALLEL", "selectedParams": axes, "selectedMetrics": [main], "showAllRuns": True})
    if len(shown) > 1:
        both = {"xaxis": {"key": shown[-1], "type": "METRIC"}, "yaxis": {"key": main, "type": "METRIC"}}
        charts.append({"type": "SCATTER", "runsCountToCompare": 100, **both})
    pictures = [{"type": "IMAGE", "imageKeys": [key], "displayName": key, "step": 0, "showRunParams": False} for key in IMAGES]
    common = {"deleted": False, "isGenerated": False}
    placed = [(SECTION, chart) for chart in charts] + [(PICTURES, chart) for chart in pictures]
    return [{"uuid": f"{place} {n}", "metricSectionId": place, **common, **chart} for n, (place, chart) in enumerate(placed)]
