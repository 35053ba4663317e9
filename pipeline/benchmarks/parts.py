"""What a point costs beyond its training, part by part, within one process."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..comparison.compare import compare
from ..records.record import Record, read_record, write_record
from ..settings import TrackingSettings
from ..sweep.point import Point
from ..tracking.address import address_of
from ..tracking.events import Finished
from ..tracking.lease import Lease
from ..tracking.runs import Runs
from ..tracking.store import open_store
from ..tracking.sweeps import SweepView, sweep_key
from ..training.block import Task, start, train_block
from ..training.result import Vectors


def seconds_to_train(points: Sequence[Point]) -> list[float]:
    """For each point the seconds of its training from the first iteration, and of its evaluation."""
    found = []
    for point in points:
        task = Task(point.settings, start(point.settings, point.dataset), 0, point.iterations, True)
        begin = time.perf_counter()
        train_block(task, point.dataset)
        found.append(time.perf_counter() - begin)
    return found


def seconds_to_write(points: Sequence[Point], folder: Path) -> list[float]:
    """For each point the seconds in which its record is written once more, below another folder."""
    found = []
    for number, point in enumerate(points):
        record = read_record(point.folder)
        everything = (record.result, _vectors(record)), np.array(record.losses), record.heads
        begin = time.perf_counter()
        write_record(folder / str(number), point.settings, *everything)
        found.append(time.perf_counter() - begin)
    return found


def seconds_to_track(points: Sequence[Point], database: Path) -> list[float]:
    """For each point the seconds in which the tracker's thread, with the process to itself, writes it into a new store."""
    tracking = TrackingSettings(store="sqlite", uri=address_of(database))
    store, sweep = open_store(tracking, "benchmark"), SweepView(sweep_key(points), len(points), ("training.alpha",))
    runs = Runs(store, sweep, Lease(store.uri))
    found = []
    for point in points:
        event = Finished(point, read_record(point.folder))
        begin = time.perf_counter()
        event.write(runs)
        found.append(time.perf_counter() - begin)
    runs.close("FINISHED")
    return found


def seconds_to_compare(points: Sequence[Point], folder: Path, swept: Sequence[str]) -> float:
    """The seconds of a comparison into a new folder."""
    begin = time.perf_counter()
    compare(points, folder, swept)
    return time.perf_counter() - begin


def _vectors(record: Record) -> Vectors:
    """y_hat.csv as numbers again."""
    table = record.y_hat
    target = np.array([record.classes.index(name) for name in table["target"]], np.int64)
    columns = [f"y_hat_{name}" for name in record.classes]
    return Vectors(table["image"].to_numpy(np.int64), target, table[columns].to_numpy(np.float64))
