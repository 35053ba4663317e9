"""An experiment's folder while points of it are trained: its grid on disk, points/ kept to the grid, one sweep at a time."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from ..base import console
from ..base.files import clean_up
from ..base.stops import Killed
from ..records.shelf import bring_back, bring_up_to_date, set_aside
from .grid import Grid, write_grid
from .logs import clean_logs
from .point import Point
from .points import warn_of_absent, warn_of_batches

SCRATCH = "scratch"


# What is said of a stop in the midst of training: what was computed is on disk.
GOES_ON = "the same command goes on from there"


@dataclass
class Experiment:
    """grid: what its config.yaml says. points: those that stay in points/ when the sweep ends."""

    grid: Grid
    points: Sequence[Point]

    def becomes(self, grid: Grid, points: Sequence[Point]) -> None:
        """What a search asked for is known now: that is the grid."""
        write_grid(grid)
        self.grid, self.points = grid, points

    @contextmanager
    def tables(self) -> Iterator[None]:
        """While tables and figures are written: in scratch, where many sweeps may run at once, those of one, with its grid."""
        if self.grid.first.name != SCRATCH:
            yield
            return
        with FileLock(self.grid.first.folder / "work" / "tables.lock"):
            write_grid(self.grid)
            yield


@contextmanager
def at_work(grid: Grid, points: Sequence[Point], known: bool = True) -> Iterator[Experiment]:
    """A sweep's folder from before its first block until after its comparison. known: whether these are all its points.

    Points of a named experiment follow its grid: others wait on the shelf. Scratch keeps whatever ran.
    """
    experiment, folder, named = Experiment(grid, points), grid.first.folder, grid.first.name != SCRATCH
    with alone(folder) if named else nullcontext(), _begun(grid, points, known):
        yield experiment
        if named:
            set_aside(folder, [point.folder for point in experiment.points])


@contextmanager
def beside(grid: Grid, points: Sequence[Point]) -> Iterator[None]:
    """The folder of a single point, until it was said what became of it. Others may be trained beside it; a sweep of a named
    experiment, which would set it aside, waits, or is waited for."""
    with alone(grid.first.folder, sweep=False) if grid.first.name != SCRATCH else nullcontext(), _begun(grid, points):
        yield


@contextmanager
def _begun(grid: Grid, points: Sequence[Point], known: bool = True) -> Iterator[None]:
    folder = grid.first.folder
    if known and grid.first.name != SCRATCH:
        with FileLock(folder / "work" / "shelf.lock"):
            bring_back(folder, [point.folder for point in points])
    _begin(grid, points)
    try:
        yield
    except (KeyboardInterrupt, Killed) as stop:
        stop.add_note(GOES_ON)
        raise


def _begin(grid: Grid, points: Sequence[Point]) -> None:
    """What comes before the first block: the grid on disk, records of an earlier layout brought to today's, warnings."""
    (grid.first.folder / "work").mkdir(parents=True, exist_ok=True)
    clean_up(grid.first.folder, ("work", "data", "figures"))
    clean_logs(grid.first.folder)
    write_grid(grid)
    for line in bring_up_to_date(grid.first.folder, [point.folder for point in points]):
        console.say(line)
    warn_of_absent(points)
    warn_of_batches(points)


@contextmanager
def alone(folder: Path, sweep: bool = True) -> Iterator[None]:
    """Wait until no other sweep of this experiment runs, since each would set the other's points aside; for a sweep, also until
    no single point is trained there."""
    (folder / "work").mkdir(parents=True, exist_ok=True)
    kind = fcntl.LOCK_EX if sweep else fcntl.LOCK_SH
    handle = os.open(folder / "work" / "sweep.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            other = "another command" if sweep else "a sweep"
            console.say(f"{other} of {folder.name} is running; waiting for it to end", error=True)
            fcntl.flock(handle, kind)
        yield
    finally:
        os.close(handle)
