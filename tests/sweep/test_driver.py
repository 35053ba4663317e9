"""The driver: whatever was there before, whatever interrupted it, a record has the bytes of straight training."""

import errno
import logging
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.context import BaseContext
from pathlib import Path

import numpy as np
import pytest

from pipeline.base.errors import FileError, LostWorkerError, NonFiniteError
from pipeline.heads.compiled import engine
from pipeline.heads.elementary import sigmoid
from pipeline.heads.one_vs_rest import Workers, all_logits
from pipeline.records.record import read_record
from pipeline.settings import ComputeSettings
from pipeline.sweep import driver, underway
from pipeline.sweep.driver import drive
from pipeline.sweep.executors import pool
from pipeline.sweep.locks import Locks
from pipeline.sweep.pool import share_cores
from tests.helpers.records import (
    Recorder,
    counted,
    point_of,
    record_files,
    small_data,
    small_settings,
    straight,
    train,
    with_training,
)

BOTH = pytest.mark.parametrize("tested", [True, False])
SCHEDULES = pytest.mark.parametrize("schedule", ["constant", "cosine"])


def test_a_finished_point_is_not_computed_again(tmp_path, monkeypatch):
    calls, dataset = counted(monkeypatch), small_data()
    folder = train(small_settings(tmp_path), dataset)
    assert sum(calls) == 3 * 40
    first = record_files(folder)
    calls.clear()
    seen = Recorder()
    assert train(small_settings(tmp_path), dataset, observer=seen) == folder
    assert calls == [] and seen.trained == [] and len(seen.known) == 1 and record_files(folder) == first


@BOTH
def test_a_longer_point_goes_on_from_a_shorter_one_to_the_same_bytes(tmp_path, monkeypatch, tested):
    dataset = small_data(tested)
    expected = straight(tmp_path, dataset)
    calls = counted(monkeypatch)
    shorter = record_files(train(small_settings(tmp_path, 25), dataset))
    assert sum(calls) == 3 * 25
    assert record_files(train(small_settings(tmp_path, 40), dataset)) == expected
    assert sum(calls) == 3 * 40
    assert record_files(train(small_settings(tmp_path, 25), dataset)) == shorter
    longer_first = small_settings(tmp_path / "other", 40)
    train(longer_first, dataset)
    assert record_files(train(with_training(longer_first, iterations=25), dataset)) == shorter


@BOTH
def test_waypoints_are_written_on_the_way_and_no_others(tmp_path, monkeypatch, tested):
    dataset, settings = small_data(tested), small_settings(tmp_path)
    expected = {n: straight(tmp_path, dataset, n) for n in (1, 24, 25, 40)}
    calls = counted(monkeypatch)
    folder = train(settings, dataset, waypoints=[24, 25, 1, 25, 40])
    assert sum(calls) == 3 * 40
    assert sorted(int(path.name) for path in folder.parent.iterdir()) == [1, 24, 25, 40]
    assert {n: record_files(folder.parent / str(n)) for n in expected} == expected


def test_block_lengths_do_not_change_a_byte(tmp_path, eager):
    dataset = small_data()
    tiny = straight(tmp_path / "tiny", dataset)
    underway.FIRST_BLOCK, underway.GROWTH = 7, 100
    assert straight(tmp_path / "large", dataset) == tiny


