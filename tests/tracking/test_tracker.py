"""MLflow as a view: each point once, whatever happened before, and each sweep with all its points."""

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from pipeline.settings import TrackingSettings
from pipeline.tracking import runs, tracker, writer
from pipeline.tracking.events import Compared
from pipeline.tracking.glance import settled
from pipeline.tracking.lease import Lease
from pipeline.tracking.store import open_store
from pipeline.tracking.sweeps import mark, sweep_key
from pipeline.tracking.tracker import Tracker
from tests.helpers.tracking import (
    EXPERIMENT,
    make_points,
    make_record,
    open_tracker,
    parents,
    point_runs,
    runs_of,
    settings_of,
    statuses,
    sweep_of,
    track,
    wait_for,
)  # fmt: skip


def once(points):
    return {point.key: ["FINISHED"] for point in points}


def test_a_sweep_is_a_finished_parent_with_a_finished_child_a_point(folder):
    points = make_points(folder, 2, (3, 9))
    assert track(folder, points) == []
    [parent] = parents(folder)
    assert statuses(folder) == once(points)
    assert parent.info.status == "FINISHED" and parent.info.run_name == "sweep of 4 points"
    assert parent.data.tags["swept"] == "seed" and parent.data.tags["sweep"] == sweep_key(points)
    for [run] in point_runs(folder).values():
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.data.tags[mark(sweep_key(points))] == "yes"
        assert {"host", "pid", "versions", "mlflow.user"} <= set(run.data.tags)
    assert runs_of(folder, "Default") == []


def test_a_point_is_logged_once_however_often_it_is_told(folder):
    points = make_points(folder, 3)
    assert track(folder, points) == []
    before = {run.info.run_id: (run.info.end_time, run.data.metrics) for run in runs_of(folder) if "point" in run.data.tags}
    for sweep in (True, True, False):
        assert track(folder, points, sweep) == []
    assert statuses(folder) == once(points)
    assert before == {r.info.run_id: (r.info.end_time, r.data.metrics) for r in runs_of(folder) if "point" in r.data.tags}
    assert len(parents(folder)) == 1


def test_an_order_of_points_makes_no_other_sweep(folder):
    points = make_points(folder, 3)
    assert sweep_key(points) == sweep_key([*points[::-1], points[0]]) != sweep_key(points[:2])
    assert len(sweep_key(points)) == 16


def test_a_run_is_running_while_its_trajectory_is_trained(folder):
    [first, second] = points = make_points(folder, 2)
    watched = open_tracker(folder, points)
    watched.started(first)
    wait_for(lambda: statuses(folder) == {first.key: ["RUNNING"]})
    [run] = point_runs(folder)[first.key]
    assert run.data.params["seed"] == "0" and run.data.params["model.kernel_size"] == "3"
    watched.finished(first, make_record(first), known=False)
    wait_for(lambda: statuses(folder) == {first.key: ["FINISHED"]})
    assert point_runs(folder)[first.key][0].info.run_id == run.info.run_id
    watched.finished(second, make_record(second), known=False)
    assert watched.close("FINISHED") == []
    assert statuses(folder) == once(points)


def test_a_stop_leaves_runs_killed_and_the_next_command_goes_on_with_them(folder):
    [first, second, third] = points = make_points(folder, 3)
    watched = open_tracker(folder, points)
    for point in (first, second):
        watched.started(point)
    watched.finished(first, make_record(first), known=False)
    wait_for(lambda: statuses(folder) == {first.key: ["FINISHED"], second.key: ["RUNNING"]})
    assert watched.close("KILLED") == watched.close("KILLED") == []
    # The third never started: it has no run.
    assert statuses(folder) == {first.key: ["FINISHED"], second.key: ["KILLED"]}
    assert parents(folder)[0].info.status == "KILLED"
    before = {run.info.run_id for run in runs_of(folder)}
    assert track(folder, points) == []
    assert statuses(folder) == once(points)
    assert {run.info.run_id for run in runs_of(folder)} == before | {point_runs(folder)[third.key][0].info.run_id}
    assert [run.info.status for run in parents(folder)] == ["FINISHED"]


def test_what_never_started_in_a_failed_sweep_has_no_run_and_a_failed_point_says_why(folder):
    [good, bad, _] = points = make_points(folder, 3)
    watched = open_tracker(folder, points)
    watched.started(bad)
    watched.finished(good, make_record(good), known=False)
    watched.failed(bad, ArithmeticError("head a: nan or inf\nin the second line \udc80"))
    assert watched.close("FAILED") == []
    assert statuses(folder) == {good.key: ["FINISHED"], bad.key: ["FAILED"]}
    [run] = point_runs(folder)[bad.key]
    assert run.data.tags["error"] == "head a: nan or inf" and run.data.params["seed"] == "1"
    assert parents(folder)[0].info.status == "FAILED"
    # It is mended, and trained again.
    assert track(folder, points) == []
    [again] = point_runs(folder)[bad.key]
    assert (again.info.run_id, again.info.status) == (run.info.run_id, "FINISHED") and "error" not in again.data.tags


