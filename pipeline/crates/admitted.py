"""A crate's records taken into an experiment: all are held against their sums and what they are bound to, then all are put in
their places. Only a record's files and the grid are taken; tables and figures follow from them."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import FileError, SettingsError
from ..base.files import clean_up, csv_bytes, first_line, sha256, sync_folder, write_bytes
from ..base.folders import temporary_folder
from ..base.plain_json import read_json
from ..certify.trail import held
from ..records.checkpoint import Checkpoint, check_losses
from ..records.provenance import PROVENANCE
from ..records.record import FILES, PLACE, SUMS, read_record
from ..sweep.experiment import alone
from ..sweep.grid import Grid, grid_of
from .contents import GRID
from .metadata import METADATA, PROCESS
from .opened import Opened

# Those of 10,000 points: the description's bytes, and what they become in memory.
LARGEST_METADATA, LARGEST_PARSED = 50_000_000, 350_000_000
# What a letter of JSON begins takes at most: an object, a list, half a text, a number.
TAKES = {b"{": 184, b"[": 64, b'"': 32, b",": 40}
LARGEST_GRID = 2_000_000
# Of a record's files, in bytes, so that checking one takes little memory: two million iterations of ten heads, 200,000 images.
LARGEST = {
    "settings.yaml": 100_000,
    "result.json": 5_000_000,
    "y_hat.csv": 50_000_000,
    "losses.csv": 10_000_000,
    "losses.npy": 160_000_000,
    "checkpoint.npz": 160_000_000,
    SUMS: 10_000,
    PROVENANCE: 1_000_000,
}


@dataclass(frozen=True)
class Told:
    """What a crate says of itself, and its grid. sums: SHA-256 by path. places: TRAJECTORY/ITERATIONS of its records."""

    sums: dict[str, str]
    grid: Grid
    content: bytes
    places: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The experiment's."""
        return self.grid.first.folder


def told(crate: Opened, experiments: Path) -> Told:
    """FileError, one line, for what is no crate of ours."""
    sums = _sums(crate)
    content = crate.read(GRID, LARGEST_GRID)
    _check_sum(crate, GRID, sha256(content), sums)
    try:
        grid = grid_of(content, experiments)
    except SettingsError as error:
        raise FileError(f"{crate.path}: {GRID}: {error.faults[0]}") from None
    except (ValueError, AttributeError, KeyError, TypeError, IndexError) as error:
        raise FileError(f"{crate.path}: {GRID} is not a grid ({(str(error) or repr(error)).splitlines()[0]})") from None
    if len({point.folder for point in grid.points}) > 1:
        raise FileError(f"{crate.path}: {GRID} names more than one experiment")
    return Told(sums, grid, content, _places(crate))


def admit(crate: Opened, said: Told, moved: Callable[[], object]) -> tuple[int, int]:
    """Take the records in: how many are new, and how many were there. moved: called after each. FileError for the first that
    does not hold, with nothing taken."""
    folder = said.folder
    if folder.is_symlink():
        raise FileError(f"{folder}: is a link; it must be a folder of its own")
    with _made(folder), alone(folder), temporary_folder(folder / "work", "import") as work:
        clean_up(folder, ("work",))
        _check_there(folder / GRID, {GRID: said.content})
        new = []
        for place in said.places:
            staged = work / "points" / place
            _stage(crate, place, staged, said.sums)
            _check(crate, staged)
            target = folder / "points" / place
            if not target.exists():
                new.append(place)
            _check_there(target, {name: (staged / name).read_bytes() for name in FILES})
            moved()
        for place in new:
            target = folder / "points" / place
            target.parent.mkdir(parents=True, exist_ok=True)
            (work / "points" / place).rename(target)
            sync_folder(target.parent)
        write_bytes(folder / GRID, said.content)
    return len(new), len(said.places) - len(new)


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """The experiment's folder; one that was not there before is not left behind when nothing is taken."""
    there = folder.exists()
    try:
        yield
    except BaseException:
        if not there:
            for path in (folder / "work" / "sweep.lock", folder / "work", folder):
                _remove_empty(path)
        raise


