"""One point in words: its settings, its place among its neighbours, what its heads do, where it errs, where its files are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..base.console import number
from ..base.text import aligned
from ..data.dataset import SPLITS
from ..records.provenance import PROVENANCE
from ..records.record import FILES, Record
from ..training.result import CRITERIA
from .axes import AXES, short
from .labels import SHORT, one_line, setting
from .outcome import outcome
from .select import flat_settings, name_of
from .vectors import read_vectors

MOST_HEADS, MOST_WRONG, MOST_OTHERS = 40, 5, 4
MEASURES = ("loss", "accuracy", "margin")
Rows = list[list[str]]


def title_lines(record: Record, siblings: Sequence[Record], swept: Sequence[str]) -> list[str]:
    """Its name, and how it ranks among the points of its experiment."""
    name = f"{record.settings['name']}: {name_of(record, swept or AXES)}"
    metric = next((key for key in CRITERIA if key in record.result.metrics), None)
    if metric is None or len(siblings) < 2:
        return [name]
    value = record.result.metrics[metric]
    values = [other.result.metrics.get(metric, float("nan")) for other in siblings]
    place = 1 + sum(other > value for other in values)
    return [name, f"{metric} {number(value)}: {'the best' if place == 1 else f'number {place}'} of {len(siblings)} points"]


def settings_lines(record: Record, swept: Sequence[str]) -> list[str]:
    """Every setting; those that differ in the experiment are marked."""
    rows = [["*" if key in swept else "", key, _value(value)] for key, value in flat_settings(record).items() if key != "name"]
    return [f"settings{' (* differs in the experiment)' if swept else ''}", *_columns(rows, "lll")]


def neighbour_lines(record: Record, siblings: Sequence[Record], swept: Sequence[str]) -> list[str]:
    """For each setting that differs, the points that are next to this one: all else equal, the next values of this."""
    metric = next((key for key in CRITERIA if key in record.result.metrics), "")
    mine, here = flat_settings(record), record.result.metrics.get(metric, float("nan"))
    apart: dict[str, dict[Any, float]] = {key: {} for key in swept}
    for other in siblings:
        theirs = flat_settings(other)
        differ = [key for key in swept if theirs.get(key) != mine.get(key)]
        if len(differ) == 1 and metric:
            apart[differ[0]][theirs.get(differ[0])] = other.result.metrics.get(metric, float("nan"))
    rows: Rows = []
    for key, others in apart.items():
        near = _near(mine.get(key), others)
        if near:
            rows.append([short(key), _value(mine.get(key))])
            rows[-1] += [f"{_value(value)}: {number(others[value])} ({others[value] - here:+.4f})" for value in near]
    width = max(map(len, rows), default=0)
    filled = [row + [""] * (width - len(row)) for row in rows]
    return [f"neighbours: {metric} if one setting were another", *_columns(filled, "l" * width)] if rows else []


def metric_lines(record: Record) -> list[str]:
    """Loss, accuracy and margin of each split."""
    metrics, images = record.result.metrics, record.result.images
    splits = [name for name in SPLITS if any(f"{name}_{measure}" in metrics for measure in MEASURES)]
    rows = [["", *splits], ["images", *(str(images[name]) for name in splits)]]
    rows += [[m, *(number(metrics.get(f"{name}_{m}")) for name in splits)] for m in MEASURES]
    return ["metrics", *_columns(rows, "l" + "r" * len(splits))]


def head_lines(record: Record) -> list[str]:
    """A row a head: losses and recalls of each split, and whether it is dead or saturated."""
    heads = record.result.heads
    # A split without images has no values.
    keys = [key for key in dict.fromkeys(key for head in heads for key in head) if key not in ("class", "dead", "saturated")]
    keys = [key for key in keys if any(head.get(key) is not None for head in heads)]
    rows = [["class", *keys, ""]]
    for head in heads[:MOST_HEADS]:
        trouble = " ".join(word for word in ("dead", "saturated") if head.get(word))
        rows.append([one_line(head["class"], SHORT), *(number(head.get(key)) for key in keys), trouble])
    more = [f"... and {len(heads) - MOST_HEADS} more in result.json"] if len(heads) > MOST_HEADS else []
    return ["heads", *_columns(rows, "l" + "r" * len(keys) + "l"), *more]


def y_hat_lines(record: Record) -> list[str]:
    """Target beside y-hat for a single image; of many, those that are most wrong."""
    targets, vectors, images = [], [], []
    for (image, target), cells in read_vectors(record):
        images.append(image)
        targets.append(target)
        vectors.append([float(cell) for cell in cells.split(",")])
    if len(images) == 1:
        return ["y-hat of the image", *(f"  {line}" for line in outcome(record).splitlines())]
    y, place = np.array(vectors), {name: j for j, name in enumerate(record.classes)}
    right = np.array([place[target] for target in targets])
    every = np.arange(len(y))
    others = y.copy()
    others[every, right] = -np.inf
    margin, rival = y[every, right] - others.max(axis=1), others.argmax(axis=1)
    wrong = int((margin < 0).sum())
    rows = [["image", "target", "its y-hat", "answer" if wrong else "next", "its y-hat"]]
    for i in np.argsort(margin, kind="stable")[: min(wrong, MOST_WRONG) or MOST_WRONG].tolist():
        names = one_line(targets[i], SHORT), one_line(record.classes[rival[i]], SHORT)
        rows.append([images[i], names[0], number(y[i, right[i]]), names[1], number(y[i, rival[i]])])
    split = "test" if record.result.images.get("test") else "training"
    head = f"most wrong of {wrong} wrong answers" if wrong else "no wrong answer; the least sure"
    return [f"y-hat: {head}, {len(y)} {split} images", *_columns(rows, "rlrlr")]


def file_lines(record: Record, siblings: Sequence[Record]) -> list[str]:
    """Where everything about the point lies."""
    names = [*FILES, *([PROVENANCE] if (record.folder / PROVENANCE).is_file() else [])]
    lines = [f"files: {record.folder}", f"  {'  '.join(names)}"]
    home = record.folder.parent.parent.parent
    figures = home / "figures"
    return [*lines, *([f"  the experiment's figures: {figures}"] if len(siblings) > 1 and figures.is_dir() else [])]


def _near(mine: Any, others: Mapping[Any, float]) -> list[Any]:
    """The next smaller and the next larger number; of words all."""
    numbers = [value for value in others if isinstance(value, (int, float))]
    if not isinstance(mine, (int, float)) or len(numbers) < len(others):
        return list(others)[:MOST_OTHERS]
    return [*sorted(value for value in numbers if value < mine)[-1:], *sorted(value for value in numbers if value > mine)[:1]]


def _value(value: Any) -> str:
    return one_line(setting(value))


def _columns(rows: Rows, sides: str) -> list[str]:
    return [f"  {line}" for line in aligned(rows, sides)]
