"""Points of a sweep and the trajectories they lie on: made once, from checked settings and prepared data, and handed on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Dataset
from ..records.record import Record
from ..settings import Settings


@dataclass(frozen=True)
class Point:
    """One point: settings that were checked, and all that follows from them.

    name: the settings it does not share with the other points. data: the prepared file. dataset: the same, read. trajectory:
    the name of everything that decides its numbers, the iterations aside.
    """

    settings: Settings
    name: str
    data: Path
    dataset: Dataset = field(repr=False)
    trajectory: str

    @property
    def iterations(self) -> int:
        return self.settings.training.iterations

    @property
    def key(self) -> str:
        """What it is known by, also in MLflow: two points with one key have the same record."""
        return f"{self.trajectory}/{self.iterations}"

    @property
    def folder(self) -> Path:
        """Where its record lies."""
        return self.settings.folder / "points" / self.trajectory / str(self.iterations)


@dataclass(frozen=True)
class Trajectory:
    """Points that differ in iterations alone, fewest first: one training passes through all of them."""

    points: tuple[Point, ...]

    @property
    def last(self) -> Point:
        return self.points[-1]


class Observer(Protocol):
    """Who is told how a sweep goes: the progress bar, the terminal, MLflow. It must return soon and raise nothing."""

    def started(self, point: Point) -> None:
        """The point's trajectory is being trained now."""

    def advanced(self, points: Sequence[Point], iteration: int, losses: Callable[[], NDArray[np.float64]]) -> None:
        """A trajectory has reached `iteration`; `points` are still to come. `losses()`: (iteration, heads), all so far."""

    def finished(self, point: Point, record: Record, known: bool) -> None:
        """The point's record is on disk; `known`: it was there before."""

    def failed(self, point: Point, error: Exception) -> None:
        """The point will not be there."""


def count(points: Sequence[Point]) -> int:
    """How many records they have: points with one key, as those of equal data under two names, count once."""
    return len({point.key for point in points})


def group(points: Sequence[Point]) -> list[Trajectory]:
    """The trajectories of points, in the order of their first point; points with one key count once."""
    found: dict[str, dict[int, Point]] = {}
    for point in points:
        found.setdefault(point.trajectory, {}).setdefault(point.iterations, point)
    return [Trajectory(tuple(points[n] for n in sorted(points))) for points in found.values()]
