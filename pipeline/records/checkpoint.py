"""Checkpoints: every head's parameters and the iteration they have reached, in one npz without pickles."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.files import FileError, read_npz, write_npz
from ..heads.head import Head

PARAMETERS = ("kernel", "bias", "weights", "bias_flat")


def write_checkpoint(path: Path, heads: Sequence[Head], iteration: int, losses: NDArray[np.float64] | None = None) -> None:
    """Arrays `iteration` and, for head j, `headJ/kernel` (F, k, k), `headJ/bias` (F,), `headJ/weights` (F, P, Q) and
    `headJ/bias_flat` (). A checkpoint in the middle of a point also carries its `losses` (iteration, heads)."""
    arrays: dict[str, NDArray[Any]] = {"iteration": np.array(iteration)}
    for index, head in enumerate(heads):
        arrays |= {f"head{index}/{name}": array for name, array in head.arrays().items()}
    if losses is not None:
        arrays["losses"] = losses
    write_npz(path, arrays)


def read_checkpoint(path: Path) -> tuple[tuple[Head, ...], int, NDArray[np.float64] | None]:
    """Heads, iteration and losses (None in a finished point's checkpoint). FileError when it is damaged."""
    arrays = read_npz(path)
    count = sum(1 for name in arrays if name.endswith("/kernel"))
    try:
        heads = tuple(Head(**{name: np.array(arrays[f"head{j}/{name}"]) for name in PARAMETERS}) for j in range(count))
        return heads, int(arrays["iteration"]), arrays.get("losses")
    except KeyError as missing:
        raise FileError(f"{path}: is not a checkpoint, it lacks {missing}") from None
    except (TypeError, ValueError):
        raise FileError(f"{path}: is not a checkpoint, its iteration is no number") from None
