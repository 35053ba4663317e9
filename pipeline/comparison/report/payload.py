"""What the report shows: a head that is read at once, and blocks of numbers that are unpacked when they are looked at."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from ...base.text import quoted_if_blank
from ...data.dataset import Dataset
from ...records.record import Record
from ...settings import flatten
from ..axes import axes, short
from ..tables import Summary, with_best
from .blocks import Room, gather_blocks
from .curves import trajectories

# Points that the page's tables hold, and heads of theirs; points.csv and result.json hold all of them.
MOST_POINTS, MOST_HEADS = 1000, 5000
# Letters of head and blocks: the page with its scripts stays below 20 MB.
MOST_LETTERS = 19_500_000


@dataclass(frozen=True)
class Payload:
    """head: plain values, small. blocks: arrays by name."""

    head: Mapping[str, Any]
    blocks: Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Shown:
    """What is shown: records by name in their order, the table of their points, whose rows are in the same order, its summary,
    the best one's name. datasets: by point, as far as they are at hand: without its own a point's heads cannot be tried on an
    image, without the best one's there are no pictures."""

    records: Mapping[str, Record]
    summary: Summary
    best: str
    datasets: Mapping[str, Dataset]


def payload(title: str, shown: Shown, folder: Path) -> Payload:
    """The points as the page takes them. folder: where the page will lie, for the records' places. FileError for a damaged
    record."""
    names = list(shown.records)
    kept = with_best(range(len(names)), names.index(shown.best), MOST_POINTS)
    records = {names[number]: shown.records[names[number]] for number in kept}
    metric = shown.summary.metric
    ranked = sorted(records, key=lambda name: -_number(records[name].result.metrics.get(metric)))
    order = list(dict.fromkeys([shown.best, names[kept[0]], *ranked]))
    points = _points(records, shown, kept, folder)
    blocks = gather_blocks(records, order, shown.datasets, Room(MOST_LETTERS - len(json.dumps(points))))
    for place, row in enumerate(points):
        row |= {"vectors": f"y_hat-{place}" in blocks.arrays, "kernels": f"kernel-{place}" in blocks.arrays}
    left_out = [f"{len(names) - len(kept)} of {len(names)} points are in points.csv alone."] if len(kept) < len(names) else []
    head = {
        "title": title,
        **_table(shown.summary, kept),
        "classes": [quoted_if_blank(name) for name in shown.records[shown.best].classes],
        "best": kept.index(names.index(shown.best)),
        "points": points,
        "images": blocks.images,
        "left_out": [*left_out, *blocks.left_out],
    }
    return Payload(head, blocks.arrays)


def _table(summary: Summary, kept: Sequence[int]) -> dict[str, Any]:
    """The swept settings, where they go, and the summary's rows of the points that were kept."""
    down, across, pages = axes(summary.keys)
    keys = [*summary.keys, *summary.repeats]
    members = [int(summary.members[number]) for number in kept]
    points: dict[int, list[int]] = {}
    for place, member in enumerate(members):
        points.setdefault(member, []).append(place)
    rows = _plain(summary.rows.iloc[list(points)])
    spread = summary.metrics if summary.repeats else []
    return {
        "keys": keys,
        "short": {key: short(key) for key in keys},
        "axes": {"down": down, "across": across, "pages": pages},
        "repeats": summary.repeats,
        "metric": summary.metric,
        "metrics": summary.metrics,
        "rows": [
            {
                "values": [row[key] for key in summary.keys],
                "means": {key: row[key] for key in summary.metrics},
                "deviations": {key: row[f"{key}_std"] for key in spread},
                "points": places,
            }
            for row, places in zip(rows, points.values(), strict=True)
        ],
    }


def _points(records: Mapping[str, Record], shown: Shown, kept: Sequence[int], folder: Path) -> list[dict[str, Any]]:
    summary = shown.summary
    values = _plain(summary.points.iloc[list(kept)][[*summary.keys, *summary.repeats]])
    rows = {member: row for row, member in enumerate(dict.fromkeys(int(summary.members[number]) for number in kept))}
    heads = sum(len(record.classes) for record in records.values()) <= MOST_HEADS
    numbers = trajectories(records)
    found = []
    for place, (name, record) in enumerate(records.items()):
        dataset = shown.datasets.get(name)
        found.append(
            {
                "name": name,
                "values": list(values[place].values()),
                "settings": {key: _value(value) for key, value in flatten(record.settings).items() if key != "name"},
                "metrics": {key: _value(value) for key, value in record.result.metrics.items()},
                "heads": [{key: _value(value) for key, value in row.items()} for row in record.result.heads] if heads else [],
                "record": Path(os.path.relpath(record.folder, folder)).as_posix(),
                "trajectory": numbers[place],
                "iterations": record.result.iterations,
                "row": rows[int(summary.members[kept[place]])],
                "scale": dataset.scale if dataset else None,
            }
        )
    return found


def _plain(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts of values that JSON has."""
    return [{str(key): _value(value) for key, value in row.items()} for row in rows.to_dict("records")]


def _value(value: Any) -> Any:
    """nan and what is neither number, text nor truth as null or text."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) else None
    return None if pd.isna(value) else value.item() if hasattr(value, "item") else str(value)


def _number(value: float | None) -> float:
    return -math.inf if value is None or math.isnan(value) else value
