"""A saved view of a sweep for MLflow's pages: its points as a table, as charts, and their y-hat side by side.

The pages keep a saved view in a tag of the experiment. Its form is not documented; it was read from MLflow 3.17, and another
version may refuse it. That spoils the view's own link and nothing else: without it the pages never read the tag.
"""

import base64
import json
import logging
import time
import zlib
from typing import Any

from .runs import PARENT
from .store import Store

logger = logging.getLogger(__name__)

KEY = "sweep"
TAG = f"mlflow.sharedViewState.{KEY}"
# Some versions choose by this tag between pages for training and pages for GenAI; 3.17 goes by the link.
KIND = ("mlflow.experimentKind", "custom_model_development")
CURVE = "loss/mean"
SHOWN = ("validation_accuracy", "test_accuracy", "train_loss")
# The pages' name for the charts of metrics without a slash in their name.
REST = "Model metrics"


def seed_view(store: Store, swept: list[str], metrics: list[str], parent: str | None = None) -> str | None:
    """Save the view of a sweep and return the end of its link; None when that fails, for whatever reason.

    swept: dotted names of the settings that differ. metrics: names of final metrics, the one to choose by first.
    parent: the sweep's own run; with it, the view leaves out everything but this sweep's points.
    """
    try:
        condition = f"tags.`{PARENT}` = '{parent}'" if parent else ""
        state = view_state(swept, metrics, condition, _groups(store, condition))
        store.client.set_experiment_tag(store.experiment_id, *KIND)
        store.client.set_experiment_tag(store.experiment_id, TAG, encode(state))
        return link(store.experiment_id)
    except Exception as error:
        logger.debug("no view of the sweep in MLflow: %s", error)
        return None


def link(experiment_id: str, mode: str = "") -> str:
    """The end of the view's link. mode: CHART, or ARTIFACT for the y-hat tables side by side; the table without."""
    shown = f"&compareRunsMode={mode}" if mode else ""
    return f"#/experiments/{experiment_id}/runs?workflowType=machine_learning&viewStateShareKey={KEY}{shown}"


def links(store: Store) -> dict[str, str]:
    """The end of the link of every experiment that has a view, by the experiment's name; empty when that fails."""
    try:
        return {found.name: link(found.experiment_id) for found in store.client.search_experiments() if TAG in found.tags}
    except Exception as error:
        logger.debug("no views of sweeps in MLflow: %s", error)
        return {}


def encode(state: dict[str, Any]) -> str:
    """The tag's value: a tag has room for some thousand letters, so the state is packed."""
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode(), 9)).decode()
    now = int(time.time() * 1000)
    return json.dumps({"name": KEY, "createdAt": now, "updatedAt": now, "state": f"deflate;{packed}"})


def view_state(swept: list[str], metrics: list[str], condition: str, groups: list[str]) -> dict[str, Any]:
    """What the view shows, in the words of MLflow's pages. A table sorted by a metric does not fold points away."""
    shown = list(dict.fromkeys([metrics[0], *(key for key in SHOWN if key in metrics)]))
    columns = [*(f"params.`{key}`" for key in swept), *(f"metrics.`{key}`" for key in shown)]
    return {
        "searchFilter": condition,
        "orderByKey": f"metrics.`{shown[0]}`",
        "orderByAsc": shown[0].endswith("loss"),
        "selectedColumns": columns,
        "columnOrder": columns,
        "columnWidths": dict.fromkeys(columns, 150),
        "runsHiddenMode": "SHOW_ALL",
        "compareRunCharts": _charts(swept, shown),
        "compareRunSections": [_section(KEY, True), *(_section(name, False) for name in groups)],
        "isAccordionReordered": True,
    }


def _groups(store: Store, condition: str) -> list[str]:
    """Names under which the pages gather the charts of all other metrics; the view folds them."""
    found = store.client.search_runs([store.experiment_id], condition, max_results=1)
    names = {key.rpartition("/")[0] for entry in found for key in entry.data.metrics}
    return [*sorted(names - {""}, key=lambda name: (name != "loss", name)), REST]


def _section(name: str, is_open: bool) -> dict[str, Any]:
    return {"uuid": name, "name": name, "display": is_open, "isReordered": True, "columns": 2, "cardHeight": 380}


def _charts(swept: list[str], shown: list[str]) -> list[dict[str, Any]]:
    main = shown[0]
    curve: dict[str, Any] = {"xAxisKey": "step", "xAxisScaleType": "log", "yAxisKey": "metric", "scaleType": "linear"}
    curve |= {"lineSmoothness": 0, "useGlobalXaxisKey": False, "useGlobalLineSmoothing": False, "displayPoints": False}
    curve["range"] = {}
    charts: list[dict[str, Any]] = [
        {"type": "LINE", "metricKey": CURVE, "selectedMetricKeys": [CURVE], "displayName": CURVE, **curve},
        {"type": "BAR", "metricKey": main, "selectedMetricKeys": [main], "displayName": main},
    ]
    if swept:
        charts.append({"type": "PARALLEL", "selectedParams": swept, "selectedMetrics": [main], "showAllRuns": True})
    if len(shown) > 1:
        axes = {"xaxis": {"key": shown[-1], "type": "METRIC"}, "yaxis": {"key": main, "type": "METRIC"}}
        charts.append({"type": "SCATTER", "runsCountToCompare": 100, **axes})
    common = {"metricSectionId": KEY, "deleted": False, "isGenerated": False}
    return [{"uuid": f"{KEY} {number}", **common, **chart} for number, chart in enumerate(charts)]
