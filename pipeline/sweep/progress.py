"""What a person sees of a sweep in the terminal: a line for each point, and a bar."""

import logging
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..base.console import explain_error, number
from ..base.errors import MendableError
from ..records.record import Record
from .point import Observer, Point, group

log = logging.getLogger(__name__)
REFRESH_SECONDS = 0.2
SHOWN = ("validation_accuracy", "test_accuracy", "train_loss")
TROUBLES = {
    "dead": "no pooled feature is active on any training image; another seed, or a smaller training.alpha, may help",
    "saturated": "the sigmoid is flat on all training images; a smaller training.alpha leaves it room to learn",
}


@dataclass(frozen=True)
class Observers:
    """Several observers as one."""

    all: tuple[Observer, ...]

    def started(self, point: Point) -> None:
        for observer in self.all:
            observer.started(point)

    def advanced(self, points: Sequence[Point], iteration: int, losses: Callable[[], NDArray[np.float64]]) -> None:
        for observer in self.all:
            observer.advanced(points, iteration, losses)

    def finished(self, point: Point, record: Record, known: bool) -> None:
        for observer in self.all:
            observer.finished(point, record, known)

    def failed(self, point: Point, error: Exception) -> None:
        for observer in self.all:
            observer.failed(point, error)


class Lines:
    """A line for each point as it ends; what is wrong with its heads is said before. points: how many, if it is known."""

    def __init__(self, points: int | None, ended: int = 0) -> None:
        self._of, self._ended = f"/{points}" if points else "", ended

    def started(self, point: Point) -> None:
        """Nothing is said."""

    def advanced(self, points: Sequence[Point], iteration: int, losses: Callable[[], NDArray[np.float64]]) -> None:
        """Nothing is said."""

    def finished(self, point: Point, record: Record, known: bool) -> None:
        self._ended += 1
        for line in troubles(record):
            log.warning("warning: point %s: %s", point.name, line)
        log.info("%s", summary(f"point {self._ended}{self._of}  {point.name}", record, known))

    def failed(self, point: Point, error: Exception) -> None:
        self._ended += 1
        if isinstance(error, (MendableError, OSError)):
            # What a person can mend is one line; where it came from stands in the log file.
            log.error("point %s failed: %s", point.name, explain_error(error))
            log.debug("%s", "".join(traceback.format_exception(error)).rstrip())
        else:
            log.error("point %s failed:\n%s", point.name, "".join(traceback.format_exception(error)).rstrip())


class Bar:
    """Points and iterations, those already there included, as a bar; only in a terminal."""

    def __init__(self, points: Sequence[Point]) -> None:
        trajectories = group(points)
        self._reached = {trajectory.last.trajectory: 0 for trajectory in trajectories}
        self._points, self._ended = sum(len(trajectory.points) for trajectory in trajectories), 0
        total = sum(trajectory.last.iterations for trajectory in trajectories)
        hidden = not sys.stderr.isatty()
        self._bar = tqdm(total=total, unit=" iterations", unit_scale=True, disable=hidden, leave=False,
                         mininterval=REFRESH_SECONDS, dynamic_ncols=True, smoothing=0.1)  # fmt: skip
        self._show()

    def started(self, point: Point) -> None:
        """Nothing moves."""

    def advanced(self, points: Sequence[Point], iteration: int, losses: Callable[[], NDArray[np.float64]]) -> None:
        self._move(points[0].trajectory, iteration)

    def finished(self, point: Point, record: Record, known: bool) -> None:
        self._ended += 1
        self._move(point.trajectory, point.iterations)

    def failed(self, point: Point, error: Exception) -> None:
        self._ended += 1
        self._show()

    def close(self) -> None:
        self._bar.close()

    def _move(self, trajectory: str, iteration: int) -> None:
        self._bar.update(max(0, iteration - self._reached[trajectory]))
        self._reached[trajectory] = max(iteration, self._reached[trajectory])
        self._show()

    def _show(self) -> None:
        self._bar.set_description_str(f"point {self._ended}/{self._points}", refresh=False)


def troubles(record: Record) -> list[str]:
    """What is wrong with the heads of a finished point, a line each."""
    found = []
    for kind, why in TROUBLES.items():
        names = [head["class"] for head in record.result.heads if head[kind]]
        if names:
            found.append(f"{len(names)} of {len(record.classes)} heads {kind} ({', '.join(names)}): {why}")
    return found


def summary(name: str, record: Record, known: bool) -> str:
    """One line about a finished point."""
    values = record.result.metrics
    shown = [f"{key} {number(values[key])}" for key in SHOWN if key in values]
    return "  ".join([name, *shown, *(["already computed"] if known else [])])