def _remove_empty(path: Path) -> None:
    try:
        path.unlink() if path.is_file() else path.rmdir()
    except OSError:
        return


def _sums(crate: Opened) -> dict[str, str]:
    content = crate.read(METADATA, LARGEST_METADATA)
    parsed = sum(content.count(letter) * size for letter, size in TAKES.items())
    if parsed > LARGEST_PARSED:
        raise FileError(
            f"{crate.path}: {METADATA} would take {parsed} bytes of memory; at most {LARGEST_PARSED} are given to it"
        )
    try:
        graph: list[dict[str, Any]] = read_json(content)["@graph"]
        [root] = [entity for entity in graph if entity["@id"] == "./"]
        if PROCESS not in json.dumps(root["conformsTo"]):
            raise ValueError(f"it does not conform to {PROCESS}")
        return {str(entity["@id"]): str(entity["sha256"]) for entity in graph if "sha256" in entity}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FileError(f"{crate.path}: {METADATA} is not that of a Process Run Crate ({first_line(error)})") from None


def _places(crate: Opened) -> tuple[str, ...]:
    """Of whole records. FileError for any file below points/ that is none of a record's, or is missing."""
    found: dict[str, set[str]] = {}
    for path in crate.sizes:
        if path.startswith("points/"):
            place, _, name = path.removeprefix("points/").rpartition("/")
            if not PLACE.fullmatch(place) or name not in (*FILES, PROVENANCE):
                raise FileError(f"{crate.path}: {path!r:.80} is no file of a record")
            found.setdefault(place, set()).add(name)
    for place, names in found.items():
        missing = [name for name in FILES if name not in names]
        if missing:
            raise FileError(f"{crate.path}: points/{place} lacks {', '.join(missing)}")
    if not found:
        raise FileError(f"{crate.path}: has no records")
    return tuple(sorted(found))


def _stage(crate: Opened, place: str, staged: Path, sums: dict[str, str]) -> None:
    staged.mkdir(parents=True)
    for name in (*FILES, PROVENANCE):
        path = f"points/{place}/{name}"
        if path in crate.sizes:
            digest = hashlib.sha256()
            with (staged / name).open("xb") as file:
                for chunk in crate.chunks(path, LARGEST[name]):
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            _check_sum(crate, path, digest.hexdigest(), sums)
    sync_folder(staged)


def _check_sum(crate: Opened, path: str, digest: str, sums: dict[str, str]) -> None:
    if sums.get(path) != digest:
        raise FileError(f"{crate.path}: {path} is damaged, its bytes are not those that {METADATA} tells")


def _check(crate: Opened, staged: Path) -> None:
    """All that can be held without computing: sums, place, provenance, settings, and that the files fit each other."""
    try:
        record = read_record(staged)
        held(record)
        check_losses(staged / "checkpoint.npz", Checkpoint(record.heads, record.result.iterations, record.losses))
        # Before it is parsed: a line of millions of columns would take hours.
        header = csv_bytes(["image", "target", *(f"y_hat_{name}" for name in record.classes)], [])
        if not record.content("y_hat.csv").startswith(header):
            raise FileError(f"{staged / 'y_hat.csv'}: cannot be read (its columns are not those of its classes)")
        assert record.vectors.image.ndim == 1
    except FileError as error:
        said = str(error).partition("; training its point again")[0].replace(f"{staged.parents[2]}/", "")
        raise FileError(f"{crate.path}: {said}; nothing was taken in") from None


def _check_there(path: Path, contents: dict[str, bytes]) -> None:
    """FileError when something is there already and has other bytes; a record's provenance may be another."""
    if not path.exists():
        return
    for name, content in contents.items():
        file = path / name if path.is_dir() else path
        if not file.is_file() or file.read_bytes() != content:
            right = "paths.experiments=FOLDER takes the crate in elsewhere"
            raise FileError(f"{file}: is there already, and is not that of the crate; nothing was taken in; {right}")
