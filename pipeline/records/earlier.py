"""Records of an earlier layout: brought to today's when they are whole, set aside when not; never mixed."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.errors import FileError
from ..base.files import sha256_sums
from ..base.folders import write_folder
from ..base.plain_json import read_json
from ..training.result import Result
from .checkpoint import read_checkpoint
from .record import SUMS, losses_files

# Until 0.1: every loss in losses.csv, and no checksums.
EARLIER = ("settings.yaml", "result.json", "y_hat.csv", "losses.csv", "checkpoint.npz")
KEPT = ("settings.yaml", "result.json", "y_hat.csv", "checkpoint.npz")


def is_earlier(folder: Path) -> bool:
    """Whether a finished point of the earlier layout lies here."""
    return not (folder / SUMS).exists() and all((folder / name).is_file() for name in EARLIER)


def bring_up(folder: Path, work: Path) -> None:
    """Write the record anew in today's layout, from what it holds. FileError when it is damaged."""
    try:
        result = Result.read(read_json((folder / "result.json").read_bytes()))
        checkpoint = read_checkpoint(folder / "checkpoint.npz")
        losses = read_losses(folder / "losses.csv")
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise FileError(f"{folder}: is not a finished point ({error})") from None
    expected = (result.iterations, len(result.heads))
    if checkpoint.iteration != result.iterations or losses.shape != expected or len(checkpoint.heads) != expected[1]:
        raise FileError(f"{folder}: its files do not belong together")
    contents = {name: (folder / name).read_bytes() for name in KEPT} | losses_files(losses, result.classes)
    write_folder(folder, {**contents, SUMS: sha256_sums(contents)}, work)


def read_losses(path: Path) -> NDArray[np.float64]:
    """The (iterations, heads) losses of an earlier losses.csv; its header is passed over, a class may bear any name."""
    import pandas as pd

    return np.ascontiguousarray(pd.read_csv(path, header=None, skiprows=1).to_numpy(np.float64)[:, 1:])
