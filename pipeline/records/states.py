"""Where a trajectory can go on from: a checkpoint that a stop left behind, or a finished point on its way."""

import logging
from pathlib import Path

import numpy as np

from ..base.errors import FileError
from ..base.files import DAMAGED, keep_damaged, read_npz, write_npz
from ..data.dataset import Dataset
from ..settings import Settings
from ..training.block import start
from .checkpoint import Checkpoint, check_losses, read_checkpoint
from .record import is_finished, read_record
from .shelf import set_damaged_aside

log = logging.getLogger(__name__)


def partial_path(settings: Settings, trajectory: str) -> Path:
    """Where a trajectory's checkpoint lies while it is trained."""
    return settings.folder / "work" / f"{trajectory}.npz"


def write_state(path: Path, state: Checkpoint) -> None:
    """Keep a state, with its losses, in place of an earlier one."""
    # Whose state it is: under another name it would be another's.
    write_npz(path, {"trajectory": np.array(path.stem), **state.arrays()})


def nearest_state(settings: Settings, dataset: Dataset, trajectory: str, limit: int) -> Checkpoint:
    """The furthest readable state of a trajectory that is not beyond `limit` iterations; at worst its start."""
    points = settings.folder / "points" / trajectory
    finished = [points / str(n) for n in _finished(points) if n <= limit]
    found = [_read_partial(partial_path(settings, trajectory)), *(_read_point(folder) for folder in finished[-1:])]
    states = [state for state in found if state and state.iteration <= limit]
    if states:
        return max(states, key=lambda state: state.iteration)
    return Checkpoint(start(settings, dataset), 0)


def _finished(points: Path) -> list[int]:
    names = [path.name for path in points.iterdir()] if points.is_dir() else []
    return sorted(int(name) for name in names if name.isdigit() and is_finished(points / name))


def _read_partial(path: Path) -> Checkpoint | None:
    if not path.is_file():
        return None
    try:
        if str(read_npz(path, ["trajectory"])["trajectory"]) != path.stem:
            raise FileError(f"{path}: is the state of another trajectory")
        state = read_checkpoint(path)
        if state.losses is None:
            raise FileError(f"{path}: holds no losses")
        check_losses(path, state)
        return state
    except FileError as error:
        kept = keep_damaged(path, path.parent / DAMAGED.name)
        log.warning("%s; it was moved to %s, training goes on without it", error, kept)
        return None


def _read_point(folder: Path) -> Checkpoint | None:
    try:
        record = read_record(folder)
        record.check(folder.parent.name, int(folder.name))
        state = Checkpoint(record.heads, record.result.iterations, record.losses)
        check_losses(folder / "checkpoint.npz", state)
        return state
    except FileError as error:
        set_damaged_aside(folder, error)
        return None
