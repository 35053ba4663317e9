"""The rows of a summary as pictures show them: settings in order, means, spreads, the points behind each. pandas only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...records.record import Record
from ..axes import AXES
from ..labels import SHORT, label, setting
from ..tables import Summary, joined

ITERATIONS = AXES[2]


@dataclass(frozen=True)
class Row:
    """A setting. values: of the settings that differ. mean, std: of the metric. each: of every repeat. points: their names, the
    first is drawn where one must do."""

    values: tuple[Any, ...]
    mean: float
    std: float
    each: tuple[float, ...]
    points: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """What a comparison's pictures are drawn from. keys: the settings that differ, dotted; names: the same for people, both as
    long as each row's values. rows: in the order of their settings. best: the row of the best point, and its name. records:
    by name, of those that have the best one's classes."""

    keys: tuple[str, ...]
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    metric: str
    repeats: tuple[str, ...]
    best: Row
    records: Mapping[str, Record]

    @property
    def best_record(self) -> Record:
        return self.records[self.best.points[0]]

    @property
    def title(self) -> str:
        return self.metric.replace("_", " ")

    def texts(self, row: Row) -> list[str]:
        """A row's settings as they would be typed."""
        return [label(setting(value), SHORT) for value in row.values]

    def words(self, row: Row) -> str:
        """A row's settings in one line."""
        return ", ".join(f"{name} {text}" for name, text in zip(self.names, self.texts(row), strict=True))

    def first(self, most: int) -> tuple[Row, ...]:
        """The best rows, as many as these, in their order."""
        if len(self.rows) <= most:
            return self.rows
        means = np.array([row.mean for row in self.rows])
        # nan comes last.
        kept = np.sort(np.argsort(-means, kind="stable")[:most])
        return tuple(self.rows[i] for i in kept.tolist())


def study(table: Summary, records: Mapping[str, Record], best: str) -> Study:
    """A summary's rows, in order. Rows of points with other classes than the best one's are left out."""
    frame = table.rows[list(table.keys)].copy()
    for key in table.keys:
        if frame[key].isna().any():
            frame[key] = frame[key].astype(object).where(frame[key].notna(), None)
    named = joined(frame, table.keys)
    varied = [key for key in named if frame[key].nunique(dropna=False) > 1] or [
        ITERATIONS if ITERATIONS in named else next(iter(named))
    ]
    varied.sort(key=lambda key: (key == ITERATIONS, not key.startswith("model.")))
    points, each = list(records), table.points[table.metric].to_numpy(float)
    members: list[list[int]] = [[] for _ in range(len(frame))]
    for index, row in enumerate(table.members.tolist()):
        members[row].append(index)
    stds = table.rows[f"{table.metric}_std"] if table.repeats else np.zeros(len(frame))
    values = zip(*(frame[key].tolist() for key in varied), strict=True)
    rows = [
        Row(tuple(found), float(mean), float(std), tuple(each[own]), tuple(points[i] for i in own))
        for found, mean, std, own in zip(values, table.rows[table.metric], stds, members, strict=True)
    ]
    alike = {name: record for name, record in records.items() if record.classes == records[best].classes}
    kept = [replace(row, points=own) for row in rows if (own := tuple(name for name in row.points if name in alike))]
    kept = _in_order(kept)
    names = tuple(named[key] for key in varied)
    at = next(row for row in kept if best in row.points)
    return Study(tuple(varied), names, tuple(kept), table.metric, tuple(table.repeats), at, alike)


def distinct(values: Sequence[Any]) -> list[Any]:
    """Each value once: numbers by size, others in their order, null first."""
    found = list(dict.fromkeys(values))
    numbers = all(value is None or isinstance(value, (int, float)) for value in found)
    return sorted(found, key=lambda value: (value is not None, value or 0)) if numbers else found


def page_title(study: Study, row: Row, without: Sequence[int]) -> str:
    """The settings of a row in words, but for these."""
    texts = zip(study.names, study.texts(row), strict=True)
    return ", ".join(f"{name} {text}" for i, (name, text) in enumerate(texts) if i not in without)


def _in_order(rows: Sequence[Row]) -> list[Row]:
    """By the first setting, then the second, and so on."""
    places = [{value: i for i, value in enumerate(distinct(column))} for column in zip(*(r.values for r in rows), strict=True)]
    return sorted(rows, key=lambda row: [place[value] for place, value in zip(places, row.values, strict=True)])
