"""The points of a sweep as one table: repeats averaged, the best setting chosen, axes laid out for a page. pandas only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..base.files import csv_bytes
from ..training.result import CRITERIA
from .axes import REPEATS, axes, short

T = TypeVar("T")
# What a person reads in the terminal or looks at in a heat map; summary.csv holds every row.
MOST_PAGES, MOST_ROWS, MOST_COLUMNS = 12, 40, 20


@dataclass(frozen=True)
class Summary:
    """rows: one a setting, columns `keys`, then each of `metrics` and its standard deviation, <metric>_std (0 without
    repeats). metric: what the best was chosen by. members: (points,), the row that each point belongs to."""

    rows: pd.DataFrame
    keys: list[str]
    metrics: list[str]
    repeats: list[str]
    metric: str
    members: NDArray[np.intp] = field(repr=False)
    points: pd.DataFrame = field(repr=False)

    @property
    def best(self) -> dict[str, Any]:
        return self.settings_at([self.best_row])[0]

    @property
    def best_row(self) -> int:
        """The first row with the largest metric; rows without it never are."""
        return int(_comparable(self.rows[self.metric]).to_numpy().argmax())

    def firsts(self) -> list[int]:
        """The first point of each row: repeats look alike, so one of them is drawn."""
        return [int(first) for first in np.unique(self.members, return_index=True)[1]]

    def best_of_each(self) -> list[dict[str, Any]]:
        """With models and alphas swept and repeated: for each model the row of its best alpha; else nothing."""
        models = [key for key in self.keys if key.startswith("model.")]
        if not (self.repeats and models and "training.alpha" in self.keys):
            return []
        metric = _comparable(self.rows[self.metric])
        groups = metric.groupby([self.rows[key] for key in models], sort=False, dropna=False)
        return [row for row in self.settings_at(groups.idxmax().tolist()) if pd.notna(row[self.metric])]

    @property
    def is_one(self) -> bool:
        """Whether all points repeat one setting."""
        return bool(self.repeats) and len(self.rows) == 1

    def ranking(self, most: int) -> list[dict[str, Any]]:
        """The best rows, best first; where all points repeat one setting, the points."""
        rows = self.points if self.is_one else self.rows
        order = _comparable(rows[self.metric]).sort_values(ascending=False, kind="stable").index[:most].tolist()
        return self._plain(rows.loc[order]) if self.is_one else self.settings_at(order)

    def settings_at(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Some of `rows`; "count" is how many points each is the mean of."""
        counts = np.bincount(self.members)
        found = self._plain(self.rows.loc[list(numbers)])
        return [{**row, "count": int(counts[number])} for row, number in zip(found, numbers, strict=True)]

    def _plain(self, rows: pd.DataFrame) -> list[dict[str, Any]]:
        """Rows as dicts; a setting that is null is None again."""
        keys = [*self.keys, *self.repeats]
        found = [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]
        return [{key: None if key in keys and pd.isna(value) else value for key, value in row.items()} for row in found]

    def shown(self) -> list[str]:
        """The metrics that fit a line."""
        wanted = ("validation_accuracy", "test_accuracy", "test_margin")
        return [key for key in wanted if key in self.metrics] or [self.metric]


@dataclass(frozen=True)
class Page:
    """values: rows x columns of the metric, at most MOST_ROWS x MOST_COLUMNS; and how many rows and columns were left out."""

    values: pd.DataFrame
    rows_left: int
    columns_left: int


@dataclass(frozen=True)
class Pivot:
    """pages: at most MOST_PAGES, by title. best: the best cell's page, row and column. left: pages that were left out."""

    pages: dict[str, Page]
    best: tuple[str, Any, Any]
    left: int


def summarise(points: pd.DataFrame, swept: Sequence[str]) -> Summary:
    """Average the repeats of a table with a row a point: columns `swept`, then metrics."""
    repeats = [key for key in swept if key in REPEATS]
    keys = [key for key in swept if key not in REPEATS] or repeats[:1]
    repeats = [key for key in repeats if key not in keys]
    metrics = [str(key) for key in points.columns if key not in swept]
    metric = next((key for key in CRITERIA if key in metrics), metrics[0])
    grouped = points.groupby(keys, sort=False, dropna=False)
    rows, members = grouped[metrics].mean().reset_index(), grouped.ngroup().to_numpy().astype(np.intp)
    # As they were given: whole numbers beside a null become fractions in an index.
    rows[keys] = points[keys].iloc[np.unique(members, return_index=True)[1]].reset_index(drop=True)
    if repeats:
        rows = rows.join(grouped[metrics].std(ddof=0).reset_index(drop=True).add_suffix("_std"))
    return Summary(rows, keys, metrics, repeats, metric, members, points)


