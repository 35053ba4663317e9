"""A point's record: a folder of settings, result, y-hat vectors, losses and a checkpoint, with a checksum of each."""

import io
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ..base.errors import FileError
from ..base.files import csv_bytes, first_line, read_sums, sha256, sums_text
from ..base.folders import write_folder
from ..base.npz import npy_bytes, npz_bytes, read_npy, read_npz
from ..base.plain_json import read_json
from ..base.plain_yaml import read_yaml
from ..base.text import unguarded
from ..heads.choices import NUMERICS
from ..heads.head import Head
from ..settings import Settings
from ..training.result import Result, Vectors
from .checkpoint import Checkpoint, read_checkpoint
from .provenance import PROVENANCE, read_provenance, statement

if TYPE_CHECKING:
    import pandas as pd

SUMS = "SHA256SUMS"
FILES = ("settings.yaml", "result.json", "y_hat.csv", "losses.csv", "losses.npy", "checkpoint.npz", SUMS)
PLACE = re.compile(r"[0-9a-f]{16}/[0-9]{1,18}")
# Rows of losses.csv, which is for reading; losses.npy holds every iteration.
LOSS_ROWS = 200


@dataclass(frozen=True)
class Record:
    """A finished point, read back; what is large is read when it is asked for, and held against its checksum: FileError when
    it is damaged. trajectory: the one it is a point of; empty in earlier records, which do not say."""

    folder: Path
    result: Result
    trajectory: str = ""

    @property
    def classes(self) -> list[str]:
        return self.result.classes

    @cached_property
    def sums(self) -> dict[str, str]:
        """The checksums that were written with the record, by file name."""
        return read_sums(self.folder / SUMS)

    def content(self, name: str) -> bytes:
        """A file's bytes. FileError unless they are those that were written."""
        return _verified(self.folder / name, self.sums)

    def check(self, trajectory: str, iterations: int) -> dict[str, Any] | None:
        """FileError unless every file holds what was written, and the record is that of this very point. Where it comes from,
        as `read_provenance` gives it."""
        self.check_place(trajectory, iterations)
        for name in FILES:
            if name != SUMS:
                self.content(name)
        return read_provenance(self.folder, self.sums)

    def check_place(self, trajectory: str, iterations: int) -> None:
        """FileError for the record of another point."""
        if self.trajectory not in ("", trajectory) or self.result.iterations != iterations:
            held = f"{self.trajectory}/{self.result.iterations}"
            raise FileError(f"{self.folder}: is the record of another point, {held}, not of {trajectory}/{iterations}")

    @cached_property
    def settings(self) -> dict[str, Any]:
        """As written: what decides the point's numbers."""
        try:
            found = read_yaml(self.content("settings.yaml"))
        except FileError:
            raise
        except ValueError as error:
            raise FileError(f"{self.folder}: is not a finished point ({first_line(error)})") from None
        if not isinstance(found, dict):
            raise FileError(f"{self.folder}: is not a finished point (settings.yaml holds no settings)")
        return found

    @property
    def losses(self) -> NDArray[np.float64]:
        """(iterations, heads), each batch's mean loss before its update."""
        losses = read_npy(self.folder / "losses.npy", self.content("losses.npy"))
        if losses.shape != (self.result.iterations, len(self.result.heads)) or losses.dtype != np.float64:
            right = f"({self.result.iterations}, {len(self.result.heads)}) of float64"
            raise FileError(f"{self.folder / 'losses.npy'}: must be {right}, not {losses.shape} of {losses.dtype}")
        return losses

    @property
    def y_hat(self) -> "pd.DataFrame":
        """Columns image, target and y_hat_<class>."""
        return read_csv(self.folder / "y_hat.csv", self.content("y_hat.csv"))

    @property
    def vectors(self) -> Vectors:
        """The same as arrays, as they were before they were written."""
        frame, place = self.y_hat, {name: j for j, name in enumerate(self.classes)}
        try:
            codes, names = frame["target"].factorize()
            target = np.array([place[name] for name in names], np.int64)[codes]
            y_hat = frame[[f"y_hat_{name}" for name in self.classes]].to_numpy(np.float64)
            return Vectors(frame["image"].to_numpy(np.int64), target, y_hat)
        except (KeyError, ValueError, TypeError) as error:
            raise FileError(f"{self.folder / 'y_hat.csv'}: cannot be read ({error})") from None

    @property
    def heads(self) -> tuple[Head, ...]:
        self.content("checkpoint.npz")
        return read_checkpoint(self.folder / "checkpoint.npz").heads

    @property
    def kernels(self) -> list[NDArray[np.floating]]:
        """Each head's kernels (F, k, k), read without the rest of the checkpoint."""
        self.content("checkpoint.npz")
        names = [f"head{j}/kernel" for j in range(len(self.result.heads))]
        arrays = read_npz(self.folder / "checkpoint.npz", names)
        return [arrays[name] for name in names]


