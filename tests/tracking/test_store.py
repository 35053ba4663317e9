"""Stores that are missing, locked, damaged or gone: training is not held up, one line says what is wrong."""

import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.settings import TrackingSettings
from pipeline.tracking import tracker
from pipeline.tracking.store import check_store, open_store
from pipeline.tracking.tracker import Tracker, patience
from tests.helpers.commands import ROOT
from tests.helpers.tracking import (
    EXPERIMENT,
    answering,
    copy_store,
    locked,
    make_points,
    make_record,
    open_tracker,
    parents,
    point_runs,
    settings_of,
    statuses,
    sweep_of,
    track,
    wait_for,
)  # fmt: skip

# MLflow's tables make sqlalchemy warn, and what warns then is broken for the rest of the process.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def told(watched: Tracker, points) -> float:
    """Tell a tracker of points; the longest that it took to listen."""
    longest = 0.0
    for point in points:
        record = make_record(point)
        begin = time.perf_counter()
        watched.started(point)
        watched.advanced([point], 1, lambda record=record: record.losses)
        watched.finished(point, record, known=False)
        longest = max(longest, time.perf_counter() - begin)
    return longest


def one_line(watched: Tracker, status="FINISHED", most=15.0) -> str:
    begin = time.monotonic()
    [line] = watched.close(status)
    assert time.monotonic() - begin < most
    assert line.startswith("MLflow: ") and "\n" not in line
    return line


def test_a_missing_store_is_made_whole(tmp_path):
    points = make_points(tmp_path, 2)
    assert track(tmp_path, points) == []
    assert len(point_runs(tmp_path)) == 2
    names = {path.name for path in tmp_path.iterdir()}
    assert names <= {"mlflow.db", "mlflow.db-wal", "mlflow.db-shm", "mlflow.db.lock", "mlartifacts", "experiments"}
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    assert not Path("mlruns").exists()


def test_what_a_kill_left_of_a_database_is_removed_and_an_empty_file_is_none(tmp_path):
    left = tmp_path / ".mlflow.db.new.killed"
    left.mkdir()
    (left / "mlflow.db").write_bytes(b"half of it")
    (tmp_path / "mlflow.db").touch()
    points = make_points(tmp_path, 1)
    assert track(tmp_path, points, sweep=False) == []
    assert not left.exists() and statuses(tmp_path) == {points[0].key: ["FINISHED"]}


def test_a_kill_while_a_database_is_made_leaves_none(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        open_store(settings_of(tmp_path), EXPERIMENT)
    assert not (tmp_path / "mlflow.db").exists()
    open_store(settings_of(tmp_path), EXPERIMENT)


def test_a_deleted_experiment_is_restored(folder):
    store = open_store(settings_of(folder), EXPERIMENT)
    store.client.delete_experiment(store.experiment_id)
    assert track(folder, make_points(folder, 1), sweep=False) == []


def test_a_locked_store_holds_nothing_up_and_is_filled_later(folder):
    points = make_points(folder, 4)
    with locked(folder):
        watched = open_tracker(folder, points)
        assert told(watched, points) < 0.05
        line = one_line(watched)
        place = f"sqlite:///{folder / 'mlflow.db'}"
        wanted = f"MLflow: the store {place} is locked by another program; 4 of 4 points are not logged yet, the next command"
        assert line == f"{wanted} logs them"
    assert track(folder, points) == []
    assert statuses(folder) == {point.key: ["FINISHED"] for point in points} and len(parents(folder)) == 1


def test_a_store_that_is_locked_for_a_while_is_filled_when_it_is_free(folder):
    points = make_points(folder, 4)
    with locked(folder):
        watched = open_tracker(folder, points)
        assert told(watched, points) < 0.05
        wait_for(lambda: watched._trouble is not None)
    assert watched.close("FINISHED") == []
    assert statuses(folder) == {point.key: ["FINISHED"] for point in points}


def test_a_store_that_is_locked_in_the_middle_is_waited_for(folder):
    points = make_points(folder, 6)
    watched = open_tracker(folder, points)
    told(watched, points[:3])
    wait_for(lambda: len(statuses(folder)) == 3)
    with locked(folder):
        assert told(watched, points[3:]) < 0.05
        time.sleep(0.3)
    assert watched.close("FINISHED") == []
    assert statuses(folder) == {point.key: ["FINISHED"] for point in points}


def test_a_stop_waits_two_seconds_for_a_locked_store(folder):
    points = make_points(folder, 30)
    with locked(folder):
        watched = open_tracker(folder, points)
        told(watched, points)
        assert "30 of 30 points are not logged yet" in one_line(watched, "KILLED", most=2.5)


@pytest.mark.parametrize("again", [True, False])
def test_a_store_that_is_deleted_meanwhile_is_filled_anew(folder, database, again):
    points = make_points(folder, 4)
    watched = open_tracker(folder, points)
    told(watched, points[:2])
    wait_for(lambda: statuses(folder) == {point.key: ["FINISHED"] for point in points[:2]})
    for file in folder.glob("mlflow.db*"):
        file.unlink()
    if again:
        copy_store(database, folder)
    told(watched, points[2:])
    assert watched.close("FINISHED") == []
    assert statuses(folder) == {point.key: ["FINISHED"] for point in points}
    assert [run.info.status for run in parents(folder)] == ["FINISHED"]


def damage(path: Path, kind: str) -> None:
    if kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "garbage":
        path.write_bytes(b"this is no database" * 100)
    elif kind == "truncated":
        path.write_bytes(path.read_bytes()[:50_000])
    elif kind == "half made":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE experiments (x)")
        connection.close()
    elif kind == "newer":
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        connection.close()


WORDS = {
    "folder": "is a folder",
    "garbage": "is damaged",
    "truncated": "is damaged",
    "half made": "is no MLflow database, or was never finished",
    "newer": "was made by another version of MLflow",
}


@pytest.mark.parametrize("kind", WORDS)
def test_a_damaged_store_is_told_with_what_to_do(folder, kind, caplog, capfd):
    damage(folder / "mlflow.db", kind)
    points = make_points(folder, 2)
    watched = open_tracker(folder, points)
    assert told(watched, points) < 0.05
    line = one_line(watched)
    assert line.startswith(f"MLflow: the store sqlite:///{folder / 'mlflow.db'} {WORDS[kind]}")
    assert "2 of 2 points are not logged yet; move it away or delete it: the next command fills a new one" in line
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name.split(".")[0] in ("mlflow", "alembic", "sqlalchemy")]
    path = folder / "mlflow.db"
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert track(folder, points) == []
    assert statuses(folder) == {point.key: ["FINISHED"] for point in points}


