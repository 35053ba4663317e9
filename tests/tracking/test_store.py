"""Stores that are missing, locked, damaged or gone: training is not held up, one line says what is wrong."""

import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from pipeline.settings import TrackingSettings
from pipeline.tracking import tracker
from pipeline.tracking.store import open_store
from pipeline.tracking.tracker import Tracker, patience
from tests.helpers.tracking import (
    EXPERIMENT,
    copy_store,
    damage,
    locked,
    make_points,
    one_line,
    open_tracker,
    parents,
    point_runs,
    settings_of,
    statuses,
    told,
    track,
    wait_for,
)  # fmt: skip

# MLflow's tables make sqlalchemy warn, and what warns then is broken for the rest of the process.
# Real databases and stand-ins for servers, damaged and locked, take seconds each.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.slow]


def test_a_missing_store_is_made_whole(tmp_path):
    points = make_points(tmp_path, 2)
    assert track(tmp_path, points) == []
    assert len(point_runs(tmp_path)) == 2
    names = {path.name for path in tmp_path.iterdir()}
    database = {f"mlflow.db{rest}" for rest in ("", "-wal", "-shm", ".lock", ".runs.lock")}
    assert names <= database | {"mlartifacts", "experiments"}
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


def test_a_locked_store_holds_nothing_up_and_is_filled_later(folder, monkeypatch):
    monkeypatch.setattr(tracker, "PATIENCE", 0.7)
    points = make_points(folder, 4)
    with locked(folder):
        watched = open_tracker(folder, points)
        assert told(watched, points) < 1
        line = one_line(watched)
        place = f"sqlite:///{folder / 'mlflow.db'}"
        wanted = f"MLflow: the store {place} is locked by another program; 4 of 4 points are not logged yet, the next command"
        assert line == f"{wanted} logs them"
    monkeypatch.undo()
    assert track(folder, points) == []
    assert statuses(folder) == {point.key: ["FINISHED"] for point in points} and len(parents(folder)) == 1


def test_a_store_that_is_locked_for_a_while_is_filled_when_it_is_free(folder):
    points = make_points(folder, 4)
    with locked(folder):
        watched = open_tracker(folder, points)
        assert told(watched, points) < 1
        wait_for(lambda: watched._trouble is not None)
    assert watched.close("FINISHED") == []
    assert statuses(folder) == {point.key: ["FINISHED"] for point in points}


def test_a_store_that_is_locked_in_the_middle_is_waited_for(folder):
    points = make_points(folder, 6)
    watched = open_tracker(folder, points)
    told(watched, points[:3])
    wait_for(lambda: len(statuses(folder)) == 3)
    with locked(folder):
        assert told(watched, points[3:]) < 1
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


WORDS = {
    "folder": "is a folder",
    "garbage": "is damaged",
    "truncated": "is damaged",
    "half made": "is no MLflow database, or was never finished",
    "newer": "was made by another version of MLflow",
}


@pytest.mark.parametrize("kind", WORDS)
def test_a_damaged_store_is_told_with_what_to_do(folder, kind, caplog, capfd, monkeypatch):
    monkeypatch.setattr(tracker, "PATIENCE", 0.7)
    damage(folder / "mlflow.db", kind)
    points = make_points(folder, 2)
    watched = open_tracker(folder, points)
    assert told(watched, points) < 1
    line = one_line(watched)
    assert line.startswith(f"MLflow: the store sqlite:///{folder / 'mlflow.db'} {WORDS[kind]}")
    assert "2 of 2 points are not logged yet; move it away or delete it: the next command fills a new one" in line
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name.split(".")[0] in ("mlflow", "alembic", "sqlalchemy")]
    monkeypatch.undo()
    path = folder / "mlflow.db"
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert track(folder, points) == []
    assert statuses(folder) == {point.key: ["FINISHED"] for point in points}


def test_a_store_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(tracker, "PATIENCE", 0.7)
    (tmp_path / "file").touch()
    watched = Tracker(TrackingSettings(uri=f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}"), EXPERIMENT, None)
    told(watched, make_points(tmp_path, 1))
    assert str(tmp_path / "file") in one_line(watched)


def test_how_long_the_end_waits():
    assert patience(0, opening=False) == 2 and patience(27, opening=False) == 8.75
    assert patience(0, opening=True) == 2 + tracker.PATIENCE_OPENING
