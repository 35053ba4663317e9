"""Checkpoints: every head's parameters and the iteration they have reached, in one npz without pickles."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import FileError
from ..base.npz import read_npz
from ..heads.head import Head

PARAMETERS = ("kernel", "bias", "weights", "bias_flat")


@dataclass(frozen=True)
class Checkpoint:
    """Where a trajectory stands. losses: (iteration, heads), those on the way; None in a finished point's checkpoint, which
    has a file of its own for them."""

    heads: tuple[Head, ...]
    iteration: int
    losses: NDArray[np.float64] | None = None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What the npz holds: `iteration` and, for head j, `headJ/kernel` (F, k, k), `headJ/bias` (F,), `headJ/weights`
        (F, P, Q) and `headJ/bias_flat` (); in the middle of a point also `losses`."""
        arrays: dict[str, NDArray[Any]] = {"iteration": np.array(self.iteration)}
        for index, head in enumerate(self.heads):
            arrays |= {f"head{index}/{name}": array for name, array in head.arrays().items()}
        return arrays if self.losses is None else {**arrays, "losses": self.losses}


def read_checkpoint(path: Path) -> Checkpoint:
    """FileError when it is damaged."""
    arrays = read_npz(path)
    count = sum(1 for name in arrays if name.endswith("/kernel"))
    try:
        heads = tuple(read_head(arrays, j) for j in range(count))
        losses = arrays.get("losses")
        return Checkpoint(heads, int(arrays["iteration"]), None if losses is None else np.array(losses))
    except KeyError as missing:
        raise FileError(f"{path}: is not a checkpoint, it lacks {missing}") from None
    except (TypeError, ValueError):
        raise FileError(f"{path}: is not a checkpoint, its iteration is no number") from None


def read_head(arrays: dict[str, NDArray[Any]], index: int) -> Head:
    """One head of a checkpoint's arrays. KeyError for one that is missing."""
    return Head(**{name: np.array(arrays[f"head{index}/{name}"]) for name in PARAMETERS})


def check_losses(path: Path, checkpoint: Checkpoint) -> None:
    """FileError unless there is a loss for each head and iteration."""
    assert checkpoint.losses is not None
    if checkpoint.losses.shape != (checkpoint.iteration, len(checkpoint.heads)):
        raise FileError(f"{path}: holds {len(checkpoint.losses)} losses for {checkpoint.iteration} iterations")
