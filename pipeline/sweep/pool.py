"""What the driver asks of those who compute: any concurrent.futures.Executor, and how to use it."""

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Executor
from dataclasses import dataclass, field
from typing import Any

from .point import Point


@dataclass(frozen=True)
class Pool:
    """An executor and how to use it.

    what: in words. make: a new executor, also after its workers died. cores: how many blocks run at once now. share: what
    stands for a point's data in a task. split: whether a block's heads may share several cores. seconds: how long a block
    should last, so that handing it out costs under 1 %. lost: what a future raises when its worker died. close: end it.
    compiles_here: whether its workers find what is compiled on this machine.
    """

    what: str
    make: Callable[[], Executor]
    cores: Callable[[], int]
    share: Callable[[Point], Any]
    split: bool
    seconds: float
    lost: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError)
    close: Callable[[], None] = field(default=lambda: None)
    compiles_here: bool = True


def share_cores(trajectories: int, cores: int, split: bool) -> tuple[int, int]:
    """What runs in parallel: (trajectories at once, cores for the heads of each).

    With as many trajectories as cores, each has one core, which wastes nothing. With fewer, the heads of each share what
    there is, if the executor's workers are on this machine. Never more of both than cores.
    """
    many = max(1, min(trajectories, cores))
    return many, max(1, cores // many) if split else 1
