"""A finished point is a model of MLflow's, the best one the champion: found, loaded and served as any other model."""

import csv
import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from pipeline.records.record import read_record
from pipeline.tracking.events import Compared
from pipeline.tracking.lease import Lease
from pipeline.tracking.models import model_name
from pipeline.tracking.runs import Runs
from pipeline.tracking.store import open_store
from pipeline.tracking.view import LOG_ALPHA
from tests.helpers.commands import ROOT, SMALL_SWEEP
from tests.helpers.tracking import (
    EXPERIMENT,
    make_points,
    make_record,
    open_tracker,
    point_runs,
    settings_of,
    track,
    wait_for,
)  # fmt: skip

# MLflow's own classes are typed as it warns against, when it is asked to load a model.
pytestmark = pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")


def models(folder, condition=None):
    store = open_store(settings_of(folder), EXPERIMENT)
    return list(store.client.search_logged_models([store.experiment_id], condition))


def test_each_finished_point_is_one_model_with_its_settings_metrics_and_data(folder):
    points = [replace(point, name=f"alpha=0.{number}") for number, point in enumerate(make_points(folder, 2, (5, 9)))]
    for _ in range(2):
        assert track(folder, points) == []
    assert len(models(folder)) == 4
    [run] = point_runs(folder)[points[3].key]
    [model] = models(folder, "params.seed = '1' AND params.`training.iterations` = '9' AND metrics.validation_accuracy > 0")
    [output] = run.outputs.model_outputs
    assert (output.model_id, output.step, model.source_run_id) == (model.model_id, 9, run.info.run_id)
    assert (model.name, str(model.status), model.tags["point"]) == ("alpha=0,3", "READY", points[3].key)
    assert model.tags["mlflow.user"] == run.data.tags["mlflow.user"] and model.tags["mlflow.source.name"] == "ovrcnn"
    assert model.params == {key: value for key, value in run.data.params.items() if key != LOG_ALPHA}
    data = {entry.tags[0].value: entry.dataset for entry in run.inputs.dataset_inputs}
    assert list(data) == ["training", "validation", "test"]
    digest = read_record(points[3].folder).result.data[:16]
    found = {metric.key: (metric.value, metric.run_id, metric.dataset_name, metric.dataset_digest) for metric in model.metrics}
    for key, split in (("train_loss", "train"), ("validation_accuracy", "validation"), ("test_accuracy", "test")):
        assert found[key] == (run.data.metrics[key], run.info.run_id, "digits", f"{digest}-{split}")
    assert {entry.digest for entry in data.values()} == {row[3] for row in found.values()}


@pytest.mark.parametrize("ended", ["RUNNING", "FINISHED"])
def test_a_point_that_was_killed_before_or_after_its_model_was_made_has_one(folder, ended):
    """FINISHED without a model: as an earlier version left it."""
    [point] = points = make_points(folder, 1)
    make_record(point)
    store = open_store(settings_of(folder), EXPERIMENT)
    run = Runs(store, None, Lease(store.uri)).open(point, {})
    if ended == "RUNNING":
        store.client.create_logged_model(store.experiment_id, "half", run.run_id)
        store.client.set_tag(run.run_id, "pid", "1@0")
    else:
        store.client.set_terminated(run.run_id)
    assert track(folder, points) == []
    [model] = models(folder)
    [again] = point_runs(folder)[point.key]
    assert again.info.run_id == run.run_id and again.info.status == "FINISHED"
    assert [output.model_id for output in again.outputs.model_outputs] == [model.model_id] and str(model.status) == "READY"
    assert {metric.key for metric in model.metrics} == {"train_loss", "validation_accuracy", "test_accuracy"}


