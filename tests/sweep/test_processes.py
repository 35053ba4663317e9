"""Processes of this machine, and the cluster that compute=dask starts here: the bytes of threads, and all of them end."""

import os
import pickle
import signal
import subprocess

import psutil
import pytest

from pipeline.sweep.driver import Outcome, drive
from pipeline.sweep.executors import pool
from pipeline.sweep.experiment import GOES_ON
from tests.helpers.cluster import Meddler, points_of_digits
from tests.helpers.commands import contents, points, run_in, until
from tests.helpers.records import Recorder

pytestmark = pytest.mark.slow
LONG = ["-m", "training.iterations=20,1000000", "training.batch_size=64", "training.alpha=0.1,0.2,0.3", "compute.n_jobs=2"]


def test_a_killed_process_costs_its_block_and_the_bytes_are_those_of_threads(tmp_path, caplog):
    expected = points_of_digits(tmp_path / "threads", "threads")
    drive(expected, pool(expected[0].settings.compute), Recorder())
    given = points_of_digits(tmp_path / "processes", "processes")
    workers = pool(given[0].settings.compute)
    # The prepared file's path: no process gets a copy of the images.
    assert len(pickle.dumps(workers.share(given[0]))) < 1000

    def kill():
        children = [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]
        max(children, key=lambda child: child.cpu_times().user).kill()

    meddler = Meddler(kill)
    assert drive(given, workers, meddler) == Outcome(6, 0)
    meddler.thread.join()
    assert "given out again" in caplog.text
    assert contents(tmp_path / "processes" / "small" / "points") == contents(tmp_path / "threads" / "small" / "points")


@pytest.mark.parametrize("executor", ["processes", "dask"])
@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGQUIT, 131), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_a_stop_ends_every_process_and_says_no_more_than_that(start, tmp_path, executor, sent, code):
    place = [f"compute={executor}", f"paths.experiments={tmp_path}", "tracking=off"]
    process = start("train", *LONG, *place, stdout=subprocess.DEVNULL, start_new_session=True)
    until(lambda: points(tmp_path / "scratch"), process=process)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2
    if sent in (signal.SIGINT, signal.SIGQUIT):
        # As a terminal sends it: to all of its processes.
        os.killpg(process.pid, sent)
    else:
        process.send_signal(sent)
    # Left alone they train for minutes.
    _, errors = process.communicate(timeout=30)
    _, left = psutil.wait_procs(children, timeout=30)
    assert not left
    assert process.returncode == code
    said = "" if executor == "dask" else errors
    assert errors == (said if sent == signal.SIGKILL else f"stopped; {GOES_ON}\n")


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_joblib_workers_end_with_the_sweep_however_it_ends(start, tmp_path, sent):
    """Left alone they would train on, and then wait for more."""
    words = ["-m", "model.kernel_size=3,5", "training.iterations=2000000", "training.batch_size=64"]
    place = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", f"paths.experiments={tmp_path}", "tracking=off"]
    process = start("train", *words, *place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: len(workers_of(process)) >= 2, process=process)
    # Until they are at work.
    until(lambda: len(list((tmp_path / "scratch" / "work" / "locks").glob("*"))) == 2)
    workers = workers_of(process)
    process.send_signal(sent)
    _, left = psutil.wait_procs(workers, timeout=30)
    for each in left:
        each.kill()
    assert workers and not left


def test_joblibs_jobs_run_without_shared_memory_and_nothing_is_said_of_it(tmp_path, monkeypatch):
    """In a process of its own: joblib looks when it is imported, and this is what it is told where there is no /dev/shm."""
    monkeypatch.setenv("JOBLIB_MULTIPROCESSING", "0")
    words = ["-m", "seed=1,2", "training.iterations=2", "compute.engine=numpy", "hydra/launcher=joblib", "tracking=off"]
    ended = run_in(tmp_path, "train", *words, f"paths.experiments={tmp_path}")
    assert (ended.returncode, ended.stderr) == (0, "") and len(points(tmp_path / "scratch")) == 2


def workers_of(process):
    children = psutil.Process(process.pid).children(recursive=True)
    return [child for child in children if "LokyProcess" in str(child.cmdline())]
