"""Committed experiments of which no record is here: their points trained anew, in a folder that is gone afterwards, and every
figure that is committed held against them."""

import csv
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from ..base.errors import FileError
from ..base.project import expanded
from ..comparison.champion import write_champion
from ..comparison.compare import RECORD, axes_for, read_points, side_by_side, write_tables
from ..comparison.filters import Filter
from ..comparison.select import Places, filtered
from ..records.record import Record, is_finished, recorded
from ..settings import flatten
from ..sweep.driver import drive
from ..sweep.executors import pool
from ..sweep.grid import read_grid
from ..sweep.point import Point, group
from ..sweep.points import points_of
from ..sweep.progress import Bar, Observers
from .differ import Difference
from .files import TABLE, against_files
from .verdict import Verdict

GRID = "config.yaml"


@dataclass(frozen=True)
class Table:
    """A committed table. rows: its cells, by the record that each row names. points: those to be proved. grid: how many points
    its grid has. swept: their settings that differ. seed: by which points were chosen."""

    folder: Path
    rows: dict[str, dict[str, str]] = field(repr=False)
    points: tuple[Point, ...]
    grid: int
    swept: tuple[str, ...]
    seed: int | None = None


@dataclass
class Failures:
    """An observer that keeps why points failed, by their key."""

    errors: dict[str, Exception] = field(default_factory=dict)

    def started(self, point: Point) -> None:
        """Nothing is kept."""

    def advanced(self, points: Sequence[Point], iteration: int, losses: Callable[[], NDArray[np.float64]]) -> None:
        """Nothing is kept."""

    def finished(self, point: Point, record: Record, known: bool) -> None:
        """Nothing is kept."""

    def failed(self, point: Point, error: Exception) -> None:
        self.errors[point.key] = error


def parted(words: Sequence[str], places: Places) -> tuple[list[Path], list[str]]:
    """The folders of experiments that have a table and no record here, and the other words."""
    folders: list[Path] = []
    rest: list[str] = []
    for word in words:
        found = next((path for path in (places.experiments / word, expanded(word)) if _is_table(path)), None)
        if found is None:
            rest.append(word)
        elif found not in folders:
            folders.append(found)
    return folders, rest


def _is_table(folder: Path) -> bool:
    there = (folder / TABLE).is_file() and (folder / GRID).is_file()
    return there and not any(map(is_finished, folder.glob("points/*/*")))


def read_table(folder: Path, filters: Sequence[Filter]) -> Table:
    """The table of an experiment, and the points that filters leave. FileError or SettingsError, which say so where the data is
    not here."""
    grid = read_grid(folder)
    try:
        rows = {row[RECORD]: row for row in csv.DictReader(io.StringIO((folder / TABLE).read_text("utf-8")), restval="")}
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise FileError(f"{folder / TABLE}: is no table of points ({error})") from None
    kept = list(points_of(grid, write=False))
    for each in filters:
        kept = filtered(kept, [flatten(recorded(p.settings)) | _metrics(rows.get(f"points/{p.key}", {})) for p in kept], each)
    return Table(folder, rows, tuple(kept), len(grid.points), grid.swept)


def some(tables: Sequence[Table], most: int, seed: int) -> list[Table]:
    """The tables with so many of their points, at random."""
    every = [(number, point) for number, table in enumerate(tables) for point in table.points]
    chosen = sorted(np.random.default_rng(seed).permutation(len(every))[:most].tolist())
    picked = [every[number] for number in chosen]
    kept = [replace(table, points=tuple(p for n, p in picked if n == number), seed=seed) for number, table in enumerate(tables)]
    return [table for table in kept if table.points]


def prove_table(table: Table) -> Verdict:
    """Train the points of a table, and hold what is committed against them."""
    failures, engine = Failures(), table.points[0].settings.compute.engine
    with TemporaryDirectory() as scratch:
        points = [_moved(point, Path(scratch)) for point in table.points]
        folder, bar = points[0].settings.folder, Bar(points)
        # What is said on the way, as of compiling, is no part of the answer.
        with closing(pool(points[0].settings.compute)) as workers, closing(bar), redirect_stdout(sys.stderr):
            drive(points, workers, Observers((bar, failures)))
        keys = axes_for(table.swept)
        records, values = read_points(points, keys)
        if records:
            found = side_by_side(records, values, keys)
            write_tables(folder, found)
            write_champion(folder, found.records[found.best])
        # A part of the points says nothing of what is made of all of them.
        complete = len(records) == table.grid
        held, faults = against_files(table.folder, folder) if complete else (TABLE, {})
        rows = {_name(table, point): _against_row(table, point, folder, failures.errors) for point in table.points}
    rows = {name: differ for name, differ in rows.items() if differ}
    if rows:
        # The rows themselves are told.
        faults.pop(os.path.relpath(table.folder / TABLE), None)
    total = sum(trajectory.last.iterations for trajectory in group(table.points))
    which = "all" if len(table.points) == table.grid else f"{len(table.points)} of the"
    seed = "" if table.seed is None else f", seed {table.seed}"
    covered = (
        f"{os.path.relpath(table.folder)} has no records here, so {which} {table.grid} points of its grid were trained anew "
    )
    covered += f"({total} iterations, engine {engine}{seed}) and held against {held}"
    return Verdict(tuple(_name(table, point) for point in table.points), (covered,), {**rows, **faults}, noun="points")


def _moved(point: Point, experiments: Path) -> Point:
    paths = replace(point.settings.paths, experiments=str(experiments))
    return replace(point, settings=replace(point.settings, paths=paths))


def _name(table: Table, point: Point) -> str:
    return os.path.relpath(table.folder / "points" / point.key)


def _metrics(row: dict[str, str]) -> dict[str, float]:
    """The cells that are numbers."""
    return {key: float(cell) for key, cell in row.items() if _is_number(cell)}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except (ValueError, TypeError):
        return False
    return True


def _against_row(table: Table, point: Point, made: Path, errors: dict[str, Exception]) -> list[Difference]:
    """Where a row of the table is not what training gives."""
    if point.key in errors:
        return [Difference(TABLE, f"cannot have been trained: {errors[point.key]}", iteration=point.iterations)]
    name = f"points/{point.key}"
    if name not in table.rows:
        return [Difference(TABLE, "has no row of this point: its settings, its data or the numerics are others now")]
    right = next(row for row in csv.DictReader(io.StringIO((made / TABLE).read_text("utf-8"))) if row[RECORD] == name)
    return [
        Difference(TABLE, f"{key} is {table.rows[name].get(key, 'missing')[:80]}, {cell} is right", iteration=point.iterations)
        for key, cell in right.items()
        if not _same(table.rows[name].get(key, ""), cell)
    ]


def _same(cell: str, right: str) -> bool:
    """As text, or as numbers to the last bit: some rows of a column are not always written as all of them are."""
    return cell == right or (
        _is_number(cell) and _is_number(right) and np.float64(cell).tobytes() == np.float64(right).tobytes()
    )