def is_finished(folder: Path) -> bool:
    """Whether the point was finished: its folder appears in one rename, with all its files."""
    return all((folder / name).is_file() for name in reversed(FILES))


def read_record(folder: Path) -> Record:
    """FileError naming the record that is missing, damaged or in another point's place."""
    if not (folder / "result.json").exists():
        raise FileError(f"{folder}: is not a finished point (it has no result.json)")
    content = _verified(folder / "result.json", read_sums(folder / SUMS))
    try:
        plain = read_json(content)
        record = Record(folder, Result.read(plain), str(plain.get("trajectory", "")))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise FileError(f"{folder}: is not a finished point ({first_line(error)})") from None
    # A copy may be called anything; a place that names a point holds that point's record.
    if PLACE.fullmatch(f"{folder.parent.name}/{folder.name}"):
        record.check_place(folder.parent.name, int(folder.name))
    return record


def _verified(path: Path, sums: Mapping[str, str]) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from None
    if sha256(content) != sums.get(path.name):
        raise FileError(f"{path}: is damaged, its bytes are not those of {SUMS}; training its point again replaces it")
    return content


def write_record(
    folder: Path, settings: Settings, point: tuple[Result, Vectors], losses: NDArray[np.float64], heads: tuple[Head, ...]
) -> None:
    """Write a finished point: its folder appears whole, in one rename, or not at all."""
    contents = record_files(folder.parent.name, settings, point, losses, heads)
    # Beside points/, not in it: what a kill leaves there is nobody's result.
    sums = {name: sha256(content) for name, content in contents.items()}
    contents[SUMS] = sums_text(sums)
    sums[SUMS] = sha256(contents[SUMS])
    contents[PROVENANCE] = statement(sums, point[0].data, NUMERICS[settings.compute.engine])
    write_folder(folder, contents, settings.folder / "work")


def record_files(
    trajectory: str, settings: Settings, point: tuple[Result, Vectors], losses: NDArray[np.float64], heads: tuple[Head, ...]
) -> dict[str, bytes]:
    """The files of a finished point, by name: all but the checksums."""
    result, vectors = point
    return {
        "settings.yaml": yaml.dump(recorded(settings), Dumper=yaml.CSafeDumper, sort_keys=False).encode(),
        # Whose record it is: in another point's place it would be taken for that.
        "result.json": (json.dumps({"trajectory": trajectory, **result.plain()}, indent=1) + "\n").encode(),
        "y_hat.csv": y_hat_csv(vectors, result.classes),
        **losses_files(losses, result.classes),
        "checkpoint.npz": npz_bytes(Checkpoint(heads, result.iterations).arrays()),
    }


def recorded(settings: Settings) -> dict[str, Any]:
    """The settings that a record carries: all but where it lies, who computes and who watches."""
    plain = asdict(settings)
    return {key: plain[key] for key in ("name", "seed", "data", "model", "training")}


def y_hat_csv(vectors: Vectors, classes: list[str]) -> bytes:
    """Columns image, target and y_hat_<class>; a row an image."""
    targets = [classes[label] for label in vectors.target.tolist()]
    rows = zip(vectors.image.tolist(), targets, vectors.y_hat.tolist(), strict=True)
    return csv_bytes(["image", "target", *(f"y_hat_{name}" for name in classes)], ([i, t, *row] for i, t, row in rows))


def losses_files(losses: NDArray[np.float64], classes: list[str]) -> dict[str, bytes]:
    """losses.npy, and some of its rows as losses.csv: iteration, then a column a head."""
    steps = np.unique(np.geomspace(1, max(len(losses), 1), LOSS_ROWS).round().astype(int))[: len(losses)]
    rows = ([step, *losses[step - 1].tolist()] for step in steps.tolist())
    return {"losses.csv": csv_bytes(["iteration", *classes], rows), "losses.npy": npy_bytes(losses)}


def read_csv(path: Path, content: bytes) -> "pd.DataFrame":
    """A csv of ours; from pandas 3.1 every float comes back to the bit it was written from. FileError when damaged."""
    # Imported when asked for: it takes a third of a second, which training need not wait.
    import pandas as pd

    try:
        frame = pd.read_csv(io.BytesIO(content), dtype={"target": str}, keep_default_na=False).rename(columns=unguarded)
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be read ({first_line(error)})") from None
    if "target" in frame:
        frame["target"] = frame["target"].map({text: unguarded(text) for text in frame["target"].unique()})
    return frame
