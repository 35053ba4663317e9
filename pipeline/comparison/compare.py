"""Compare the points of a sweep: tables and figures on disk, the same in words for the terminal."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..base.files import write_bytes, write_text
from ..records.record import Record, is_finished, read_record
from ..sweep.point import Point
from .axes import AXES, values_of
from .figures import draw
from .tables import Pivot, Summary, pivot, summarise
from .text import table_lines
from .vectors import write_y_hat


@dataclass(frozen=True)
class Comparison:
    """records: by name, in the points' order. points: a row a record. best: the best point's name. text: the tables for the
    terminal."""

    folder: Path
    records: dict[str, Record]
    points: pd.DataFrame
    summary: Summary
    best: str
    text: str


def compare(points: Sequence[Point], folder: Path, swept: Sequence[str]) -> Comparison | None:
    """Write points.csv, summary.csv, y_hat.csv, metrics.json and figures/*.png of the points that have a record into `folder`;
    None when there is none. FileError for a damaged one.

    swept: the settings that the points differ in, by their dotted names.
    """
    keys = list(swept) or list(AXES)
    records, rows = _read(points, keys)
    if not records:
        return None
    frame = pd.DataFrame(rows)
    table = summarise(frame, keys)
    laid = pivot(table)
    # The first of the best row's points: repeats are averaged, none of them is better.
    best = list(records)[table.firsts()[table.best_row]]
    joined = _write_tables(folder, records, frame, table, best)
    _write_figures(folder, records, table, laid, best)
    lines = table_lines(table, laid)
    if not joined:
        lines.append(f"the y-hat vectors of {len(records)} points stay in their records; ")
        lines[-1] += f"`ovrcnn compare name={folder.name} --y-hat FILE.csv` joins them"
    text = "\n".join([*lines, f"tables and figures: {folder}"])
    return Comparison(folder, records, frame, table, best, text.lstrip("\n"))


def _read(points: Sequence[Point], keys: Sequence[str]) -> tuple[dict[str, Record], list[dict[str, Any]]]:
    """The records of finished points by name, and a row of settings and metrics for each."""
    records: dict[str, Record] = {}
    rows = []
    for point in points:
        folder = point.folder
        if point.name in records or not is_finished(folder):
            continue
        record = records[point.name] = read_record(folder)
        rows.append(dict(zip(keys, values_of(point.settings, keys), strict=True)) | record.result.metrics)
    return records, rows


def _write_tables(folder: Path, records: Mapping[str, Record], points: pd.DataFrame, table: Summary, best: str) -> bool:
    """Whether the y-hat vectors were few enough to be joined too."""
    write_text(folder / "points.csv", points.to_csv(index=False, lineterminator="\n"))
    write_text(folder / "summary.csv", table.rows.to_csv(index=False, lineterminator="\n"))
    means = {key: float(table.best[key]) for key in table.metrics}
    write_text(folder / "metrics.json", json.dumps({"best": best, **means}, indent=1) + "\n")
    return write_y_hat(records, folder / "y_hat.csv")


def _write_figures(folder: Path, records: Mapping[str, Record], table: Summary, laid: Pivot, best: str) -> None:
    # One picture a setting: repeats look alike.
    named = list(records.items())
    distinct = dict(named[first] for first in table.firsts())
    for name, picture in draw(laid, table.metric, distinct, best).items():
        write_bytes(folder / "figures" / f"{name}.png", picture)
