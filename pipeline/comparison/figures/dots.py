"""The metric as dots: where settings are repeated, with standard deviations; and where points fill no grid, as in a search."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ..axes import axes
from ..labels import SHORT, heading, label, setting, widest
from ..tables import with_best
from .colours import GREY, Colour, ordered
from .layout import Row, Study, distinct, page_title
from .paper import GAP, HEAD, LETTERS, SMALL_LETTERS, disc, line, png_bytes, smoothly, star, write
from .plot import Frame, Panels, draw_frame, name_across, name_up, tick_across, tick_up
from .scales import LINEAR, LOG, Scale, Tick, decimals, error_scale, log_scale

MOST_PAGES = 6
# Values of a setting up to this many are named and evenly spaced; more numbers lie on a log axis.
MOST_NAMED = 12
# Series beyond so many are not named above the panels.
MOST_SERIES = 12
# Pixels between dots of several series at one value.
BESIDE = 7


@dataclass(frozen=True)
class Spots:
    """Which setting is where, as indices of the study's keys: `across` on the axis, `series` as colours (None: there is one),
    pages for the rest. values: those of `across`, in order. scale, ticks: of the axis; a value's place is `at`."""

    across: int
    series: int | None
    values: list[Any]
    scale: Scale
    ticks: list[Tick]

    def at(self, row: Row) -> float:
        value = row.values[self.across]
        return float(value) if self.scale.kind == LOG else float(self.values.index(value))


def spots(study: Study) -> Spots:
    """Where a study's rows lie."""
    down, across, _ = axes(study.keys)
    x = study.keys.index(across or down)
    values = distinct([row.values[x] for row in study.rows])
    numbers = all(isinstance(value, (int, float)) and value > 0 for value in values)
    series = study.keys.index(down) if across else None
    if numbers and len(values) > MOST_NAMED:
        scale = log_scale(values)
        return Spots(x, series, values, scale, scale.ticks())
    texts = [label(setting(value), SHORT) for value in values]
    return Spots(x, series, values, Scale(-0.5, len(values) - 0.5, LINEAR), list(enumerate(texts)))


def dots(study: Study) -> bytes | None:
    """A panel a combination of further settings, a colour a value of the series; bars are standard deviations. None for one
    point alone, which is compared with nothing."""
    if len(study.rows) == 1 and not study.repeats:
        return None
    where = spots(study)
    fixed = [where.across] if where.series is None else [where.across, where.series]
    titles = {id(row): page_title(study, row, fixed) for row in study.rows}
    pages = list(dict.fromkeys(titles.values()))
    if len(pages) > MOST_PAGES and 2 * len(pages) > len(study.rows):
        # A search over many settings: a page a dot would show nothing.
        titles, pages = dict.fromkeys(titles, "all points"), ["all points"]
    shown = with_best(pages, titles[id(study.best)], MOST_PAGES)
    kept = [row for row in study.rows if titles[id(row)] in shown and np.isfinite(row.mean)]
    up = _up(kept)
    names = [] if where.series is None else distinct([row.values[where.series] for row in study.rows])
    colours = dict(zip(names, ordered(len(names)), strict=True))
    panels = _panels(study, up, len(shown))
    note = _note(study, len(pages) - len(shown))
    canvas = panels.canvas(f"{study.title} over {study.names[where.across]}", note)
    _legend(canvas, study, where, colours)
    for index, title in enumerate(shown):
        frame = panels.frame(index, where.scale, up)
        tick_up(canvas, frame, up.ticks(), panels.is_first(index))
        rows = [row for row in kept if titles[id(row)] == title]
        smoothly(canvas, frame.box, _Dots(frame, rows, where, colours, study.best).paint)
        draw_frame(canvas, frame, heading(title))
        tick_across(canvas, frame, where.ticks)
        name_across(canvas, frame, study.names[where.across])
        if study.best in rows:
            _write_best(canvas, frame, where, study)
    name_up(canvas, panels.frame(0, where.scale, up), study.title)
    return png_bytes(canvas)


