"""What MLflow holds after real runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from pipeline.train import main
from tests.helpers.command_lines import answer
from tests.helpers.commands import ROOT, SMALL_SWEEP, points

# MLflow's tables make sqlalchemy warn, and what warns then is broken for the rest of the process.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def client_of(tmp_path: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")


def runs_of(client: MlflowClient, name: str) -> list:
    return client.search_runs([client.get_experiment_by_name(name).experiment_id], max_results=1000)


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> Path:
    """A small sweep on a store that did not exist."""
    folder = tmp_path_factory.mktemp("swept")
    place = [f"paths.experiments={folder / 'experiments'}", f"tracking.uri=sqlite:///{folder / 'mlflow.db'}"]
    code, _, error = answer(["train", *SMALL_SWEEP, *place], folder)
    assert (code, error) == (0, "")
    return folder


def test_a_sweep_is_a_finished_parent_with_a_finished_child_a_point(swept):
    client = client_of(swept)
    runs = runs_of(client, "scratch")
    [parent] = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run is not parent]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len(children) == 4
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert runs_of(client, "Default") == []
    grid = {(run.data.params["model.kernel_size"], run.data.params["training.iterations"]) for run in children}
    assert grid == {("3", "6"), ("3", "12"), ("5", "6"), ("5", "12")}
    names = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert names >= {"points.csv", "y_hat.csv", "figures", "metrics.json", "config.yaml"}
    assert parent.data.tags["best"].startswith("kernel_size=")


def test_a_child_holds_what_its_record_holds(swept):
    client = client_of(swept)
    child = next(run for run in runs_of(client, "scratch") if run.data.params.get("training.iterations") == "12")
    folder = swept / "experiments" / "scratch" / "points" / child.data.tags["point"]
    result = json.loads((folder / "result.json").read_text())
    for key, value in result["metrics"].items():
        assert child.data.metrics[key] == value
    curve = client.get_metric_history(child.info.run_id, "loss/mean")
    assert [point.step for point in curve] == sorted({point.step for point in curve})
    assert (curve[0].step, curve[-1].step) == (1, 12)
    assert client.get_metric_history(child.info.run_id, "loss/9")[-1].step == 12
    artifacts = {f.path for part in ("record", None) for f in client.list_artifacts(child.info.run_id, part)}
    wanted = {"record/checkpoint.npz", "record/y_hat.csv", "y_hat.json"}
    assert artifacts >= wanted
    data = {(entry.dataset.name, entry.dataset.digest) for entry in child.inputs.dataset_inputs}
    assert data == {("digits", f"{result['data'][:16]}-{split}") for split in ("train", "validation", "test")}
    assert {"host", "pid", "versions", "mlflow.user"} <= set(child.data.tags)


EIGHT = """
import os, sys
from pipeline import train
from pipeline.tracking.store import load_mlflow
load_mlflow()
import mlflow.store.tracking.sqlalchemy_store
import pipeline.comparison.outcome, pipeline.heads.compiled.engine, pipeline.tracking.quick
for seed in range(8):
    if not os.fork():
        code = 1
        os.dup2(os.open(f"{seed}.txt", os.O_CREAT | os.O_WRONLY), 2)
        try:
            code = train.main([f"seed={seed}", *sys.argv[1:]])
        finally:
            sys.stderr.flush()
            os._exit(code)
sys.exit(max(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(8)))
"""


def test_eight_processes_on_no_database_lose_nothing(tmp_path, capsys):
    """Eight single runs at once, as a user with eight terminals would start them; what each would import first, and late, is
    imported before, so that all come to the database at the same time."""
    store = f"tracking.uri=sqlite:///{tmp_path / 'mlflow.db'}"
    words = ["training.iterations=2", store, f"paths.experiments={tmp_path / 'experiments'}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", EIGHT, *words], cwd=tmp_path, env=environment, timeout=300)
    said = [(tmp_path / f"{seed}.txt").read_text() for seed in range(8)]
    assert ended.returncode == 0, said
    # On a busy machine a command may not wait until it is its turn: then it says so, and the next one logs its point.
    for seed in (seed for seed in range(8) if "the next command" in said[seed]):
        assert main([f"seed={seed}", *words]) == 0 and capsys.readouterr().err == ""
    client = client_of(tmp_path)
    runs = runs_of(client, "scratch")
    assert sorted(run.data.params["seed"] for run in runs) == [str(seed) for seed in range(8)]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert runs_of(client, "Default") == []
    assert len(points(tmp_path / "experiments" / "scratch")) == 8


def test_a_failed_point_is_failed_and_so_is_its_sweep(tracked, tmp_path):
    assert main([*tracked, "-m", "training.alpha=0.5,1e308", "training.iterations=9"]) == 1
    runs = runs_of(client_of(tmp_path), "scratch")
    statuses = {run.data.params.get("training.alpha", run.info.run_name): run.info.status for run in runs}
    assert sorted(statuses.values()) == ["FAILED", "FAILED", "FINISHED"]
    assert statuses["0.5"] == "FINISHED"


def test_the_store_can_be_deleted_and_filled_again(run, tracked, tmp_path):
    assert main([*tracked, *SMALL_SWEEP]) == 0
    before = {run.info.run_name: run.data.metrics for run in runs_of(client_of(tmp_path), "scratch")}
    for file in tmp_path.glob("mlflow.db*"):
        file.unlink()
    again = run("train", *tracked, *SMALL_SWEEP)
    assert again.stdout.count("already computed") == 4
    assert {run.info.run_name: run.data.metrics for run in runs_of(client_of(tmp_path), "scratch")} == before
