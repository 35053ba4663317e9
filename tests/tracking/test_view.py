"""The saved view of a sweep: the tag says what was meant, and no failure reaches the sweep."""

import base64
import json
import zlib
from types import SimpleNamespace

import pytest

from pipeline.tracking import view
from pipeline.tracking.lease import Lease
from pipeline.tracking.runs import Runs
from pipeline.tracking.store import Store, open_store
from pipeline.tracking.sweeps import SweepView, mark
from tests.helpers.tracking import EXPERIMENT, make_points, settings_of, sweep_of

# MLflow's tables make sqlalchemy warn, and what warns then is broken for the rest of the process.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SWEPT = ("model.kernel_size", "training.alpha")
SWEEP = SweepView("0123456789abcdef", 4, SWEPT)
METRICS = ["validation_accuracy", "train_loss", "train_margin", "validation_accuracy", "test_accuracy"]


def decode(value):
    """The state in a tag's value, unpacked the way MLflow's pages do it."""
    saved = json.loads(value)
    assert isinstance(saved["name"], str)
    assert isinstance(saved["createdAt"], int)
    head, _, packed = saved["state"].partition(";")
    assert head == "deflate"
    return json.loads(zlib.decompress(base64.b64decode(packed)))


def chart(state, kind):
    (found,) = [chart for chart in state["compareRunCharts"] if chart["type"] == kind]
    return found


def test_the_tag_holds_the_view_of_this_sweep(folder):
    store = open_store(settings_of(folder), EXPERIMENT)
    point = store.client.create_run(store.experiment_id, tags={mark(SWEEP.key): "yes"}).info.run_id
    for key in ("validation_accuracy", "loss/mean", "loss/0", "head 0/train_loss"):
        store.client.log_metric(point, key, 0.5)
    store.client.create_run(store.experiment_id, tags={mark("another"): "yes"})

    assert view.views(store) == []
    link = view.seed_view(store, SWEEP, METRICS)
    place = f"#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    assert link == f"{place}&viewStateShareKey=0123456789abcdef"
    [found] = view.views(store)
    assert (found.name, found.link()) == ("digits, sweep of 4 points: kernel_size x alpha", link)

    tags = store.client.get_experiment(store.experiment_id).tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"
    state = decode(tags["mlflow.sharedViewState.0123456789abcdef"])
    assert found.state == state
    params = ["params.`model.kernel_size`", "params.`training.alpha`"]
    metrics = ["metrics.`validation_accuracy`", "metrics.`test_accuracy`", "metrics.`train_loss`"]
    assert state["selectedColumns"] == state["columnOrder"][1:] == params + metrics
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`validation_accuracy`", False)
    assert [found.info.run_id for found in store.client.search_runs([store.experiment_id], state["searchFilter"])] == [point]
    assert chart(state, "LINE")["metricKey"] == "loss/mean"
    assert chart(state, "BAR")["metricKey"] == "validation_accuracy"
    assert chart(state, "PARALLEL")["selectedParams"] == ["model.kernel_size", "log10 training.alpha"]
    sections = [(section["name"], section["display"]) for section in state["compareRunSections"]]
    assert sections == [("sweep", True), ("pictures", True), ("loss", False), ("head 0", False), ("Model metrics", False)]
    places = {chart["metricSectionId"] for chart in state["compareRunCharts"]}
    assert places == {section["uuid"] for section in state["compareRunSections"][:2]}


def test_metrics_that_do_not_exist_are_not_shown():
    state = view.view_state([], ["train_margin", "train_loss"], "", ["Model metrics"])
    assert state["selectedColumns"] == ["metrics.`train_margin`", "metrics.`train_loss`"]
    assert state["searchFilter"] == ""
    assert {chart["type"] for chart in state["compareRunCharts"]} == {"LINE", "BAR", "SCATTER", "IMAGE"}
    assert len({chart["uuid"] for chart in state["compareRunCharts"]}) == 5


def test_a_tag_has_room_for_many_classes():
    groups = ["loss", *(f"head class number {number}" for number in range(200)), "Model metrics"]
    assert len(view.encode(view.view_state(SWEPT, METRICS, "", groups), "sweep")) < 5000


def test_a_failure_is_none():
    broken = Store(SimpleNamespace(), "", "1")  # a client that can do nothing
    assert view.seed_view(broken, SWEEP, METRICS) is None
    assert view.views(broken) == []


def test_no_metrics_is_none(folder):
    store = open_store(settings_of(folder), EXPERIMENT)
    assert view.seed_view(store, SWEEP, []) is None
    assert not any(tag.startswith(view.TAG) for tag in store.client.get_experiment(store.experiment_id).tags)


def test_each_sweep_has_a_view_of_all_its_points(folder):
    points, store = make_points(folder, 3), open_store(settings_of(folder), EXPERIMENT)
    first, second = sweep_of(points[:2]), sweep_of(points[1:])
    for sweep, part in ((first, points[:2]), (second, points[1:])):
        runs = Runs(store, sweep, Lease(store.uri))
        for point in part:
            runs.open(point, {})
        view.seed_view(store, sweep, METRICS)
    assert [found.key for found in view.views(store)] == [first.key, second.key]
    tags = store.client.get_experiment(store.experiment_id).tags
    for sweep, part in ((first, points[:2]), (second, points[1:])):
        state = decode(tags[view.TAG + sweep.key])
        found = store.client.search_runs([store.experiment_id], state["searchFilter"])
        assert {run.data.tags["point"] for run in found} == {point.key for point in part}
