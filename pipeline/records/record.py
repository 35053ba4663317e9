"""A point's record: a folder of settings.yaml, result.json, y_hat.csv, losses.csv and checkpoint.npz."""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from ..base.files import FileError, sync_folder, write_text
from ..heads.head import Head
from ..settings import Settings
from .checkpoint import read_checkpoint, write_checkpoint

FILES = ("settings.yaml", "result.json", "y_hat.csv", "losses.csv", "checkpoint.npz")


@dataclass(frozen=True)
class Record:
    """A finished point, read back. losses: (iterations, heads), a column a class. y_hat: image, target, y_hat_<class>."""

    folder: Path
    settings: dict[str, Any]
    result: dict[str, Any]

    @property
    def losses(self) -> pd.DataFrame:
        values = read_losses(self.folder / "losses.csv")
        return pd.DataFrame(values, columns=self.classes, index=pd.RangeIndex(1, len(values) + 1, name="iteration"))

    @property
    def y_hat(self) -> pd.DataFrame:
        return read_csv(self.folder / "y_hat.csv")

    @property
    def heads(self) -> tuple[Head, ...]:
        return read_checkpoint(self.folder / "checkpoint.npz")[0]

    @property
    def classes(self) -> list[str]:
        return [head["class"] for head in self.result["heads"]]


def is_finished(folder: Path) -> bool:
    """Whether the point was finished: its folder appears in one rename, with all its files."""
    return all((folder / name).is_file() for name in FILES)


def read_record(folder: Path) -> Record:
    """FileError naming the file that is missing or damaged."""
    try:
        settings = yaml.safe_load((folder / "settings.yaml").read_text())
        result = json.loads((folder / "result.json").read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise FileError(f"{folder}: is not a finished point ({error})") from None
    return Record(folder, settings, result)


def write_record(
    folder: Path,
    settings: Settings,
    result: dict[str, Any],
    y_hat: pd.DataFrame,
    losses: NDArray[np.float64],
    heads: Sequence[Head],
) -> None:
    """Write a finished point: into a temporary folder first, which becomes `folder` in one rename."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside points/, not in it: what a kill leaves there is nobody's result.
    work = settings.folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix="point.", dir=work))
    try:
        classes = [head["class"] for head in result["heads"]]
        curve = pd.DataFrame(losses, columns=classes)
        curve.insert(0, "iteration", np.arange(1, len(losses) + 1), allow_duplicates=True)
        write_text(temporary / "settings.yaml", yaml.safe_dump(recorded(settings), sort_keys=False))
        write_text(temporary / "result.json", json.dumps(result, indent=1) + "\n")
        write_text(temporary / "y_hat.csv", y_hat.to_csv(index=False, lineterminator="\n"))
        write_text(temporary / "losses.csv", curve.to_csv(index=False, lineterminator="\n"))
        write_checkpoint(temporary / "checkpoint.npz", heads, settings.training.iterations)
        temporary.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(folder.parent)


def recorded(settings: Settings) -> dict[str, Any]:
    """The settings that a record carries: all but where it lies, who computes and who watches."""
    plain = asdict(settings)
    return {key: plain[key] for key in ("name", "seed", "data", "model", "training")}


def read_csv(path: Path) -> pd.DataFrame:
    """A csv of ours; from pandas 3.1 every float comes back to the bit it was written from. FileError when damaged."""
    try:
        return pd.read_csv(path, dtype={"target": str}, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be read ({error})") from None


def read_losses(path: Path) -> NDArray[np.float64]:
    """The (iterations, heads) losses of a losses.csv; its header is passed over, for a class may bear any name."""
    try:
        return np.asarray(pd.read_csv(path, header=None, skiprows=1).to_numpy(np.float64)[:, 1:])
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be read ({error})") from None