def pivot(table: Summary) -> Pivot:
    """Pages of rows x columns, kernel size x alpha where these are swept, one page for each value of the other settings.

    What is left out of a large sweep is never the best. Settings that say the same, as those of `model=exact,notebook` do,
    are one axis: init/gradient/dtype. Rows without the metric have no cell.
    """
    rows, at = table.rows[[*table.keys, table.metric]], table.best_row
    if pd.notna(rows[table.metric].iloc[at]):
        at = int(rows[table.metric].notna().to_numpy()[:at].sum())
        rows = rows[rows[table.metric].notna()]
    rows = rows.reset_index(drop=True)
    for key in table.keys:
        if rows[key].isna().any():
            rows[key] = rows[key].astype(object).where(rows[key].notna(), "null")
    names = joined(rows, table.keys)
    row, column, rest = axes(list(names))
    if column is None:
        column = names["metric"] = "metric"
        rows[column] = table.metric
    # Pages are counted before any is made: a sweep may have thousands.
    page_of = rows.groupby(rest, sort=False).ngroup().to_numpy() if rest else np.zeros(len(rows), np.intp)
    count = int(page_of.max()) + 1
    cell = (rows[row].iloc[at], rows[column].iloc[at])
    pages = {}
    for number in with_best(range(count), int(page_of[at]), MOST_PAGES):
        part = rows[page_of == number]
        title = ", ".join(f"{names[key]} {part[key].iloc[0]}" for key in rest)
        whole = part.pivot_table(index=row, columns=column, values=table.metric, aggfunc="mean", sort=True)
        pages[title] = _cut(whole.rename_axis(index=names[row], columns=names[column]), cell)
        if number == page_of[at]:
            best = title
    return Pivot(pages, (best, *cell), count - len(pages))


def joined(rows: pd.DataFrame, keys: Sequence[str]) -> dict[str, str]:
    """The keys that make axes, with names for people. Of keys that are words and always change together the first stays, and
    its column becomes the values of all of them."""
    groups: dict[str, list[str]] = {}
    codes = {key: pd.factorize(rows[key])[0] for key in keys}
    words = [key for key in keys if codes[key].any() and rows[key].map(lambda value: isinstance(value, str)).all()]
    for key in keys:
        same = (first for first in groups if codes[key].any() and (codes[first] == codes[key]).all())
        first = next((first for first in same if first in words or key in words), key)
        groups.setdefault(first, []).append(key)
    for first, together in groups.items():
        if len(together) > 1:
            rows[first] = rows[together].astype(str).agg("/".join, axis=1)
    return {first: "/".join(map(short, together)) for first, together in groups.items()}


def with_best(items: Sequence[T], best: T, most: int) -> list[T]:
    """The first `most`, the best in place of the last when it is not among them."""
    kept = list(items[:most])
    return kept if best in kept else [*kept[:-1], best]


def _cut(page: pd.DataFrame, cell: tuple[Any, Any]) -> Page:
    """The part of a page that can be read, with the cell when it is on this page."""
    rows = _window(list(page.index), cell[0], MOST_ROWS)
    columns = _window(list(page.columns), cell[1], MOST_COLUMNS)
    values = page.iloc[rows, columns]
    return Page(values, len(page) - len(values), page.shape[1] - values.shape[1])


def _window(labels: list[Any], wanted: Any, most: int) -> slice:
    at = labels.index(wanted) if wanted in labels else 0
    start = max(0, min(at - most // 2, len(labels) - most))
    return slice(start, start + most)


def _comparable(metric: "pd.Series[float]") -> "pd.Series[float]":
    return metric.astype(float).fillna(-np.inf)


def as_csv(frame: pd.DataFrame) -> bytes:
    """A table of points or settings, every digit; what has no value is an empty cell."""
    cells = frame.astype(object).where(frame.notna(), "")
    return csv_bytes(frame.columns, cells.itertuples(index=False))