def test_a_point_that_fails_later_stays_finished(folder):
    [point] = make_points(folder, 1)
    assert track(folder, [point], sweep=False) == []
    watched = open_tracker(folder)
    watched.failed(point, OSError("no space"))
    assert watched.close("FAILED") == []
    assert statuses(folder) == once([point])


def dead_run(folder, tags):
    store = open_store(settings_of(folder), EXPERIMENT)
    return store.client.create_run(store.experiment_id, run_name="old", tags={**Lease("").tags(), **tags}).info.run_id


def test_runs_of_dead_processes_are_killed_at_the_next_command(folder):
    points = make_points(folder, 2)
    of_sweep, alone = dead_run(folder, {"sweep": "another"}), dead_run(folder, {"point": "other/1"})
    far = dead_run(folder, {"host": "another host", "pid": "1"})
    same = dead_run(folder, {"point": points[0].key})
    assert track(folder, points[:1], sweep=False) == []
    found = {run.info.run_id: run.info.status for run in runs_of(folder)}
    assert found == {of_sweep: "KILLED", alone: "KILLED", far: "KILLED", same: "FINISHED"}
    [run] = point_runs(folder)[points[0].key]
    assert run.info.run_name == "seed=0 it=5"


def test_of_two_runs_of_a_point_from_older_versions_the_finished_one_counts(folder):
    [point] = points = make_points(folder, 1)
    store = open_store(settings_of(folder), EXPERIMENT)
    ids = [store.client.create_run(store.experiment_id, tags={"point": point.key}).info.run_id for _ in range(3)]
    for run_id, status in zip(ids, ("KILLED", "FINISHED", "FAILED"), strict=True):
        store.client.set_terminated(run_id, status)
    for sweep in (True, False):
        assert track(folder, points, sweep) == []
    found = {run.info.run_id: (run.info.status, "mlflow.parentRunId" in run.data.tags) for run in point_runs(folder)[point.key]}
    assert found == {ids[0]: ("KILLED", False), ids[1]: ("FINISHED", True), ids[2]: ("FAILED", False)}


def test_two_sweeps_share_points(folder):
    points = make_points(folder, 3)
    first, second = points[:2], points[1:]
    place = {}
    for sweep in (first, second):
        assert track(folder, sweep) == []
        place[sweep_key(sweep)] = next(r.info.run_id for r in parents(folder) if r.data.tags["sweep"] == sweep_key(sweep))
    assert statuses(folder) == once(points) and len(parents(folder)) == 2

    def above():
        found = point_runs(folder)
        return [found[point.key][0].data.tags["mlflow.parentRunId"] for point in points]

    one, two = place[sweep_key(first)], place[sweep_key(second)]
    assert above() == [one, two, two]
    shared = point_runs(folder)[points[1].key][0].data.tags
    assert shared[mark(sweep_key(first))] == shared[mark(sweep_key(second))] == "yes"
    # The first again: the shared point goes back; alone, it stays where it is.
    assert track(folder, first) == []
    assert above() == [one, one, two]
    assert track(folder, points[2:], sweep=False) == []
    assert above() == [one, one, two]
    assert len(runs_of(folder)) == 5


def test_a_point_alone_gets_a_parent_with_its_first_sweep(folder):
    points = make_points(folder, 2)
    assert track(folder, points[:1], sweep=False) == []
    [run] = point_runs(folder)[points[0].key]
    assert "mlflow.parentRunId" not in run.data.tags
    assert track(folder, points) == []
    [again] = point_runs(folder)[points[0].key]
    assert again.info.run_id == run.info.run_id
    assert again.data.tags["mlflow.parentRunId"] == parents(folder)[0].info.run_id


def test_an_experiment_with_more_runs_than_a_page_has_no_duplicates(folder, monkeypatch):
    monkeypatch.setattr(runs, "PAGE", 2)
    points = make_points(folder, 9)
    assert track(folder, points[:5]) == []
    for _ in range(2):
        assert track(folder, points) == []
    assert track(folder, points[2:4]) == []
    assert statuses(folder) == once(points)


def test_a_caller_is_not_told_of_faults(folder, monkeypatch):
    monkeypatch.setattr(tracker, "CURVE_SECONDS", 0.0)
    points = make_points(folder, 1)
    watched = open_tracker(folder, points)
    watched.advanced(points, 3, lambda: 1 / 0)
    watched.advanced(points, 3, lambda: np.zeros((3, 7)))  # of other heads than the data has
    watched.finished(points[0], make_record(points[0]), known=False)
    wait_for(lambda: statuses(folder) == once(points))
    assert watched.close("FINISHED") == []


