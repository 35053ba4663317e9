"""What MLflow needs to know of a sweep."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from ..sweep.point import Point


@dataclass(frozen=True)
class SweepView:
    """key: 16 hex digits, the same for the same points. points: how many. swept: dotted names of the settings that differ."""

    key: str
    points: int
    swept: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"sweep of {self.points} points"

    @property
    def condition(self) -> str:
        """What picks the sweep's points out of an experiment, in the words of MLflow's search."""
        return f"tags.`{mark(self.key)}` = 'yes'"


def sweep_key(points: Iterable[Point]) -> str:
    """A sweep is known by its points, in whatever order they were given."""
    return hashlib.sha256("\n".join(sorted({point.key for point in points})).encode()).hexdigest()[:16]


def mark(key: str) -> str:
    """The tag of a sweep's points: a point may be part of several sweeps."""
    return f"sweep.{key}"
