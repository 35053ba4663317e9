"""Compare the points of a sweep: tables and figures on disk, the same in words for the terminal."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..base.files import write_bytes, write_text
from ..data.dataset import Dataset
from ..records.record import Record, is_finished, read_record
from ..sweep.point import Point
from .axes import AXES, REPEATS, values_of
from .champion import write_champion
from .report.page import page
from .report.payload import Shown, payload
from .tables import Pivot, Summary, as_csv, pivot, summarise
from .text import table_lines
from .vectors import write_y_hat

# The last column of points.csv.
RECORD, POINTS = "record", "points"
REPORT = "report.html"


@dataclass(frozen=True)
class SideBySide:
    """records: by name, in their order. points: a row a record, columns of settings and metrics. best: its name."""

    records: dict[str, Record]
    points: pd.DataFrame
    summary: Summary
    laid: Pivot
    best: str


@dataclass(frozen=True)
class Comparison(SideBySide):
    """What was written into `folder`. text: the tables for the terminal."""

    folder: Path
    text: str


def side_by_side(records: dict[str, Record], values: Sequence[Sequence[Any]], keys: Sequence[str]) -> SideBySide:
    """Records as tables. values: of each record, the settings `keys`."""
    rows = (dict(zip(keys, found, strict=True)) for found in values)
    frame = pd.DataFrame(row | record.result.metrics for row, record in zip(rows, records.values(), strict=True))
    for key in keys:
        # Whole numbers stay so beside a null.
        if frame[key].isna().any():
            frame[key] = pd.Series([found[keys.index(key)] for found in values], dtype=object)
    table = summarise(frame, keys)
    # The first of the best row's points: repeats are averaged, none of them is better.
    best = list(records)[table.firsts()[table.best_row]]
    return SideBySide(records, frame, table, pivot(table), best)


def axes_for(swept: Sequence[str]) -> list[str]:
    """The settings that a table names rows by: those that differ; the usual ones where there are none but repeats."""
    return list(swept) if set(swept) - set(REPEATS) else [*AXES, *swept]


def compare(points: Sequence[Point], folder: Path, swept: Sequence[str]) -> Comparison | None:
    """Write points.csv, summary.csv, y_hat.csv, metrics.json, report.html, figures/*.png, champion/ and plots/ of the points
    that have a record into `folder`; None when there is none. FileError for a damaged one.

    swept: the settings that the points differ in, by their dotted names.
    """
    keys = axes_for(swept)
    records, values = read_points(points, keys)
    if not records:
        return None
    found = side_by_side(records, values, keys)
    write_tables(folder, found)
    _write_figures(folder, found, points)
    write_champion(folder, found.records[found.best])
    datasets = {point.name: point.dataset for point in points}
    write_bytes(folder / REPORT, report(folder.name, found, datasets, folder))
    return _in_words(folder, found)


def look(points: Sequence[Point], folder: Path, swept: Sequence[str]) -> Comparison | None:
    """What `compare` gives, of tables and figures that lie in `folder`: nothing is written."""
    keys = axes_for(swept)
    records, values = read_points(points, keys)
    return _in_words(folder, side_by_side(records, values, keys)) if records else None


def _in_words(folder: Path, found: SideBySide) -> Comparison:
    lines = table_lines(found.summary, found.laid)
    if not (folder / "y_hat.csv").is_file():
        lines.append(f"the y-hat vectors of {len(found.records)} points stay in their records; ")
        lines[-1] += f"`ovrcnn compare name={folder.name} --y-hat FILE.csv` joins them"
    text = "\n".join([*lines, f"tables and figures: {folder}", f"report: {folder / REPORT}"])
    return Comparison(**vars(found), folder=folder, text=text.lstrip("\n"))


def report(title: str, found: SideBySide, datasets: Mapping[str, Dataset], folder: Path) -> bytes:
    """The points in one page. datasets: by point, as far as they are at hand. folder: where the page will lie."""
    shown = Shown(found.records, found.summary, found.best, datasets)
    return page(payload(title, shown, folder))


def read_points(points: Sequence[Point], keys: Sequence[str]) -> tuple[dict[str, Record], list[list[Any]]]:
    """The records of finished points by name, and the settings of each."""
    records: dict[str, Record] = {}
    values = []
    for point in points:
        folder = point.folder
        if point.name in records or not is_finished(folder):
            continue
        records[point.name] = read_record(folder)
        values.append(values_of(point.settings, keys))
    return records, values


def write_tables(folder: Path, found: SideBySide) -> None:
    # Where its point belongs, and it lies when that is in the grid.
    paths = ["/".join((POINTS, *record.folder.parts[-2:])) for record in found.records.values()]
    points, table = found.points.assign(**{RECORD: paths}), found.summary
    write_bytes(folder / "points.csv", as_csv(points))
    write_bytes(folder / "summary.csv", as_csv(table.rows))
    means = {key: float(table.best[key]) for key in table.metrics}
    write_text(folder / "metrics.json", json.dumps({"best": found.best, **means}, indent=1) + "\n")
    write_y_hat(found.records, folder / "y_hat.csv")


def _write_figures(folder: Path, found: SideBySide, points: Sequence[Point]) -> None:
    # Imported here: a table in the terminal need not wait for what draws.
    from .figures.draw import draw
    from .figures.layout import study

    data = next((point.dataset for point in points if point.name == found.best), None)
    drawn = draw(study(found.summary, found.records, found.best), data.images if data else None)
    for name, picture in drawn.items():
        path = folder / "figures" / f"{name}.png"
        if picture is None:
            path.unlink(missing_ok=True)
        else:
            write_bytes(path, picture)
