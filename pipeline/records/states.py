"""Where a trajectory can go on from: the checkpoints that it left on its way, or a finished point.

What was computed once is kept: a trajectory's file holds some checkpoints between its start and the furthest that it came,
whoever wanted them, so that a shorter, a longer or another point on it costs no more than the way from the nearest.
"""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import FileError
from ..base.files import DAMAGED, keep_damaged
from ..base.npz import read_npz, write_npz
from ..data.dataset import Dataset
from ..heads.head import Head
from ..settings import Settings
from ..training.block import start
from .checkpoint import PARAMETERS, Checkpoint, check_losses
from .record import is_finished, read_record
from .shelf import SHELF, set_damaged_aside

log = logging.getLogger(__name__)

# How far a state is, and how it is read.
Place = tuple[int, Callable[[], Checkpoint | None]]
# A trajectory keeps so many checkpoints: what a point between two of them costs is a small part of the whole.
MOST = 16


@dataclass(frozen=True)
class Way:
    """What is kept of a trajectory. losses: (iteration, heads), as far as it came. states: checkpoints without losses, fewest
    iterations first."""

    losses: NDArray[np.float64]
    states: tuple[Checkpoint, ...] = ()

    def joined(self, losses: NDArray[np.float64], states: Sequence[Checkpoint]) -> "Way":
        """With other checkpoints of the same trajectory, thinned: those that leave the smallest gaps go."""
        known = {state.iteration: state for state in (*self.states, *states) if state.iteration}
        kept = sorted(known)
        while len(kept) > MOST:
            gaps = [after - before for before, after in zip([0, *kept], kept[1:], strict=False)]
            del kept[int(np.argmin(gaps))]
        return Way(max(self.losses, losses, key=len), tuple(known[iteration] for iteration in kept))

    def at(self, limit: int) -> Checkpoint | None:
        """The furthest checkpoint that is not beyond `limit` iterations, with its losses."""
        within = [state for state in self.states if state.iteration <= limit]
        if not within:
            return None
        return Checkpoint(within[-1].heads, within[-1].iteration, self.losses[: within[-1].iteration])


def way_path(settings: Settings, trajectory: str) -> Path:
    """Where a trajectory's checkpoints lie."""
    return settings.folder / "work" / f"{trajectory}.npz"


def write_way(path: Path, way: Way, durable: bool = True) -> None:
    """Keep a trajectory's checkpoints in place of earlier ones. durable: whether they must outlive a power cut; what does not
    is found to be damaged.

    parameters: a row a checkpoint, all arrays of all heads one behind the other. shapes: of each head's kernel and weights.
    """
    heads = way.states[-1].heads
    rows = [[array.ravel() for head in state.heads for array in head.arrays().values()] for state in way.states]
    arrays: dict[str, NDArray[Any]] = {
        # Whose they are: under another name they would be another's.
        "trajectory": np.array(path.stem),
        "iterations": np.array([state.iteration for state in way.states], np.int64),
        "parameters": np.array([np.concatenate(row) for row in rows]),
        "shapes": np.array([(*head.kernel.shape, *head.weights.shape[1:]) for head in heads], np.int64),
        "losses": way.losses,
    }
    write_npz(path, arrays, durable)


def read_way(path: Path) -> Way:
    """FileError when the file is damaged, or another trajectory's."""
    arrays = read_npz(path, ["trajectory", "iterations", "parameters", "shapes", "losses"])
    losses, iterations, shapes = np.array(arrays["losses"]), arrays["iterations"], arrays["shapes"]
    if str(arrays["trajectory"]) != path.stem:
        raise FileError(f"{path}: holds the checkpoints of another trajectory")
    try:
        if not 0 < iterations[0] <= iterations[-1] <= len(losses) or np.any(np.diff(iterations) <= 0):
            raise ValueError(f"{len(losses)} losses for other iterations")
        if losses.shape[1:] != (len(shapes),) or len(arrays["parameters"]) != len(iterations):
            raise ValueError("other numbers of heads or checkpoints")
        states = [_heads(row, shapes.tolist()) for row in np.array(arrays["parameters"])]
    except (ValueError, IndexError, TypeError) as error:
        raise FileError(f"{path}: its checkpoints do not fit each other ({error})") from None
    kept = zip(states, iterations.tolist(), strict=True)
    return Way(losses, tuple(Checkpoint(heads, iteration) for heads, iteration in kept))