def test_the_best_point_is_the_champion_once(folder):
    points = make_points(folder, 2)
    output = folder / "experiments" / EXPERIMENT
    output.mkdir(parents=True)
    client = open_store(settings_of(folder), EXPERIMENT).client
    for best, versions in ((0, 1), (1, 2), (1, 2), (0, 2)):
        watched = open_tracker(folder, points)
        records = [make_record(point) for point in points]
        for point, record in zip(points, records, strict=True):
            watched.finished(point, record, known=False)
        champion = points[best], records[best]
        watched.compared(Compared(output, points[best].name, {"train_loss": 0.25}, f"{best}", "train_loss", champion))
        assert watched.close("FINISHED") == []
        assert len(client.search_model_versions(f"name = '{EXPERIMENT}'")) == versions
        version = client.get_model_version_by_alias(EXPERIMENT, "champion")
        [run] = point_runs(folder)[points[best].key]
        assert version.run_id == run.info.run_id
        # The model's own page names its version.
        model = client.get_logged_model(run.outputs.model_outputs[0].model_id)
        assert json.loads(model.tags["mlflow.modelVersions"]) == [{"name": EXPERIMENT, "version": str(version.version)}]
    value = records[0].result.metrics["validation_accuracy"]
    card = version.description
    assert card.startswith(f"The best of 2 points by validation accuracy ({value:.4f}): seed=0 iterations=5.")
    for words in ("Images: 2 train, 1 validation, 1 test. Classes: a, b.", f"| accuracy |  | {value:.4f} |", "## Limits"):
        assert words in card
    assert (
        f'load_model("models:/{EXPERIMENT}@champion")' in card
        and "champion" in client.get_registered_model(EXPERIMENT).description
    )


def test_names_of_models_are_those_of_points_in_letters_that_mlflow_takes():
    assert model_name("alpha=0.1 loss=half_squared_error") == "alpha=0,1 loss=half_squared_error"
    assert model_name("data.path='/a/b:c'") == "data,path=__a_b_c_" and model_name("") == "model"


def post(address, images):
    body = json.dumps({"inputs": images}).encode()
    request = urllib.request.Request(f"{address}/invocations", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def in_readme(pattern):
    """What the README says, for another experiment and store."""
    [found] = re.findall(pattern, (ROOT / "README.md").read_text(), re.M)
    assert "models:/digits@champion" in found
    return found.replace("digits@", "scratch@")


def answers(address):
    try:
        return urllib.request.urlopen(f"{address}/ping", timeout=5).status == 200
    except OSError:
        return False


@pytest.mark.slow
def test_the_champion_is_loaded_and_served_and_says_what_its_record_says(run, tracked, tmp_path):
    assert run("train", *SMALL_SWEEP, *tracked).returncode == 0
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    name = json.loads((tmp_path / "experiments/scratch/metrics.json").read_text())["best"]
    [place] = [folder for folder in (tmp_path / "experiments/scratch/points").glob("*/*") if _named(folder, name)]
    rows = list(csv.DictReader((place / "y_hat.csv").read_text().splitlines()))
    images = load_digits().images[[int(row["image"]) for row in rows]]
    call = in_readme(r"`(mlflow\.pyfunc\.load_model\(.+\)\.predict\(images\))`")
    code = f"import mlflow, numpy; images = numpy.load('images.npy'); {call}.to_csv('answers.csv', index=False)"
    np.save(tmp_path / "images.npy", images)
    # As in an environment that is activated: the server is a command of its own.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "MLFLOW_TRACKING_URI": store, "MLFLOW_DISABLE_TELEMETRY": "true"}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=120)
    found = list(csv.DictReader((tmp_path / "answers.csv").read_text().splitlines()))
    for row, answer in zip(rows, found, strict=True):
        y_hat = {key: float(value) for key, value in row.items() if key.startswith("y_hat_")}
        assert {key: float(answer[key]) for key in y_hat} == y_hat
        assert y_hat[f"y_hat_{answer['answer']}"] == max(y_hat.values())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [*in_readme(r"^(mlflow models serve .+) --port").split(), "--port", port]
    address = f"http://127.0.0.1:{port}"
    with (tmp_path / "log.txt").open("wb") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        wait_for(lambda: answers(address), 120)
        status, said = post(address, images[:2].tolist())
        assert status == 200
        assert said["predictions"] == [
            {key: value if key == "answer" else float(value) for key, value in row.items()} for row in found[:2]
        ]
        status, said = post(address, images[:2, :5].tolist())
        assert status == 400 and "Shape of input (2, 5, 8) does not match expected shape (-1, 8, 8)" in said
        status, said = post(address, [[[1e400] * 8] * 8])
        assert status == 400 and "nan or inf" in said
    finally:
        server.terminate()
        server.wait()


def _named(folder, name):
    size, steps = (word.rpartition("=")[2] for word in name.split())
    return folder.name == steps and f"kernel_size: {size}\n" in (folder / "settings.yaml").read_text()
