"""Runs of the living stay RUNNING and runs of the dead do not, whatever machines, containers and processes are called."""

import fcntl
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.base.files import held, is_held, remove_left
from pipeline.tracking import lease
from pipeline.tracking.lease import LEASE_SECONDS, TIME, Lease
from pipeline.tracking.runs import Runs
from pipeline.tracking.store import open_store
from tests.helpers.commands import ROOT
from tests.helpers.tracking import EXPERIMENT, make_points, open_tracker, runs_of, settings_of, track

# MLflow's tables make sqlalchemy warn, and what warns then is broken for the rest of the process.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SERVER = "http://127.0.0.1:9"
# Begins a point of a sweep, says so, and waits to be killed; its host is called as it is told.
COMMAND = """
import socket, sys, time
from pathlib import Path
socket.gethostname = lambda: sys.argv[2]
from tests.helpers.tracking import *
points = make_points(Path(sys.argv[1]), 2)
watched = open_tracker(Path(sys.argv[1]), points)
watched.started(points[0])
wait_for(lambda: statuses(Path(sys.argv[1])))
print("begun", flush=True)
time.sleep(60)
"""


def container() -> list[str]:
    """What runs a command with process ids of its own; nothing where the system lets nobody have that: the rest is as there."""
    words = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]
    tried = subprocess.run([*words, "true"], capture_output=True, check=False)
    return words if tried.returncode == 0 else []


@pytest.mark.slow
@pytest.mark.parametrize("same", [True, False])
def test_a_living_run_in_another_container_stays_and_ends_with_it(folder, same):
    """Two containers with one host name; and one that has another name when its command is given again."""
    points = make_points(folder, 3)
    host = os.uname().nodename if same else "container-1"
    words = [*container(), sys.executable, "-c", COMMAND, str(folder), host]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "begun\n"
        assert track(folder, points[2:], sweep=False) == []
        assert {run.info.status for run in runs_of(folder) if run.info.run_name != "seed=2 it=5"} == {"RUNNING"}
        process.kill()
    # A point alone, and of another experiment.
    _wait_for_the_lock(folder)
    Runs(open_store(settings_of(folder), "other"), None, Lease(settings_of(folder).uri))
    assert {run.info.run_name: run.info.status for run in runs_of(folder)} == {
        "sweep of 2 points": "KILLED", "seed=0 it=5": "KILLED", "seed=2 it=5": "FINISHED",
    }  # fmt: skip


def _wait_for_the_lock(folder: Path) -> None:
    """The system ends a container a moment after the process that holds it."""
    end = time.monotonic() + 10
    while any(is_held(path) for path in folder.glob("mlflow.db.*.lease")):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_lease_is_a_file_while_its_command_is_at_work_and_no_longer(folder):
    points = make_points(folder, 1)
    watched = open_tracker(folder, points)
    watched.open()
    [path] = folder.glob("mlflow.db.*.lease")
    assert is_held(path) and runs_of(folder)[0].data.tags["owner"] in path.name
    assert watched.close("KILLED") == []
    assert list(folder.glob("mlflow.db.*.lease")) == [] and is_held(path) is None


def test_what_is_not_this_programs_is_left_alone(folder):
    store = open_store(settings_of(folder), EXPERIMENT)
    theirs = store.client.create_run(store.experiment_id, run_name="theirs").info.run_id
    odd = store.client.create_run(store.experiment_id, run_name="odd", tags={"owner": "../../x", "pid": "1"}).info.run_id
    assert track(folder, make_points(folder, 1), sweep=False) == []
    found = {run.info.run_id: run.info.status for run in runs_of(folder)}
    assert (found[theirs], found[odd]) == ("RUNNING", "KILLED")


def test_a_file_that_is_taken_for_a_dead_ones_before_it_is_locked_is_made_anew(tmp_path):
    """The first is gone before it is opened, the second while its lock is waited for."""
    made = []

    def make() -> str:
        path = tmp_path / f"lease {len(made)}"
        made.append(path)
        if len(made) > 1:
            path.touch()
        if len(made) == 2:
            handle = os.open(path, os.O_RDONLY)
            fcntl.flock(handle, fcntl.LOCK_EX)
            threading.Timer(0.2, lambda: (path.unlink(), os.close(handle))).start()
        return str(path)

    with held(make) as path:
        assert is_held(path) and path == made[2]
        remove_left(path)
        assert path.exists()
    assert is_held(path) is False and len(made) == 3
    remove_left(path)
    assert not path.exists()


@pytest.fixture
def served(folder):
    """As a server's store: others that look at it do not see its disk."""
    return replace(open_store(settings_of(folder), EXPERIMENT), uri=SERVER)


def begun(store, taken: Lease) -> str:
    """The id of a run of this lease."""
    return Runs(store, None, taken)._create("seed=0", {**taken.tags(), "point": "x/1"}, None).run_id


def status(store, run_id: str) -> str:
    return store.client.get_run(run_id).info.status


def times(store) -> dict[str, str]:
    return {tag: value for tag, value in store.client.get_experiment(store.experiment_id).tags.items() if tag.startswith(TIME)}


def set_back(store, taken: Lease, seconds: float) -> None:
    """As if the owner had written its time so long ago."""
    taken._renewed = time.time() - seconds
    store.client.set_experiment_tag(store.experiment_id, TIME + taken.owner, str(int(taken._renewed)))


def test_on_a_server_the_time_tells_where_no_file_does(served):
    mine = Lease(SERVER)
    run_id = begun(served, mine)
    for seconds, found in ((0, "RUNNING"), (LEASE_SECONDS - 60, "RUNNING"), (-3600, "RUNNING"), (LEASE_SECONDS + 2, "KILLED")):
        set_back(served, mine, seconds)
        Runs(served, None, Lease(SERVER)).close("FINISHED")
        assert status(served, run_id) == found, seconds
    assert times(served) == {}


def test_a_machine_that_slept_goes_on_with_what_others_took_for_dead(served):
    mine = Lease(SERVER)
    runs = Runs(served, None, mine)
    run_id = begun(served, mine)
    set_back(served, mine, LEASE_SECONDS + 2)
    Runs(served, None, Lease(SERVER)).close("FINISHED")
    assert status(served, run_id) == "KILLED"
    runs.renew()
    assert status(served, run_id) == "RUNNING" and [*times(served)] == [TIME + mine.owner]
    runs.close("FINISHED")
    assert status(served, run_id) == "KILLED" and times(served) == {}


def test_on_a_server_a_file_among_the_experiments_tells_at_once(served, folder):
    mine, other = Lease(SERVER, folder / "experiments" / "digits"), Lease(SERVER, folder / "experiments" / "scratch")
    run_id = begun(served, mine)
    set_back(served, mine, LEASE_SECONDS + 2)
    Runs(served, None, other)
    assert status(served, run_id) == "RUNNING"
    set_back(served, mine, 0)
    # The process ends: what it had open is closed.
    mine._file.close()
    Runs(served, None, other)
    assert status(served, run_id) == "KILLED"
    assert [path.name for path in (folder / "experiments").glob("*/work/leases/*")] == [other.owner]


def test_a_lease_is_written_twice_a_minute_at_most(served, monkeypatch):
    now, written = [1e9], []
    monkeypatch.setattr(lease.time, "time", lambda: now[0])
    monkeypatch.setattr(served.client, "set_experiment_tag", lambda *args: written.append(args))
    mine = Lease(SERVER)
    for _ in range(600):
        mine.take(served)
        now[0] += 0.1
    assert len(written) == 2
    now[0] -= 3600
    assert not mine.renew(served) and len(written) == 3