def test_a_store_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    watched = Tracker(TrackingSettings(uri=f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}"), EXPERIMENT, None)
    told(watched, make_points(tmp_path, 1))
    assert str(tmp_path / "file") in one_line(watched)


def test_how_long_the_end_waits():
    assert patience(0, opening=False) == 2 and patience(27, opening=False) == 8.75 and patience(0, opening=True) == 6


REASONS = {"500": "answers with error 500", "403": "answers with error 403", "200": "does not answer like an MLflow server"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*REASONS, "nothing", "nobody"])
def test_a_server_that_is_no_help_is_told_at_the_end(tmp_path, monkeypatch, kind, capfd):
    points = make_points(tmp_path, 2)
    with answering("500" if kind == "nobody" else kind) as address:
        uri = "http://127.0.0.1:9" if kind == "nobody" else address
        tracking = TrackingSettings("server", uri)
        check_store(tracking)
        watched = Tracker(tracking, EXPERIMENT, sweep_of(points))
        assert told(watched, points) < 0.05
        line = one_line(watched, most=8)
    reason = REASONS.get(kind, "does not answer in time" if kind == "nothing" else "cannot be reached (connection refused)")
    assert line == f"MLflow: the server {uri} {reason}; 2 of 2 points are not logged yet, the next command logs them"
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["locked", "nothing", "newer"])
def test_a_process_ends_soon_and_says_one_line(folder, kind):
    """Whatever MLflow's thread hangs in, the end of the process does not wait for it, nor does it print a traceback."""
    code = f"""
import sys, time
from pathlib import Path
from tests.helpers.tracking import *
place, uri = Path({str(folder)!r}), sys.argv[1]
points = make_points(place, 2)
watched = Tracker(TrackingSettings("server" if uri.startswith("http") else "sqlite", uri), EXPERIMENT, sweep_of(points))
for point in points:
    watched.finished(point, make_record(point), known=False)
begin = time.monotonic()
print(*watched.close("FINISHED"), flush=True)
print(time.monotonic() - begin, flush=True)
"""

    def ended(uri):
        begin = time.monotonic()
        found = subprocess.run([sys.executable, "-c", code, uri], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert found.returncode == 0 and found.stderr == ""
        line, waited = found.stdout.splitlines()
        assert line.startswith("MLflow: ") and float(waited) < 8
        assert time.monotonic() - begin < 30

    if kind == "nothing":
        with answering("nothing") as uri:
            ended(uri)
    elif kind == "locked":
        with locked(folder):
            ended(settings_of(folder).uri)
    else:
        damage(folder / "mlflow.db", kind)
        ended(settings_of(folder).uri)


@pytest.mark.slow
def test_eight_processes_on_no_database_lose_nothing(tmp_path):
    code = """
import sys
from pathlib import Path
from tests.helpers.tracking import *
points = make_points(Path(sys.argv[1]), 8)
print(track(Path(sys.argv[1]), points[int(sys.argv[2]) : int(sys.argv[2]) + 1], sweep=False))
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    started = [subprocess.Popen([*command, str(n)], cwd=ROOT, stdout=subprocess.PIPE, text=True) for n in range(8)]
    said = [process.communicate(timeout=120)[0] for process in started]
    # On few cores eight imports take long; what was not logged in time is logged by the next command.
    assert all(line.strip() == "[]" or "the next command" in line for line in said)
    points = make_points(tmp_path, 8)
    for point in points:
        assert track(tmp_path, [point], sweep=False) == []
    assert statuses(tmp_path) == {point.key: ["FINISHED"] for point in points}


@pytest.mark.slow
def test_a_real_server_holds_each_point_once(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{tmp_path / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(tmp_path / "far"), "--port", port, "--workers", "1"]
    points, tracking = make_points(tmp_path, 3), TrackingSettings("server", f"http://127.0.0.1:{port}")
    for point in points:
        make_record(point)
    watched = Tracker(tracking, EXPERIMENT, sweep_of(points))
    told(watched, points)
    # It is not even there yet.
    wait_for(lambda: watched._trouble is not None)
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path)
    try:
        wait_for(lambda: (tmp_path / "mlflow.db").exists() and watched._runs is not None and not watched._waiting, 90)
        assert watched.close("FINISHED") == []
        again = Tracker(tracking, EXPERIMENT, sweep_of(points))
        told(again, points)
        assert again.close("FINISHED") == []
    finally:
        server.terminate()
        server.wait()
    assert statuses(tmp_path) == {point.key: ["FINISHED"] for point in points}
    assert len(list((tmp_path / "far").rglob("kernels.png"))) == 3


def test_waiting_is_longer_each_time():
    assert tracker.FIRST_WAIT < tracker.LONGEST_WAIT
