"""A run can be stopped at any moment: nothing is half written, nothing finished is lost, and the next run goes on."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, command, contents, points

LONG = ["model.kernel_size=7", "training.iterations=20,600", "training.batch_size=64", "-m"]


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command("train", *arguments), cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for_first_point(folder: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not points(folder):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)


def test_kill_9_then_again_gives_the_bytes_of_a_run_without_a_kill(run, tmp_path):
    straight = run("train", *LONG, f"paths.experiments={tmp_path / 'straight'}", "tracking=off")
    assert straight.returncode == 0, straight.stderr
    killed = tmp_path / "killed"
    process = start(tmp_path, *LONG, f"paths.experiments={killed}", "tracking=off")
    wait_for_first_point(killed / "scratch", process)
    process.kill()
    process.communicate()
    again = run("train", *LONG, f"paths.experiments={killed}", "tracking=off")
    assert again.returncode == 0, again.stderr
    assert "already computed" in again.stdout
    assert contents(killed / "scratch" / "points") == contents(tmp_path / "straight" / "scratch" / "points")
    assert (killed / "scratch" / "y_hat.csv").read_bytes() == (tmp_path / "straight" / "scratch" / "y_hat.csv").read_bytes()


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stop_is_told_truly_in_mlflow(sent, code, tracked, tmp_path):
    from mlflow import MlflowClient

    process = start(tmp_path, *[a if "iterations" not in a else "training.iterations=20,200000" for a in LONG], *tracked)
    wait_for_first_point(tmp_path / "experiments" / "scratch", process)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in errors
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("scratch")
    runs = client.search_runs([experiment.experiment_id])
    assert "RUNNING" not in {run.info.status for run in runs}
    parent = next(run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    assert parent.info.status == "KILLED"


def test_runs_of_a_killed_process_are_closed_by_the_next(run, tracked, tmp_path):
    from mlflow import MlflowClient

    process = start(tmp_path, *[a if "iterations" not in a else "training.iterations=20,200000" for a in LONG], *tracked)
    wait_for_first_point(tmp_path / "experiments" / "scratch", process)
    process.kill()
    process.communicate()
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("scratch").experiment_id
    assert {run.info.status for run in client.search_runs([experiment])} >= {"RUNNING"}
    again = run("train", "-m", "model.kernel_size=3,5", "training.iterations=3", *tracked)
    assert again.returncode == 0, again.stderr
    assert "marked KILLED" in again.stdout
    assert {run.info.status for run in client.search_runs([experiment])} == {"FINISHED", "KILLED"}
