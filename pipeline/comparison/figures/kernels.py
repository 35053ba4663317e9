"""How kernels grow: a panel a kernel size, from the start over every number of iterations, one scale a head."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...heads.head import Array
from ...heads.initial import initial_heads
from ...records.record import Record
from ..axes import AXES
from ..labels import SHORT, heading, label, widest
from .colours import GREY, red_blue
from .layout import ITERATIONS, Row, Study
from .mosaic import BAR, BETWEEN, LEAST_TILE, MOST_HEADS, UNIT, kernel_tile, kernels_png
from .paper import (
    COLOUR_BAR,
    GAP,
    HEAD,
    LETTERS,
    MOST_TALL,
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

MOST_ROWS = 6
# A tile's side at most.
TILE = 52
# Room above and below a panel, and for the names of heads at most.
AROUND, MOST_NAMES = LETTERS + SMALL_LETTERS + 4 * GAP, 160


@dataclass(frozen=True)
class Panel:
    """rows: what each shows, and its heads' kernels (1, k, k)."""

    title: str
    rows: tuple[tuple[str, list[Array]], ...]

    @property
    def limits(self) -> list[float]:
        """The largest absolute tap of each head, over all rows."""
        heads = zip(*(kernels for _, kernels in self.rows), strict=True)
        return [max(float(np.abs(kernel).max()) for kernel in head) for head in heads]


def kernels(study: Study) -> bytes:
    """A panel a kernel size with the start and every number of iterations, or with many filters or heads the best alone."""
    best = study.best_record
    own = best.kernels
    if len(own) > MOST_HEADS or max(len(kernel) for kernel in own) > 1:
        return kernels_png(own, best.classes, f"of the best point, {study.words(study.best)}")
    return _growth(
        panels(study), best.classes, "; the best kernel sizes alone" if len(_groups(study)) > len(_shown(study)) else ""
    )


def panels(study: Study) -> list[Panel]:
    """For each kernel size the points at the best one's other settings; where these are not there, at those that are best. Of
    many kernel sizes the best ones, as many as fit a screen."""
    named = [i for i, key in enumerate(study.keys) if key != ITERATIONS]
    return [_panel(study, rows, named) for rows in _shown(study)]


def _groups(study: Study) -> list[list[Row]]:
    """The rows of each kernel size's panel, fewest iterations first."""
    others = [i for i, key in enumerate(study.keys) if key not in (AXES[0], ITERATIONS)]
    size = study.keys.index(AXES[0]) if AXES[0] in study.keys else None
    by_size: dict[Any, list[Row]] = {}
    for row in study.rows:
        by_size.setdefault(None if size is None else row.values[size], []).append(row)
    found = []
    for rows in by_size.values():
        models = [study.best, max(rows, key=_goodness)]
        alike = [[row for row in rows if all(row.values[i] == model.values[i] for i in others)] for model in models]
        chosen = sorted(alike[0] or alike[1], key=lambda row: study.records[row.points[0]].result.iterations)
        found.append(chosen if len(chosen) < MOST_ROWS else [*chosen[: MOST_ROWS - 2], chosen[-1]])
    return found


def _shown(study: Study) -> list[list[Row]]:
    """Those of the groups that fit a screen, the best one among them."""
    groups = _groups(study)
    room = MOST_TALL - HEAD - MOST_NAMES
    kept: list[int] = []
    for index in sorted(range(len(groups)), key=lambda i: -max(map(_goodness, groups[i]))):
        room -= AROUND + (len(groups[index]) + 1) * (LEAST_TILE + BETWEEN)
        kept += [index] if room >= 0 or not kept else []
    return [groups[index] for index in sorted(kept)]


def _goodness(row: Row) -> float:
    return -np.inf if np.isnan(row.mean) else row.mean


def _panel(study: Study, rows: Sequence[Row], named: Sequence[int]) -> Panel:
    records = [study.records[row.points[0]] for row in rows]
    title = ", ".join(f"{study.names[i]} {study.texts(rows[0])[i]}" for i in named)
    trained = ((f"{record.result.iterations}", record.kernels) for record in records)
    return Panel(title, (("start", start(records[0])), *trained))


def start(record: Record) -> list[Array]:
    """The kernels that the record's training began with: they follow from its settings."""
    model, seed = record.settings["model"], record.settings["seed"]
    # Kernels are drawn before anything that has to do with the image's shape.
    heads = initial_heads(
        seed, len(record.classes), model["init"], model["filters"], model["kernel_size"], (2, 2), model["dtype"]
    )
    return [head.kernel for head in heads]


def _growth(shown: Sequence[Panel], classes: Sequence[str], left_out: str) -> bytes:
    """Panels below each other, heads in columns."""
    over = [label(name, SHORT) for name in classes]
    count, names = sum(len(panel.rows) for panel in shown), widest(over, SMALL_LETTERS)
    tile = min(TILE, max(LEAST_TILE, (MOST_TALL - HEAD - names - len(shown) * AROUND) // count - BETWEEN))
    step = max(tile + BETWEEN, widest(["±0.0001"], SMALL_LETTERS) + 4)
    upright = names > step - 4
    above = GAP + (names if upright else SMALL_LETTERS)
    left = widest((text for panel in shown for text, _ in panel.rows), SMALL_LETTERS) + 3 * GAP
    title, note = (
        "kernels from their start on, by head",
        "down: iterations; red lets light through, blue takes it away; below each head: its largest tap",
    )
    width = left + len(over) * step
    height = HEAD + above + sum(AROUND + len(panel.rows) * (tile + BETWEEN) for panel in shown)
    canvas = blank(max(width + GAP + COLOUR_BAR, head_width(title, note)), height)
    write_title(canvas, title, note)
    for c, name in enumerate(over):
        write_head(canvas, (left + c * step + step // 2, HEAD + above - 4), name, upright, above=True)
    y = HEAD + above
    for panel in shown:
        write(canvas, (left, y), heading(panel.title), LETTERS, "la")
        y += LETTERS + GAP
        for text, row in panel.rows:
            write(canvas, (left - GAP, y + tile // 2), text, SMALL_LETTERS, "rm")
            for c, (kernel, limit) in enumerate(zip(row, panel.limits, strict=True)):
                picture = kernel_tile(kernel, limit, tile)
                paste(canvas, picture, left + c * step + (step - picture.shape[1]) // 2, y + (tile - picture.shape[0]) // 2)
            y += tile + BETWEEN
        for c, limit in enumerate(panel.limits):
            write(canvas, (left + c * step + step // 2, y), f"±{limit:.2g}", SMALL_LETTERS, "ma", GREY)
        y += SMALL_LETTERS + 3 * GAP
    colour_bar(
        canvas, (width + GAP, HEAD + above + LETTERS + GAP), min(220, height - HEAD - above - 4 * GAP), red_blue(), UNIT, BAR
    )
    return png_bytes(canvas)