def _heads(row: NDArray[np.floating], shapes: list[list[int]]) -> tuple[Head, ...]:
    """The heads whose arrays lie one behind the other in a row. ValueError when the row has another length."""
    found, first = [], 0
    for filters, rows, columns, high, wide in shapes:
        arrays = {}
        for name, shape in zip(PARAMETERS, ((filters, rows, columns), (filters,), (filters, high, wide), ()), strict=True):
            size = math.prod(shape)
            arrays[name] = row[first : first + size].reshape(shape)
            first += size
        found.append(Head(**arrays))
    if first != len(row):
        raise ValueError(f"{len(row)} parameters for {first}")
    return tuple(found)


def nearest_state(settings: Settings, dataset: Dataset, trajectory: str, limit: int) -> tuple[Checkpoint, Way]:
    """The furthest readable state of a trajectory that is not beyond `limit` iterations, at worst its start; and what this
    experiment keeps of its way. Other experiments of the same folder are looked at, too."""
    heads = start(settings, dataset)
    way = _read_own(way_path(settings, trajectory)) or Way(np.empty((0, len(heads))))
    found = way.at(limit)
    places: list[Place] = [(found.iteration, lambda: found)] if found else []
    places += _recorded(settings.folder / "points" / trajectory, limit, _read_point)
    places += _recorded(settings.folder / SHELF / trajectory, limit, _try_point)
    places += _elsewhere(settings.folder, trajectory, limit)
    for _, read in sorted(places, key=lambda place: -place[0]):
        state = read()
        if state and len(state.heads) == len(heads):
            return state, way
    return Checkpoint(heads, 0), way


def kept_anywhere(experiments: Path) -> set[str]:
    """The trajectories of which any experiment keeps anything: those that are not here start from nothing."""
    folders = [*experiments.glob("*/points"), *experiments.glob(f"*/{SHELF}"), *experiments.glob("*/work")]
    return {path.name.removesuffix(".npz") for folder in folders if folder.is_dir() for path in folder.iterdir()}


def kept_iterations(settings: Settings, trajectory: str) -> list[int]:
    """The iterations of all states that `nearest_state` may start from, by names and small arrays: nothing is verified or
    moved."""
    experiments, found = settings.folder.parent, set[int]()
    for points in (settings.folder / SHELF / trajectory, *experiments.glob(f"*/points/{trajectory}")):
        found.update(number for number, _ in _recorded(points, math.inf, _try_point))
    for path in experiments.glob(f"*/work/{trajectory}.npz"):
        found.update(_iterations(path))
    return sorted(found)


def _recorded(points: Path, limit: float, read: Callable[[Path], Checkpoint | None]) -> list[Place]:
    """The finished points of a trajectory that are not beyond a limit."""
    names = [path.name for path in points.iterdir()] if points.is_dir() else []
    numbers = [int(name) for name in names if name.isdigit() and int(name) <= limit and is_finished(points / name)]
    return [(number, partial(read, points / str(number))) for number in numbers]


def _elsewhere(folder: Path, trajectory: str, limit: int) -> Iterator[Place]:
    """What the neighbours of an experiment have of a trajectory; what is damaged there is theirs to set aside."""
    for path in folder.parent.glob(f"*/work/{trajectory}.npz"):
        if path.parent.parent != folder:
            within = [number for number in _iterations(path) if number <= limit]
            if within:
                yield max(within), partial(_try_way, path, limit)
    for points in folder.parent.glob(f"*/points/{trajectory}"):
        if points.parent.parent != folder:
            yield from _recorded(points, limit, _try_point)


def _iterations(path: Path) -> list[int]:
    """Those of a file of checkpoints, which is not verified; none of one that cannot be read."""
    try:
        return [int(number) for number in read_npz(path, ["iterations"])["iterations"].tolist()]
    except (FileError, TypeError, ValueError):
        return []


def _try_way(path: Path, limit: int) -> Checkpoint | None:
    try:
        return read_way(path).at(limit)
    except FileError:
        return None


def _try_point(folder: Path) -> Checkpoint | None:
    try:
        return _checked(folder)
    except FileError:
        return None


def _read_own(path: Path) -> Way | None:
    if not path.is_file():
        return None
    try:
        return read_way(path)
    except FileError as error:
        kept = keep_damaged(path, path.parent / DAMAGED.name)
        log.warning("%s; it was moved to %s, training goes on without it", error, kept)
        return None


def _read_point(folder: Path) -> Checkpoint | None:
    try:
        return _checked(folder)
    except FileError as error:
        set_damaged_aside(folder, error)
        return None


def _checked(folder: Path) -> Checkpoint:
    record = read_record(folder)
    record.check(folder.parent.name, int(folder.name))
    state = Checkpoint(record.heads, record.result.iterations, record.losses)
    check_losses(folder / "checkpoint.npz", state)
    return state
