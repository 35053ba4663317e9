"""Commands that log to one server at once make one of everything, though nothing keeps them apart."""

from functools import partial

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED

from pipeline.settings import TrackingSettings
from pipeline.tracking import tracker
from pipeline.tracking.events import Compared
from pipeline.tracking.registry import crown
from pipeline.tracking.store import Store
from pipeline.tracking.sweeps import mark
from pipeline.tracking.tracker import Tracker
from tests.helpers.servers import embedded, free_port, serving, together
from tests.helpers.tracking import EXPERIMENT, copy_store, make_points, make_record, sweep_of

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
    assert version.run_id == best.info.run_id and version.source == kept_model(client, best).artifact_location
    assert parent.data.tags["compared"]
    assert client.get_model_version_by_alias(EXPERIMENT, "champion").version == version.version


def kept_model(client, run):
    [model] = client.search_logged_models([run.info.experiment_id], filter_string=f"source_run_id = '{run.info.run_id}'")
    return model


def test_a_version_of_a_model_that_another_command_deleted_goes(server):
    """Two commands made a model each of one run; one has a version of the model that the other deletes, before or after it."""
    client, name = MlflowClient(server), "two models"
    experiment = client.create_experiment(name)
    run, store = client.create_run(experiment).info.run_id, Store(client, server, experiment)
    first, second = (client.create_logged_model(experiment, source_run_id=run, name=f"model {n}") for n in (1, 2))
    crown(store, name, run, second.model_id, "card")
    client.delete_logged_model(second.model_id)
    crown(store, name, run, first.model_id, "card")
    [version] = client.search_model_versions(f"name = '{name}'")
    assert version.source == first.artifact_location
    assert client.get_model_version_by_alias(name, "champion").version == version.version


def crowned(server, name):
    """A run whose model is the champion of an experiment: a client, what crowns it again, what makes one more version of it."""
    client = MlflowClient(server)
    experiment = client.create_experiment(name)
    run, store = client.create_run(experiment).info.run_id, Store(client, server, experiment)
    model = client.create_logged_model(experiment, source_run_id=run, name="model")
    again = partial(crown, store, name, run, model.model_id, "card")
    again()
    return client, again, partial(client.create_model_version, name, model.artifact_location, run, model_id=model.model_id)


def test_a_version_that_another_command_deletes_first_keeps_no_other_one(server):
    """Three commands made a version each of one run: two delete the second at once, and the third must go all the same."""
    name = "three versions"
    client, again, one_more = crowned(server, name)
    one_more()
    one_more()
    delete = client.delete_model_version

    def late(name, version):
        delete(name, version)
        delete(name, version)

    client.delete_model_version = late
    again()
    [version] = client.search_model_versions(f"name = '{name}'")
    assert version.version == client.get_model_version_by_alias(name, "champion").version


def test_a_version_that_may_not_be_deleted_is_said(server):
    client, again, one_more = crowned(server, "kept versions")
    one_more()

    def refuse(*_):
        raise MlflowException("no", PERMISSION_DENIED)

    client.delete_model_version = refuse
    with pytest.raises(MlflowException, match="no"):
        again()


def test_a_version_that_another_command_left_goes_when_the_sweep_is_told_again(server, tmp_path, monkeypatch):
    """The sweep was said to be compared before a second version of its best point was made."""
    # However busy the machine is.
    monkeypatch.setattr(tracker, "ailment", lambda uri: None)
    monkeypatch.setattr(tracker, "patience", lambda *_: 60)
    points, client, experiment = make_points(tmp_path, 2), MlflowClient(server), "told again"
    records = [make_record(point) for point in points]

    def told():
        watched = Tracker(TrackingSettings("server", server), experiment, sweep_of(points))
        for point, record in zip(points, records, strict=True):
            watched.finished(point, record, known=False)
        folder, values = tmp_path / experiment, {"train_loss": 0.5}
        watched.compared(Compared(folder, points[0].name, values, "", "train_loss", (points[0], records[0])))
        return watched.close("FINISHED")

    assert told() == []
    [first] = client.search_model_versions(f"name = '{experiment}'")
    model = kept_model(client, client.get_run(first.run_id))
    client.create_model_version(experiment, first.source, first.run_id, model_id=model.model_id)
    assert told() == []
    [version] = client.search_model_versions(f"name = '{experiment}'")
    assert version.version == first.version == client.get_model_version_by_alias(experiment, "champion").version


def test_a_model_that_is_deleted_while_its_version_is_made_leaves_none(server):
    client, name = MlflowClient(server), "deleted meanwhile"
    experiment = client.create_experiment(name)
    run = client.create_run(experiment).info.run_id
    model = client.create_logged_model(experiment, source_run_id=run, name="model")
    make = client.create_model_version

    def late(*words, **options):
        client.delete_logged_model(model.model_id)
        return make(*words, **options)

    client.create_model_version = late
    with pytest.raises(MlflowException, match="must identify the resource"):
        crown(Store(client, server, experiment), name, run, model.model_id, "card")
    assert not client.search_model_versions(f"name = '{name}'")
