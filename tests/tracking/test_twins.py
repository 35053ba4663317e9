"""Commands that log to one server at once make one of everything, though nothing keeps them apart."""

import pytest
from mlflow import MlflowClient

from pipeline.tracking.sweeps import mark
from tests.helpers.servers import embedded, free_port, serving, together
from tests.helpers.tracking import EXPERIMENT, copy_store, make_points

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

# Everybody has looked for a run and found none before anybody makes one.
AT_ONCE = """
from pipeline.tracking.runs import Runs
from pipeline.tracking import tracker

tracker.PATIENCE, tracker.patience, tracker.ailment = 60, lambda *_: 60, lambda uri: None
create = Runs._create

def late(runs, *told):
    try:
        barrier.wait(20)
    except Exception:
        pass
    return create(runs, *told)

Runs._create = late

def work(number, words):
    place = Path(words[0]) / str(number)
    points = make_points(place, 2)
    for point in points:
        make_record(point)
    watched = Tracker(TrackingSettings("server", words[1]), EXPERIMENT, sweep_of(points))
    for point in points:
        watched.finished(point, read_record(point.folder), known=False)
    champion = points[0], read_record(points[0].folder)
    watched.compared(Compared(points[0].settings.folder, points[0].name, {"train_loss": 0.5}, "", "train_loss", champion))
    return watched.close("FINISHED")

from pipeline.tracking.events import Compared
"""


@pytest.fixture(scope="module")
def server(database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    copy_store(database, folder)
    with serving(folder, embedded(folder), free_port()) as address:
        yield address


def active(client):
    return list(client.search_runs([client.get_experiment_by_name(EXPERIMENT).experiment_id], max_results=1000))


def test_commands_on_one_server_that_make_everything_at_once_leave_one_of_each(server, tmp_path):
    assert together(3, AT_ONCE, str(tmp_path), server) == ["[]"] * 3
    points, client = make_points(tmp_path / "0", 2), MlflowClient(server)
    everything = client.search_runs([client.get_experiment_by_name(EXPERIMENT).experiment_id], run_view_type=3)
    runs = active(client)
    assert len(everything) > len(runs) == 3
    [parent] = [run for run in runs if "sweep" in run.data.tags]
    children = [run for run in runs if "point" in run.data.tags]
    assert sorted(run.data.tags["point"] for run in children) == sorted(point.key for point in points)
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert all(run.data.tags[mark(parent.data.tags["sweep"])] == "yes" for run in children)
    for run in children:
        history = client.get_metric_history(run.info.run_id, "loss/mean")
        assert [(entry.step, entry.value) for entry in history] == sorted({(entry.step, entry.value) for entry in history})
        assert {"record/SHA256SUMS"} <= {entry.path for entry in client.list_artifacts(run.info.run_id, "record")}
    models = client.search_logged_models([parent.info.experiment_id])
    assert sorted(model.source_run_id for model in models) == sorted(run.info.run_id for run in children)
    [version] = client.search_model_versions(f"name = '{EXPERIMENT}'")
    best = next(run for run in children if run.data.tags["point"] == points[0].key)
    assert (version.version, version.run_id) == ("1", best.info.run_id)
    assert parent.data.tags["compared"] and client.get_model_version_by_alias(EXPERIMENT, "champion").version == "1"
