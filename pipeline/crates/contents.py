"""What of an experiment goes into its crate: records, grid, tables and figures, each file with its sum. Paths in the crate are
those in the experiment's folder, so that a crate is read as one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base import project
from ..base.errors import FileError
from ..base.files import sha256
from ..comparison.select import differing, name_of
from ..records.provenance import LOCK, PROVENANCE, material, read_provenance
from ..records.record import FILES, SUMS, Record

GRID = "config.yaml"
# Beside the records; those that are there.
TABLES = {
    "README.md": "question and finding",
    "points.csv": "a row a point: settings, losses, accuracy, margin",
    "summary.csv": "a row a setting, repeats averaged",
    "y_hat.csv": "the final y-hat vectors of all points side by side",
    "metrics.json": "the best point and its metrics",
    "report.html": "the comparison to look at, in one page",
}
FIGURES = "figures"
RECORD = {
    "settings.yaml": "the settings that decide the numbers",
    "result.json": "losses, accuracies and margins, of all heads and of each",
    "y_hat.csv": "the final y-hat vectors, a row an image",
    "losses.csv": "losses to read, at most 200 rows",
    "losses.npy": "the loss of every iteration and head",
    "checkpoint.npz": "the heads' parameters",
    SUMS: "checksums, as sha256sum -c takes them",
    PROVENANCE: "an in-toto statement: the files and what they were made of",
}


@dataclass(frozen=True)
class Part:
    """A file of the crate. path: in the crate. source: where it lies here. size: bytes."""

    path: str
    source: Path
    what: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Made:
    """A point with the files of its record. plain: its provenance; None in earlier records."""

    record: Record
    name: str
    key: str
    files: tuple[Part, ...]
    plain: dict[str, Any] | None

    def digest(self, name: str) -> str:
        """Of one of the things that it was made of; empty when it does not say."""
        return material(self.plain, name) if self.plain else ""

    @property
    def changed(self) -> bool:
        """Whether the code differed from its commit."""
        return any(each.get("annotations", {}).get("changed") for each in self._build.get("resolvedDependencies", ()))

    @property
    def numerics(self) -> str:
        """The name of the engine's arithmetic; empty when it does not say."""
        return str(self._build.get("internalParameters", {}).get("numerics", ""))

    @property
    def _build(self) -> dict[str, Any]:
        return dict(self.plain["predicate"]["buildDefinition"]) if self.plain else {}


@dataclass(frozen=True)
class Contents:
    """name: the experiment's. lock: the lock file of this checkout, where records were made with it."""

    name: str
    points: tuple[Made, ...]
    grid: Part
    tables: tuple[Part, ...]
    lock: Part | None

    @property
    def files(self) -> list[Part]:
        """All files, in the order of their paths."""
        parts = [part for point in self.points for part in point.files]
        return sorted([*parts, self.grid, *self.tables, *([self.lock] if self.lock else [])], key=lambda part: part.path)


def contents(folder: Path, records: Sequence[Record], moved: Callable[[], object]) -> Contents:
    """FileError when a record is damaged. moved: called after each of them."""
    keys, points = differing(records), []
    for record in records:
        points.append(_made(folder, record, name_of(record, keys) or folder.name))
        moved()
    if not (folder / GRID).is_file():
        raise FileError(f"{folder / GRID}: is missing; `ovrcnn train` writes it")
    tables = [_part(folder / name, name, what) for name, what in TABLES.items() if _is_there(folder / name)]
    pictures = sorted(path for path in (folder / FIGURES).glob("*.png") if _is_there(path))
    tables += [_part(path, f"{FIGURES}/{path.name}", f"figure: {path.stem}") for path in pictures]
    return Contents(folder.name, tuple(points), _part(folder / GRID, GRID, "the grid"), tuple(tables), _lock(points))


def read_part(part: Part) -> bytes:
    """FileError when the file is no longer what it was."""
    content = part.source.read_bytes()
    if sha256(content) != part.sha256:
        raise FileError(f"{part.source}: changed while it was exported; export again when nothing trains")
    return content


def _made(folder: Path, record: Record, name: str) -> Made:
    trajectory = record.trajectory or record.folder.parent.name
    record.check(trajectory, record.result.iterations)
    sums = {**record.sums, **{name: sha256((record.folder / name).read_bytes()) for name in _unlisted(record.folder)}}
    found = [
        Part(f"points/{trajectory}/{record.result.iterations}/{name}", record.folder / name, what, size, sums[name])
        for name, what in RECORD.items()
        if name in sums and (size := (record.folder / name).stat().st_size)
    ]
    key = f"{trajectory}/{record.result.iterations}"
    return Made(record, name, key, tuple(found), read_provenance(record.folder, record.sums))


def _unlisted(folder: Path) -> list[str]:
    """The files of a record that its checksums do not name."""
    return [SUMS, *([PROVENANCE] if (folder / PROVENANCE).is_file() else [])]


def _lock(points: Iterable[Made]) -> Part | None:
    path = project.root() / LOCK
    if not project.is_checkout() or not path.is_file():
        return None
    part = _part(path, LOCK, "the versions of all packages")
    return part if part.sha256 in {point.digest(LOCK) for point in points} else None


def _part(source: Path, path: str, what: str) -> Part:
    content = source.read_bytes()
    return Part(path, source, what, len(content), sha256(content))


def _is_there(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


assert set(RECORD) == {*FILES, PROVENANCE}
