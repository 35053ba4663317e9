"""What MLflow needs to know of a sweep."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..sweep.point import Point

# What the tags of a sweep's points begin with.
MARK = "sweep."


@dataclass(frozen=True)
class SweepView:
    """key: 16 hex digits, the same for the same points. points: how many, 0 while nobody knows. swept: dotted names of the
    settings that differ. whole: whether this process runs the sweep, or is a job of it that runs one point."""

    key: str
    points: int
    swept: tuple[str, ...]
    whole: bool = True

    @property
    def name(self) -> str:
        return f"sweep of {self.points} points" if self.points else f"search over {', '.join(self.swept)}"

    def of_a_job(self) -> "SweepView":
        """The same sweep as one of its jobs sees it: the parent run is not the job's to end."""
        return replace(self, whole=False)

    @property
    def condition(self) -> str:
        """What picks the sweep's points out of an experiment, in the words of MLflow's search."""
        return f"tags.`{mark(self.key)}` = 'yes'"


def sweep_key(points: Iterable[Point]) -> str:
    """A sweep is known by its points, in whatever order they were given."""
    return key_of(point.key for point in points)


def key_of(keys: Iterable[str]) -> str:
    """The same from the points' keys."""
    return hashlib.sha256("\n".join(sorted(set(keys))).encode()).hexdigest()[:16]


def mark(key: str) -> str:
    """The tag of a sweep's points: a point may be part of several sweeps."""
    return f"{MARK}{key}"