def _up(rows: Sequence[Row]) -> Scale:
    ends = [value for row in rows for value in (row.mean - row.std, row.mean + row.std, *row.each)]
    found = error_scale(ends or [0.0])
    room = ((1 - found.low) / (1 - found.high)) ** 0.06
    return Scale(1 - (1 - found.low) * room, 1 - (1 - found.high) / room, found.kind)


def _panels(study: Study, up: Scale, count: int) -> Panels:
    columns = min(count, 3)
    left = widest((text for _, text in up.ticks()), SMALL_LETTERS) + LETTERS + 4 * GAP
    return Panels(count, columns, ((620, 400), (420, 340), (320, 280))[columns - 1], left, 3 * GAP, HEAD + LETTERS + GAP)


def _note(study: Study, left: int) -> str:
    repeats = f"means and standard deviations over {' and '.join(study.repeats)}; small dots: each" if study.repeats else ""
    parts = [repeats, "axis: what it lacks to 1, on a log scale", "star: the best"]
    return "; ".join(part for part in parts if part) + (f"; {left} more pages in summary.csv" if left else "")


def _legend(canvas: Image.Image, study: Study, where: Spots, colours: Mapping[Any, Colour]) -> None:
    """A line above the panels: what the colours are."""
    if where.series is None:
        return
    x, y = GAP, HEAD + LETTERS // 2
    write(canvas, (x, y), study.names[where.series], LETTERS, "lm")
    x += widest([study.names[where.series]], LETTERS) + 2 * GAP
    named = list(colours) if len(colours) <= MOST_SERIES else [next(iter(colours)), list(colours)[-1]]
    for number, value in enumerate(named):
        text = label(setting(value), SHORT)
        text = f"to {text}" if number and len(named) < len(colours) else text
        smoothly(canvas, (x, y - 6, x + 12, y + 7), partial(_spot, colours[value]))
        write(canvas, (x + 16, y), text, LETTERS, "lm")
        x += 16 + widest([text], LETTERS) + 2 * GAP


def _spot(colour: Colour, draw: ImageDraw.ImageDraw, k: int) -> None:
    disc(draw, 6 * k, 6.5 * k, 4.5 * k, colour)


@dataclass(frozen=True)
class _Dots:
    """The dots of one panel, in its frame."""

    frame: Frame
    rows: Sequence[Row]
    where: Spots
    colours: Mapping[Any, Colour]
    best: Row

    def look(self, row: Row) -> tuple[float, Colour]:
        """Where it is across, in pixels, and in which colour: series stand side by side where values are named."""
        [x] = self.frame.x(self.where.at(row))
        if self.where.series is None:
            return x, ordered(1)[0]
        value, order = row.values[self.where.series], list(self.colours)
        aside = 0.0 if self.where.scale.kind == LOG else (order.index(value) - (len(order) - 1) / 2) * BESIDE
        return x + aside, self.colours[value]

    def paint(self, draw: ImageDraw.ImageDraw, k: int) -> None:
        for row in self.rows:
            x, colour = self.look(row)
            low, middle, high = self.frame.y([row.mean - row.std, row.mean, row.mean + row.std])
            if len(row.each) > 1:
                for y in self.frame.y(row.each):
                    disc(draw, x * k, y * k, 1.8 * k, (*colour, 110))
                line(draw, [(x * k, low * k), (x * k, high * k)], colour, 1.5 * k)
            if row is self.best:
                star(draw, x * k, middle * k, 8 * k, colour)
            else:
                disc(draw, x * k, middle * k, (4.5 if len(self.rows) < 200 else 2.5) * k, colour)


def _write_best(canvas: Image.Image, frame: Frame, where: Spots, study: Study) -> None:
    row, places = study.best, decimals(error_scale([study.best.mean]))
    text = f"{row.mean:.{places}f}" + (f" ± {row.std:.{places}f}" if study.repeats else "")
    [x], y = frame.x(where.at(row)), min(frame.y([row.mean + row.std, *row.each]))
    half = widest([text], SMALL_LETTERS) // 2
    at = min(max(round(x), half + 2), frame.width - half - 2)
    write(canvas, (frame.left + at, frame.top + max(round(y) - 10, SMALL_LETTERS + 2)), text, SMALL_LETTERS, "md", GREY)