def test_a_damaged_record_keeps_no_other_from_being_logged(folder):
    [good, bad, late] = points = make_points(folder, 3)
    records = {point.key: make_record(point) for point in points}
    (bad.folder / "losses.npy").write_bytes(b"")
    watched = open_tracker(folder, points)
    for point in (bad, good, late):
        watched.finished(point, records[point.key], known=True)
    [line] = watched.close("FAILED")
    assert line.startswith(f"MLflow: {bad.folder / 'losses.npy'}: ") and "1 of 3 points is not logged yet" in line
    assert statuses(folder) == {**once([good, late]), bad.key: ["KILLED"]}
    assert parents(folder)[0].info.status == "FAILED"


@pytest.mark.slow
def test_many_points_are_logged(folder):
    points = make_points(folder, 40, (1, 2, 3, 4, 5))
    first = make_record(points[0])
    # Whatever threads earlier tests left.
    before = threading.active_count()
    watched = open_tracker(folder, points)
    for point in points:
        watched.started(point)
        watched.finished(point, make_record(point) if point.iterations == 5 else first, known=False)
    assert threading.active_count() < before + 5
    assert watched.close("FINISHED") == []
    assert len(point_runs(folder)) == 200 and statuses(folder) == once(points)


def test_tracking_is_off_by_having_no_tracker_and_a_bad_address_is_refused_at_once():
    from pipeline.base.errors import SettingsError

    for tracking in (TrackingSettings(uri="sqlite:///relative.db"), TrackingSettings("server", "http://"),
                     TrackingSettings("server", "http://a:b"), TrackingSettings(uri="sqlite:////a.db?timeout=1")):  # fmt: skip
        with pytest.raises(SettingsError, match=r"tracking\.uri: must be"):
            Tracker(tracking, EXPERIMENT, None)


def test_jobs_of_another_launcher_hang_their_points_under_the_sweep_and_do_not_end_it(folder, monkeypatch):
    monkeypatch.setattr(runs, "PARENT_WAIT", 0.01)
    points = make_points(folder, 2)
    view = sweep_of(points)
    sweep = open_tracker(folder, points)
    sweep.open()
    for point in points:
        job = Tracker(settings_of(folder), EXPERIMENT, view.of_a_job())
        job.finished(point, make_record(point), known=False)
        assert job.close("FINISHED") == []
    assert [run.info.status for run in parents(folder)] == ["RUNNING"]
    assert sweep.close("FINISHED") == []
    [parent] = parents(folder)
    assert parent.info.status == "FINISHED" and statuses(folder) == once(points)
    assert {r.data.tags["mlflow.parentRunId"] for [r] in point_runs(folder).values()} == {parent.info.run_id}


def again(folder, points, compared, known=True, status="FINISHED"):
    """The next command, in which MLflow cannot be opened: what it says of that."""
    watched = open_tracker(folder, points)
    for point in points:
        watched.finished(point, make_record(point), known=known)
    watched.compared(compared)
    return watched.close(status)


@pytest.fixture
def compared(folder):
    (folder / "points.csv").write_text("a\n")
    return Compared(folder, "seed=0", {"train_loss": 0.5}, "text", "train_loss")


def test_a_sweep_that_is_known_whole_is_not_told_again(folder, monkeypatch, compared):
    points = make_points(folder, 3)
    assert again(folder, points, compared, known=False) == []
    before = [(run.info.run_id, run.info.end_time) for run in runs_of(folder)]

    def refuse(*_):
        raise OSError("it is not to be opened")

    with monkeypatch.context() as patch:
        patch.setattr(writer, "open_store", refuse)
        assert again(folder, points, compared) == []
        assert [(run.info.run_id, run.info.end_time) for run in runs_of(folder)] == before
        # Whatever is new has to be told, and here cannot be.
        monkeypatch.setattr(tracker, "PATIENCE", 0.2)
        assert again(folder, points, compared, known=False) != []
        assert again(folder, points, replace(compared, text="other")) != []
        assert again(folder, points, compared, status="FAILED") != []
        assert again(folder, points[:2], compared) != []
        (folder / "points.csv").write_text("b\n")
        assert again(folder, points, compared) != []


@pytest.mark.parametrize("change", ["DELETE FROM tags WHERE key = 'point'", "UPDATE runs SET status = 'RUNNING'",
                                    "UPDATE runs SET lifecycle_stage = 'deleted'", "DROP TABLE tags",
                                    "UPDATE experiments SET artifact_location = 'file:///a/mlartifacts/b'"])  # fmt: skip
def test_a_store_that_is_not_as_expected_is_opened(folder, monkeypatch, compared, change):
    points = make_points(folder, 2)
    assert again(folder, points, compared) == []
    view = sweep_of(points)
    assert settled(settings_of(folder), EXPERIMENT, view) == compared.digest()
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        connection.execute(change)
        connection.commit()
    assert settled(settings_of(folder), EXPERIMENT, view) is None
    (folder / "mlflow.db").write_bytes(b"garbage")
    assert settled(settings_of(folder), EXPERIMENT, view) is None
