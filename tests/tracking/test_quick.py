"""The quick client leaves the rows that MLflow's own leaves, and raises what it raises."""

import re
import sqlite3
from contextlib import closing

import pytest

from tests.helpers.tracking import EXPERIMENT, copy_store

TABLES = ("runs", "tags", "params", "metrics", "latest_metrics", "datasets", "inputs", "input_tags")
MODELS = ("logged_models", "logged_model_params", "logged_model_tags", "logged_model_metrics")
NAMED = re.compile(r"\b(m-)?[0-9a-f]{32}\b")


@pytest.fixture
def clients(database, tmp_path):
    """(MLflow's own, ours), each with a store of its own."""
    from mlflow import MlflowClient

    from pipeline.tracking.quick import QuickClient

    found = []
    for name, kind in (("own", MlflowClient), ("quick", QuickClient)):
        (tmp_path / name).mkdir()
        copy_store(database, tmp_path / name)
        found.append(kind(f"sqlite:///{tmp_path / name / 'mlflow.db'}"))
    return found


def rows(folder):
    """All rows of a store, with names that are drawn at random numbered in the order in which they come, and no times."""
    known = {}
    with closing(sqlite3.connect(folder / "mlflow.db")) as store:
        found = {table: store.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall() for table in (*TABLES, *MODELS)}
    # Where a store lies is no difference, nor are two times that the clients take from the clock.
    text = repr(found).replace(str(folder), "FOLDER")
    text = re.sub(r"\b1[789]\d{11}\b", "NOW", text)
    return NAMED.sub(lambda match: known.setdefault(match[0], f"<{len(known)}>"), text)


def fill(client):
    """Everything that is logged of a point, much of it twice. What the client returns."""
    from mlflow.entities import (
        Dataset,
        DatasetInput,
        InputTag,
        LoggedModelOutput,
        LoggedModelStatus,
        Metric,
        Param,
        RunTag,
    )

    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    tags = {"mlflow.user": "someone", "point": "a/1", "number": "3"}
    run = client.create_run(experiment, start_time=1000, run_name="alpha=0.1", tags=tags)
    run_id = run.info.run_id
    curve = [Metric(f"loss/{key}", 1 / step, 1000 + step, step) for key in "ab" for step in (1, 3, 2, 3)]
    odd = [Metric("nan", float("nan"), 5, 0), Metric("inf", float("inf"), 5, 0), Metric("minus", -float("inf"), 5, 0)]
    client.log_batch(run_id, [*curve, *odd], [Param("a", "1"), Param("b", "x" * 6000)], [RunTag("point", "b/2")])
    # Again, with more: an earlier step and time must not become the latest value.
    late = [Metric("loss/a", 9.0, 900, 9), Metric("loss/b", 9.0, 900, 1), Metric("nan", 0.5, 4, 0), Metric("inf", 1.0, 6, 0)]
    client.log_batch(run_id, [*curve, *late], [Param("a", "1"), Param("c", "3")], [RunTag("new", "y"), RunTag("point", "c")])
    client.log_batch(run_id)
    data = [Dataset("digits", digest, "local", "{}", profile="{}") for digest in ("one", "two")]
    for count in (1, 2, 2):
        inputs = [DatasetInput(entry, [InputTag("mlflow.data.context", entry.digest)]) for entry in data[:count]]
        client.log_inputs(run_id, inputs)
    model = client.create_logged_model(experiment, "alpha=0,1", run_id, {"point": "a/1"}, {"k": "3"}, "heads")
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 5)])
    link = {"dataset_name": "digits", "dataset_digest": "one", "model_id": model.model_id}
    client.log_batch(run_id, [Metric("accuracy", 0.5, 7, 0, **link), Metric("loss/a", 9.0, 900, 9, **link)])
    client.log_batch(run_id, [Metric("accuracy", 0.5, 7, 0, **link)])
    client.set_terminated(run_id, "FINISHED", 2000)
    other = client.create_run(experiment, start_time=1000, run_name="left alone")
    client.set_terminated(other.info.run_id, "KILLED", 2000)
    values = [run.info.run_name, run.info.status, run.info.start_time, run.info.user_id, run.data.tags]
    values += [run.info.experiment_id, run.info.lifecycle_stage, model.name, model.status, model.params, model.tags]
    return [*values, model.model_type, model.source_run_id == run_id, run.info.artifact_uri.replace(run_id, "RUN")]


def test_both_clients_leave_the_same_rows(clients, tmp_path):
    own, quick = (fill(client) for client in clients)
    assert [str(value).replace("/own/", "/quick/") for value in own] == [str(value) for value in quick]
    own, quick = rows(tmp_path / "own"), rows(tmp_path / "quick")
    assert "'loss/a', 9.0" in quick and "alpha=0,1" in quick and quick.count("'accuracy'") == 3
    assert own == quick


def test_both_clients_refuse_the_same(clients):
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.exceptions import MlflowException

    said = []
    for client in clients:
        experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
        run_id = client.create_run(experiment, run_name="one").info.run_id
        gone = client.create_run(experiment, run_name="gone").info.run_id
        client.delete_run(gone)
        client.log_batch(run_id, params=[Param("a", "1")])
        wrong = [
            lambda c=client, r=run_id: c.log_batch(r, params=[Param("a", "2")], metrics=[Metric("m", 1.0, 1, 0)]),
            lambda c=client, r=run_id: c.log_batch(r, metrics=[Metric("a//b", 1.0, 1, 0)]),
            lambda c=client, r=run_id: c.log_batch(r, tags=[RunTag("", "1")]),
            lambda c=client, r=run_id: c.log_batch(r, params=[Param("b", "1"), Param("b", "2")]),
            lambda c=client, r=gone: c.log_batch(r, metrics=[Metric("m", 1.0, 1, 0)]),
            lambda c=client, r=gone: c.set_terminated(r),
            lambda c=client: c.log_batch("f" * 32, metrics=[Metric("m", 1.0, 1, 0)]),
            lambda c=client: c.set_terminated("f" * 32),
            lambda c=client, e=experiment: c.create_logged_model(e, "alpha=0.1"),
        ]
        for call in wrong:
            with pytest.raises(MlflowException) as error:
                call()
            said.append((error.value.error_code, NAMED.sub("ID", str(error.value))))
        assert client.get_run(run_id).data.metrics == {} and client.get_run(run_id).data.params == {"a": "1"}
    half = len(said) // 2
    assert said[:half] == said[half:]
