"""A run can be stopped at any moment: nothing is half written, nothing finished is lost, and the next run goes on."""

import resource
import signal
import subprocess
from pathlib import Path

import pytest

from pipeline.sweep.experiment import GOES_ON
from pipeline.sweep.grid import Grid
from pipeline.sweep.hydra import parse_arguments, read_command
from pipeline.sweep.locks import Locks
from pipeline.sweep.points import points_of
from pipeline.train import main
from tests.helpers.commands import contents, points, until

pytestmark = pytest.mark.slow
LONG = ["model.kernel_size=5", "training.iterations=20,600", "training.batch_size=64", "-m"]
# On one core: the others are MLflow's, which is waited for.
ENDLESS = ["training.iterations=20,2000000", "training.batch_size=64", "compute.n_jobs=1", "-m"]
WRITTEN = (".npz", ".npy", ".csv", ".json", ".yaml")


def wait_for_runs(tmp_path: Path, process: subprocess.Popen[str]):
    """An MlflowClient and the experiment's id, once MLflow shows the sweep and points of it that run."""
    from mlflow import MlflowClient

    until(lambda: points(tmp_path / "experiments" / "scratch") and (tmp_path / "mlflow.db").exists(), process=process)
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = until(lambda: client.get_experiment_by_name("scratch"), process=process)
    running = [experiment.experiment_id], "attributes.status = 'RUNNING'"
    until(lambda: len(client.search_runs(*running)) > 1, process=process)
    return client, experiment.experiment_id


def test_kill_9_then_again_gives_the_bytes_of_a_run_without_a_kill(run, start, tmp_path):
    assert main([*LONG, f"paths.experiments={tmp_path / 'straight'}", "tracking=off"]) == 0
    killed = tmp_path / "killed"
    process = start("train", *LONG, f"paths.experiments={killed}", "tracking=off")
    until(lambda: points(killed / "scratch"), process=process)
    process.kill()
    process.communicate()
    again = run("train", *LONG, f"paths.experiments={killed}", "tracking=off")
    assert again.returncode == 0, again.stderr
    assert "already computed" in again.stdout
    assert contents(killed / "scratch" / "points") == contents(tmp_path / "straight" / "scratch" / "points")
    assert (killed / "scratch" / "y_hat.csv").read_bytes() == (tmp_path / "straight" / "scratch" / "y_hat.csv").read_bytes()


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_stop_is_told_truly_in_mlflow(sent, code, start, tracked, tmp_path):
    process = start("train", *ENDLESS, *tracked)
    client, experiment = wait_for_runs(tmp_path, process)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    assert "Traceback" not in errors and errors.endswith(f"stopped; {GOES_ON}\n")
    runs = client.search_runs([experiment])
    assert "RUNNING" not in {run.info.status for run in runs}
    parent = next(run for run in runs if "mlflow.parentRunId" not in run.data.tags)
    assert parent.info.status == "KILLED"


# MLflow's tables make sqlalchemy warn, and what warns then is broken for the rest of the process.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_runs_of_a_killed_process_are_closed_by_the_next(start, tracked, tmp_path):
    process = start("train", *ENDLESS, *tracked)
    client, experiment = wait_for_runs(tmp_path, process)
    process.kill()
    process.communicate()
    assert {run.info.status for run in client.search_runs([experiment])} >= {"RUNNING"}
    assert main(["-m", "model.kernel_size=3,5", "training.iterations=3", *tracked]) == 0
    assert {run.info.status for run in client.search_runs([experiment])} == {"FINISHED", "KILLED"}


@pytest.mark.parametrize(("limit", "culprit"), [(50_000, "data"), (150_000, "losses.npy")])
def test_a_disk_that_refuses_to_take_more_is_one_line_and_nothing_is_half_written(limit, culprit, run, place, tmp_path):
    """A limit on the size of files fails writes for real, as a full disk does: first the data, then a point's record."""
    few = ["training.iterations=2000", "training.batch_size=8"]

    def refuse() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    ended = run("train", *place, *few, preexec_fn=refuse)
    assert ended.returncode == 1
    assert "File too large" in ended.stderr and len(ended.stderr.splitlines()) == 1
    experiments = tmp_path / "experiments" / "scratch"
    assert points(experiments) == []
    left = [path for path in experiments.rglob("*") if path.is_file() and path.suffix in WRITTEN]
    assert not [path for path in left if "points" in path.parts or (culprit == "data" and "data" in path.parts)]
    assert main([*place, *few]) == 0
    assert len(points(experiments)) == 1


def test_two_sweeps_of_scratch_at_once_leave_the_tables_of_one(start, place, tmp_path):
    """The first ends last, since one of its trajectories is held until the other has ended: its tables must not lie beside the
    other's grid."""
    scratch, locks = tmp_path / "experiments" / "scratch", Locks()
    words = [*place, "-m", "model.kernel_size=3", "training.iterations=20", "seed=0,1", "compute.n_jobs=1"]
    free, held = points_of(Grid.of(read_command(parse_arguments(words)).points), write=False)
    assert locks.take(scratch, held.trajectory)
    first = start("train", *words)
    until(lambda: points(scratch) == [free.folder], process=first)
    assert main(["-m", "model.kernel_size=5", "training.iterations=3,4", *place]) == 0 and first.poll() is None
    assert "kernel_size: 5" in (scratch / "config.yaml").read_text()
    locks.release(scratch, held.trajectory)
    assert first.wait(timeout=120) == 0
    assert "kernel_size: 3" in (scratch / "config.yaml").read_text()
    table = [line.split(",")[3] for line in (scratch / "points.csv").read_text().splitlines()]
    assert table == ["seed", "0", "1"]
