"""Stores that are missing, locked, damaged or gone: training is not held up, one line says what is wrong."""

import resource
import sqlite3
import time
from pathlib import Path

import pytest

from pipeline.records.record import read_record
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
    make_record,
    one_line,
    open_tracker,
    parents,
    point_runs,
    runs_of,
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
        wait_for(lambda: watched._writer.trouble is not None)
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


def test_a_stop_waits_two_seconds_for_a_locked_store(folder, impatient):
    # A sweep that goes on to its end waits nine and a half for so many.
    points = make_points(folder, 30)
    with locked(folder):
        watched = open_tracker(folder, points)
        told(watched, points)
        assert "30 of 30 points are not logged yet" in one_line(watched, "KILLED", most=8)


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
    "garbage": "is damaged or no database",
    "truncated": "is damaged",
    "half made": "was never finished",
    "newer": "was made by a later version of MLflow",
    "within params": "is damaged",
}


@pytest.mark.parametrize("kind", WORDS)
def test_a_store_that_cannot_be_used_is_set_aside_and_a_new_one_filled(folder, kind, caplog, capfd):
    damage(folder / "mlflow.db", kind)
    (folder / "mlflow.db-wal").unlink(missing_ok=True)
    before = None if kind == "folder" else (folder / "mlflow.db").read_bytes()
    points = make_points(folder, 2)
    watched = open_tracker(folder, points)
    assert told(watched, points) < 1
    line = f"MLflow: the store sqlite:///{folder / 'mlflow.db'} {WORDS[kind]}; it is kept in mlflow.db.aside/, a new one"
    assert one_line(watched) == f"{line} takes its place; ovrcnn track logs what was recorded before"
    assert statuses(folder) == {point.key: ["FINISHED"] for point in points}
    kept = folder / "mlflow.db.aside" / "mlflow.db"
    # Of one that was found out late, a run or two may have been written before.
    assert kept.is_dir() if before is None else kept.read_bytes() == before or kind == "within params"
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name.split(".")[0] in ("mlflow", "alembic", "sqlalchemy")]
    assert track(folder, points) == []


@pytest.mark.parametrize(("late", "table"), [(3, "params"), (0, "runs")])
def test_a_store_that_is_damaged_meanwhile_is_filled_anew(folder, late, table):
    """Also when all that is left to say is that the sweep has ended."""
    points = make_points(folder, 3 + late)
    watched = open_tracker(folder, points)
    told(watched, points[:3])
    wait_for(lambda: statuses(folder) == {point.key: ["FINISHED"] for point in points[:3]})
    damage(folder / "mlflow.db", f"within {table}")
    told(watched, points[3:])
    [line] = watched.close("FINISHED")
    assert line.endswith("a new one takes its place; ovrcnn track logs what was recorded before")
    assert statuses(folder) == {point.key: ["FINISHED"] for point in points}
    assert [run.info.status for run in parents(folder)] == ["FINISHED"]


@pytest.mark.parametrize("versions", [1, 10])
def test_a_store_of_an_earlier_mlflow_is_upgraded_on_a_copy(folder, versions):
    damage(folder / "mlflow.db", f"older {versions}")
    points = make_points(folder, 1)
    [line] = track(folder, points, sweep=False)
    said = (
        "was made by an earlier version of MLflow; it was brought to this one's form, and is kept as it was in mlflow.db.aside"
    )
    assert said in line and line.endswith(" mlflow.db.aside/")
    assert statuses(folder) == {points[0].key: ["FINISHED"]} and "old" in {run.info.run_id for run in runs_of(folder)}
    assert track(folder, points, sweep=False) == []


def test_a_file_that_no_one_would_call_a_database_stays_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(tracker, "PATIENCE", 0.7)
    path = tmp_path / "thesis.txt"
    path.write_text("years of work")
    watched = Tracker(TrackingSettings(uri=f"sqlite:///{path}"), EXPERIMENT, None)
    told(watched, make_points(tmp_path, 1))
    assert f"the store sqlite:///{path} is no database; " in one_line(watched) and path.read_text() == "years of work"


@pytest.mark.parametrize("kind", ["another program's", "a folder with files"])
def test_what_is_another_programs_stays_where_it_is(folder, kind, monkeypatch):
    monkeypatch.setattr(tracker, "PATIENCE", 0.7)
    path = folder / "mlflow.db"
    path.unlink()
    if kind == "a folder with files":
        path.mkdir()
        (path / "thesis").touch()
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE runs (kilometres)")
            connection.execute("CREATE TABLE shoes (name)")
        connection.close()
    watched = open_tracker(folder)
    told(watched, make_points(folder, 1))
    assert one_line(watched).endswith("1 of 1 points is not logged yet; choose another tracking.uri, or move it away")
    assert path.exists() and not (folder / "mlflow.db.aside").exists()


def test_a_disk_that_has_no_room_for_a_store_is_told_and_the_next_command_makes_it(tmp_path, monkeypatch):
    """A limit on the size of files fails writes for real, as a full disk does."""
    monkeypatch.setattr(tracker, "PATIENCE", 0.7)
    points, (_, most) = make_points(tmp_path, 1), resource.getrlimit(resource.RLIMIT_FSIZE)
    make_record(points[0])
    watched = open_tracker(tmp_path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, most))
    try:
        watched.finished(points[0], read_record(points[0].folder), known=True)
        line = one_line(watched)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    wanted = f"MLflow: {tmp_path}: has no room for a store (File too large); 1 of 1 points is not logged yet"
    assert line == f"{wanted}; once it has, the next command logs them"
    assert not list(tmp_path.glob("*.aside"))
    monkeypatch.undo()
    assert track(tmp_path, points, sweep=False) == []


def test_a_store_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(tracker, "PATIENCE", 0.7)
    (tmp_path / "file").touch()
    watched = Tracker(TrackingSettings(uri=f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}"), EXPERIMENT, None)
    told(watched, make_points(tmp_path, 1))
    assert str(tmp_path / "file") in one_line(watched)


def test_how_long_the_end_waits(impatient):
    assert patience(0, opening=False) == 2 and patience(27, opening=False) == 8.75
    assert patience(0, opening=True) == 2 + tracker.PATIENCE_OPENING