def test_without_shared_memory_threads_compute_and_one_line_says_so(tmp_path, monkeypatch, capsys):
    """Python's processes wait for each other by semaphores, which Linux keeps in /dev/shm."""

    def refuse(_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(BaseContext, "Lock", refuse)
    dataset, settings = small_data(), small_settings(tmp_path)
    expected = straight(tmp_path / "straight", dataset)
    workers = pool(ComputeSettings("processes", n_jobs=1))
    [line] = capsys.readouterr().out.splitlines()
    assert "threads" in workers.what and line.startswith("compute=processes: threads compute instead") and "/dev/shm" in line
    # What is not compiled yet is compiled here.
    monkeypatch.setattr(engine, "is_compiled", lambda *_: False)
    assert record_files(train(settings, dataset, workers=workers)) == expected


def test_progress_rises_to_the_end(tmp_path, eager):
    seen = Recorder()
    train(small_settings(tmp_path), small_data(), observer=seen)
    assert seen.reached == list(range(3, 40, 3)) and len(seen.trained) == 1


@pytest.mark.parametrize(("executor", "n_jobs"), [("threads", 2), pytest.param("processes", 2, marks=pytest.mark.slow)])
def test_workers_do_not_change_a_byte(tmp_path, executor, n_jobs):
    dataset, settings = small_data(), small_settings(tmp_path)
    folder = train(settings, dataset, workers=pool(ComputeSettings(executor=executor, n_jobs=n_jobs)))
    assert record_files(folder) == straight(tmp_path, dataset)


@BOTH
def test_the_record_says_what_the_heads_say(tmp_path, tested):
    dataset, settings = small_data(tested), small_settings(tmp_path)
    record = read_record(train(settings, dataset))
    # Without a test split, y_hat and metrics are what the last iteration saw before its update, as in the notebook.
    seen = record if tested else read_record(train(with_training(settings, iterations=39), dataset))
    logits = all_logits(seen.heads, dataset.images, dataset.scale, Workers())
    shown = np.flatnonzero(dataset.split == (2 if tested else 0))
    assert record.y_hat["image"].tolist() == shown.tolist()
    assert record.y_hat["target"].tolist() == [dataset.classes[label] for label in dataset.labels[shown]]
    assert record.y_hat.iloc[:, 2:].to_numpy().tobytes() == sigmoid(logits[shown]).tobytes()
    right = logits[shown].argmax(axis=1) == dataset.labels[shown]
    assert record.result.metrics[f"{'test' if tested else 'train'}_accuracy"] == right.mean()
    assert record.losses.shape == (40, 3) and record.classes == list(dataset.classes)
    assert record.result.data == dataset.digest and sum(record.result.images.values()) == 15


def test_strings_as_classes_named_like_columns_train_on(tmp_path):
    dataset = small_data(names=("iteration", "target", "image"))
    expected = straight(tmp_path, dataset)
    train(small_settings(tmp_path, 25), dataset)
    assert record_files(train(small_settings(tmp_path, 40), dataset)) == expected


def test_numbers_that_break_leave_no_record(tmp_path):
    dataset, settings = small_data(), small_settings(tmp_path, alpha=1e308)
    with pytest.raises(NonFiniteError, match=r"head (ant|bee|cat): nan or inf at iteration \d+ with alpha 1e\+308"):
        train(settings, dataset)
    assert not point_of(settings, dataset).folder.exists()


def test_a_scale_at_which_numbers_break_is_named_and_not_alpha(tmp_path):
    dataset = replace(small_data(), scale=1e-320)
    with pytest.raises(NonFiniteError, match=r"; pixels reach inf, divided by data\.scale=1e-320; one that brings them to "):
        train(small_settings(tmp_path, 25), dataset)


def test_another_trajectory_shares_nothing(tmp_path):
    dataset, settings = small_data(), small_settings(tmp_path)
    a, b = train(settings, dataset), train(with_training(settings, alpha=0.25), dataset)
    assert a.parent != b.parent
    assert read_record(a).result != read_record(b).result


def test_a_trajectory_that_breaks_keeps_its_points_before_and_the_others_go_on(tmp_path):
    dataset, settings = small_data(), small_settings(tmp_path)
    wild = with_training(settings, alpha=1e20)
    points = [point_of(with_training(wild, iterations=n), dataset) for n in (1, 2000)] + [point_of(settings, dataset)]
    seen = Recorder()
    outcome = drive(points, pool(settings.compute), seen)
    assert (outcome.done, outcome.failed) == (2, 1)
    assert set(seen.trained) == {points[0].key, points[2].key}
    assert [type(error) for error in seen.errors] == [NonFiniteError]


def test_a_stop_on_a_full_disk_is_a_stop_and_every_trajectory_is_tried(tmp_path, monkeypatch, eager, caplog):
    dataset, settings = small_data(), small_settings(tmp_path)
    points = [point_of(each, dataset) for each in (settings, with_training(settings, alpha=0.2))]
    workers, ended, tried = pool(settings.compute), [], []

    def refuse(training, point, durable=True):
        tried.append(point.key)
        raise OSError(errno.ENOSPC, "No space left on device")

    def stop(*_):
        raise KeyboardInterrupt

    seen = Recorder()
    monkeypatch.setattr(underway.Training, "save", refuse)
    monkeypatch.setattr(seen, "advanced", stop)
    with pytest.raises(KeyboardInterrupt):
        drive(points, replace(workers, close=lambda: ended.append(workers.close())), seen)
    assert sorted(tried) == sorted(point.key for point in points) and ended == [None]
    assert caplog.text.count("its last iterations are not kept (No space left on device)") == 2


@pytest.mark.parametrize("refused", ["write_record", "save"])
def test_a_disk_that_takes_no_more_ends_a_sweep_with_one_line(tmp_path, monkeypatch, eager, caplog, refused):
    """What is trained after that would be lost as well."""
    dataset, settings = small_data(), small_settings(tmp_path)
    points = [point_of(with_training(settings, alpha=alpha), dataset) for alpha in (0.1, 0.2, 0.3, 0.4)]
    seen = Recorder()

    def full(*_, durable=True):
        if durable and len(seen.trained) >= 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    write = driver.write_record
    monkeypatch.setattr(driver, "CHECKPOINT_SECONDS", 0)
    if refused == "save":
        monkeypatch.setattr(underway.Training, "save", full)
    else:
        monkeypatch.setattr(driver, "write_record", lambda *words: full() or write(*words))
    with pytest.raises(FileError, match="the same command goes on with the rest") as told:
        drive(points, pool(settings.compute), seen)
    kept = len([point for point in points if point.folder.exists()])
    said = f"{settings.folder}: No space left on device; {kept} of 4 points are recorded, "
    assert kept < 4 and str(told.value).startswith(said)
    assert seen.errors == [] and not [each for each in caplog.records if each.levelno > logging.INFO]
    monkeypatch.undo()
    again = Recorder()
    assert drive(points, pool(settings.compute), again).done == 4 and len(again.known) == kept


def test_a_damaged_record_that_two_commands_find_at_once_is_set_aside_once(tmp_path, monkeypatch, caplog):
    dataset, settings = small_data(), small_settings(tmp_path)
    expected = straight(tmp_path / "straight", dataset)
    folder = train(settings, dataset)
    (folder / "losses.npy").write_bytes(b"")
    rename = Path.rename

    def late(path, target):
        if path == folder and not target.exists():
            rename(path, target)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", late)
    assert record_files(train(settings, dataset)) == expected
    [kept] = (settings.folder / "work" / "damaged").iterdir()
    assert f"it was moved to {kept} and is computed again" in caplog.text


def test_what_runs_in_parallel_never_takes_more_than_the_cores():
    assert share_cores(27, 2, True) == (2, 1)
    assert share_cores(1, 8, True) == (1, 8)
    assert share_cores(3, 8, True) == (3, 2)
    assert share_cores(1, 8, False) == (1, 1)
    for trajectories in range(1, 30):
        for cores in range(1, 20):
            many, heads = share_cores(trajectories, cores, True)
            assert 1 <= many * heads <= cores and many <= trajectories


class Mortal(ThreadPoolExecutor):
    """An executor whose workers die with some blocks, and stay dead as those of a process pool do."""

    def __init__(self, deaths):
        super().__init__(1)
        self.deaths, self.broken = deaths, False

    def submit(self, function, *arguments):
        if self.broken:
            raise BrokenExecutor("dead")
        if self.deaths and self.deaths.pop(0):
            self.broken = True

            def die():
                raise BrokenExecutor("a worker died")

            return super().submit(die)
        return super().submit(function, *arguments)


def test_a_dead_worker_costs_its_block_and_nothing_else(tmp_path, eager, caplog):
    dataset, settings = small_data(), small_settings(tmp_path)
    expected = straight(tmp_path, dataset)
    deaths = [False, True, False, True, True, False]
    workers = replace(pool(settings.compute), make=lambda: Mortal(deaths))
    assert record_files(train(settings, dataset, workers=workers)) == expected
    assert caplog.text.count("given out again") == 3 and deaths == []


def test_a_block_that_kills_every_worker_fails_its_trajectory_alone(tmp_path):
    settings = small_settings(tmp_path)
    deaths = [True] * 100
    workers = replace(pool(settings.compute), make=lambda: Mortal(deaths))
    with pytest.raises(LostWorkerError, match=r"iterations=40: its workers died 6 times"):
        train(settings, small_data(), workers=workers)


def test_a_trajectory_that_another_process_trains_is_waited_for_and_not_computed_again(tmp_path, monkeypatch):
    dataset, settings = small_data(), small_settings(tmp_path)
    point, others = point_of(settings, dataset), Locks()
    assert others.take(point.settings.folder, point.trajectory)
    naps = []

    def nap(_):
        naps.append(1)
        if len(naps) == 2:
            train(small_settings(tmp_path / "other"), dataset)
            (tmp_path / "other" / "small" / "points").rename(tmp_path / "small" / "points")
            others.release(point.settings.folder, point.trajectory)

    monkeypatch.setattr(driver.time, "sleep", nap)
    seen = Recorder()
    train(settings, dataset, observer=seen)
    assert seen.known == [point.key] and seen.trained == []
