"""A trajectory under way, and the legs of its way: what was computed between two of its points is not computed again."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..heads.head import Head
from ..records.checkpoint import Checkpoint
from ..records.states import Way, kept_iterations, nearest_state, way_path, write_way
from ..training.block import Trained, last_use
from .point import Point

# The first block is short, since nothing is known of its time; each next one is at most so many times as long.
FIRST_BLOCK, GROWTH = 8, 16


@dataclass
class Training:
    """A leg of a trajectory under way. wanted: its points to come. later: those that another leg will reach. losses: (n, heads)
    parts that make up all so far. way: what is kept of it. length: of the next block. saved: when that was last written.
    lost: how often its workers died. cores: its heads'."""

    wanted: list[Point]
    later: tuple[Point, ...]
    heads: tuple[Head, ...]
    iteration: int
    losses: list[NDArray[np.float64]]
    way: Way
    length: int = field(default_factory=lambda: FIRST_BLOCK)
    saved: float = field(default_factory=time.monotonic)
    lost: int = 0
    cores: int = 1

    @staticmethod
    def begin(wanted: Sequence[Point]) -> "Training":
        """The first leg of a trajectory's missing points, fewest iterations first, from the nearest state that is kept."""
        first = wanted[0]
        kept = kept_iterations(first.settings, first.trajectory) if len(wanted) > 1 else ()
        count = leg(wanted, kept)[1]
        state, way = nearest_state(first.settings, first.dataset, first.trajectory, last_use(first.iterations, first.dataset))
        losses = [] if state.losses is None else [state.losses]
        return Training(list(wanted[:count]), tuple(wanted[count:]), state.heads, state.iteration, losses, way)

    def all_losses(self) -> NDArray[np.float64]:
        """(iteration, heads)."""
        self.losses = [np.concatenate([np.empty((0, len(self.heads))), *self.losses])]
        return self.losses[0]

    def take(self, trained: Trained, seconds: float) -> None:
        """Stand where a block has led. seconds: how long one should last."""
        done = len(trained.losses)
        self.heads, self.lost = trained.heads, 0
        self.iteration += done
        self.losses.append(trained.losses)
        self.way = self.way.joined(self.way.losses, [Checkpoint(trained.heads, self.iteration)])
        fitting = int(done * seconds / max(trained.seconds, 1e-6))
        self.length = max(1, min(GROWTH * self.length, fitting))

    def save(self, point: Point, durable: bool = True) -> None:
        """Keep its checkpoints on disk. point: any of its points."""
        if self.way.states:
            write_way(way_path(point.settings, point.trajectory), self.way.joined(self.all_losses(), ()), durable)
        self.saved = time.monotonic()


def leg(points: Sequence[Point], kept: Sequence[int]) -> tuple[int, int]:
    """Where training of a trajectory's points starts, and how many of them it passes before a state that is kept is further on
    than it has come. points: fewest iterations first. kept: the iterations of those states."""
    start, at = _furthest(points[0], kept), points[0].iterations
    for count, point in enumerate(points[1:], 1):
        if _furthest(point, kept) > at:
            return start, count
        at = point.iterations
    return start, len(points)


def _furthest(point: Point, kept: Sequence[int]) -> int:
    limit = last_use(point.iterations, point.dataset)
    return max((iteration for iteration in kept if iteration <= limit), default=0)
