"""Pictures of y-hat vectors: what each head says of its own class, point by point; of a single image the vectors themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...records.record import Record
from ..labels import SHORT, column_width, label, widest
from .colours import GREY, as_colour, coloured, ink, viridis
from .layout import Row, Study
from .paper import (
    COLOUR_BAR,
    GAP,
    HEAD,
    SMALL_LETTERS,
    blank,
    colour_bar,
    head_width,
    paste,
    png_bytes,
    write,
    write_head,
    write_title,
)
from .scales import logit_scale

# Rows of a picture of many points, the best ones; and heads, whose names could not be told apart beyond.
MOST_POINTS, MOST_HEADS = 36, 100
# A cell's height, its width at least, and with a number in it.
TALL, LEAST_WIDE, WRITTEN = 19, 13, 36
# Between groups of rows.
BETWEEN = 7


@dataclass(frozen=True)
class Vectors:
    """What a record says of its images, half as large as there. image: (n,), indices into the data. target: (n,), indices of
    classes. y_hat: (n, heads)."""

    image: NDArray[np.int64]
    target: NDArray[np.int64]
    y_hat: NDArray[np.float32]

    @property
    def own(self) -> NDArray[np.float64]:
        """(heads,) the mean y-hat of each head over the images of its class; nan for a class without images."""
        count = self.y_hat.shape[1]
        right = self.y_hat[np.arange(len(self.target)), self.target].astype(float)
        with np.errstate(invalid="ignore"):
            sums, members = np.bincount(self.target, right, count), np.bincount(self.target, minlength=count)
            return np.asarray(sums / members)


def read_y_hat(record: Record) -> Vectors:
    """The vectors of a record. FileError when they are damaged."""
    found = record.vectors
    return Vectors(found.image, found.target, found.y_hat.astype(np.float32))


def y_hat(study: Study, vectors: Mapping[str, Vectors]) -> bytes:
    """A row a point, a column a head. vectors: by point, of the rows' first points."""
    rows = study.first(MOST_POINTS)
    classes = study.best_record.classes
    heads = [label(name, SHORT) for name in classes[:MOST_HEADS]]
    found = [vectors[row.points[0]] for row in rows]
    if all(len(each.target) == 1 for each in found):
        table = np.concatenate([each.y_hat for each in found]).astype(float)
        targets = {int(each.target[0]) for each in found}
        heads = [f"{name} (right)" if {j} == targets else name for j, name in enumerate(heads)]
        title, note = "y-hat of the one image, by point and head", "colour: y-hat on a logit scale"
    else:
        table = np.stack([each.own for each in found])
        split = "test" if study.best_record.result.images["test"] else "training"
        title, note = "mean y-hat of the right class, by point and head", f"colour: on a logit scale; {split} images"
    note += f"; the first {len(heads)} of {len(classes)} heads" if len(heads) < len(classes) else ""
    note += f"; the best {len(rows)} of {len(study.rows)} points" if len(rows) < len(study.rows) else ""
    return matrix(study, rows, table[:, : len(heads)], heads, (title, note))


def matrix(
    study: Study, rows: Sequence[Row], table: NDArray[np.float64], heads: Sequence[str], words: tuple[str, str]
) -> bytes:
    """(points, heads) values with the points' settings beside them. words: the title and the line below it."""
    scale = logit_scale(table)
    tops, height = row_places(study, rows)
    cell, upright = column_width(heads, SMALL_LETTERS, len(heads), WRITTEN if len(heads) <= 20 else LEAST_WIDE)
    left = settings_width(study, rows) + 2 * GAP
    above = HEAD + GAP + (widest(heads, SMALL_LETTERS) if upright else SMALL_LETTERS)
    across = cell * len(heads)
    canvas = blank(max(left + across + 2 * GAP + COLOUR_BAR, head_width(*words)), above + max(height, 160) + 2 * GAP)
    write_title(canvas, *words)
    colours = coloured(scale.place(table), 0.0, 1.0, viridis())
    for r, top in enumerate(tops):
        paste(canvas, colours[r : r + 1].repeat(TALL, axis=0).repeat(cell, axis=1), left, above + top)
        for c, value in enumerate(table[r] if cell >= WRITTEN else []):
            if np.isfinite(value):
                place = (left + c * cell + cell // 2, above + top + TALL // 2)
                write(canvas, place, y_hat_text(float(value)), SMALL_LETTERS, "mm", ink(colours[r, c]))
    for c, name in enumerate(heads):
        write_head(canvas, (left + c * cell + cell // 2, above - 4), name, upright, above=True)
    write_settings(canvas, study, rows, (GAP, above), tops)
    bar = (left + across + 2 * GAP, above)
    colour_bar(canvas, bar, min(max(height, 160), 400), viridis(), scale, "y-hat")
    return png_bytes(canvas)


def y_hat_text(value: float) -> str:
    """Two decimals, and more where these would say 0 or 1: .97, .0004, .9993."""
    lacks = min(value, 1 - value)
    places = 2 if lacks >= 0.005 else int(np.clip(np.ceil(-np.log10(max(lacks, 1e-9))), 3, 4))
    return f"{value:.{places}f}".removeprefix("0") if value < 1 - 0.5 * 10**-places else "1"


def row_places(study: Study, rows: Sequence[Row], tall: int = TALL, between: int = BETWEEN) -> tuple[list[int], int]:
    """Where each row begins, with room between groups of one first setting, and the height of all."""
    tops, at = [], 0
    for number, row in enumerate(rows):
        if number and len(study.keys) > 1 and row.values[0] != rows[number - 1].values[0]:
            at += between
        tops.append(at)
        at += tall
    return tops, at


def settings_width(study: Study, rows: Sequence[Row]) -> int:
    return sum(_columns(study, rows)) + 2 * GAP * len(study.names)


def write_settings(
    canvas: Image.Image, study: Study, rows: Sequence[Row], corner: tuple[int, int], tops: Sequence[int]
) -> None:
    """The rows' settings as a table, each where it changes; the best row is marked."""
    x = corner[0] + GAP
    before: list[list[str]] = [[] for _ in rows]
    for c, (name, wide) in enumerate(zip(study.names, _columns(study, rows), strict=True)):
        write(canvas, (x + wide, corner[1] - 4), name, SMALL_LETTERS, "rd", GREY)
        for r, (row, top) in enumerate(zip(rows, tops, strict=True)):
            text = study.texts(row)[c]
            before[r].append(text)
            if c == len(study.names) - 1 or r == 0 or before[r] != before[r - 1]:
                write(canvas, (x + wide, corner[1] + top + TALL // 2), text, SMALL_LETTERS, "rm")
        x += wide + 2 * GAP
    mark = next((top for row, top in zip(rows, tops, strict=True) if row is study.best), None)
    if mark is not None:
        write(canvas, (x - GAP, corner[1] + mark + TALL // 2), "★", SMALL_LETTERS, "mm", as_colour(viridis()[100]))


def _columns(study: Study, rows: Sequence[Row]) -> list[int]:
    texts = zip(*(study.texts(row) for row in rows), strict=True)
    return [widest([name, *column], SMALL_LETTERS) for name, column in zip(study.names, texts, strict=True)]
