"""Pictures of a comparison: the pivot as a heat map, loss curves, y-hat vectors, kernels. Without a screen."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from ..records.record import Record
from .canvas import (
    COLOUR_BAR,
    LARGE,
    MIDDLE,
    PAD,
    SMALL,
    colour_bar,
    frame_cell,
    name_lines,
    name_ticks,
    new_figure,
    place_axes,
    png,
    points,
    write_values,
)
from .labels import SHORT, column_width, label, widest
from .mosaic import MOST_HEADS, Sheet, kernels_sheet_png
from .tables import Pivot
from .y_hat import y_hat

# Figures stay readable and quick to draw up to this many points; the tables hold all of them.
MOST_POINTS = 27
# Numbers that are written into cells of a heat map; more could not be read.
MOST_WRITTEN = 300
# Okabe and Ito's colours, which the colour-blind can tell apart, without the yellow that is pale on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "--", ":", "-.")
T = TypeVar("T")


def draw(laid: Pivot, metric: str, records: Mapping[str, Record], best: str) -> dict[str, bytes]:
    """Every picture of a comparison by its name, as PNG. Records of other classes than the best one's are left out."""
    alike = {name: record for name, record in records.items() if record.classes == records[best].classes}
    shown = first_and(list(alike), best)
    drawn = {name: alike[name] for name in shown}
    note = f"the first and the best of {len(alike)} points" if len(drawn) < len(alike) else ""
    kernels = {name: record.kernels[:MOST_HEADS] for name, record in drawn.items()}
    return {
        "heatmap": png(heatmap(laid, metric)),
        "losses": png(losses(alike, best)),
        "y_hat": y_hat(drawn),
        "kernels": kernels_sheet_png(kernels, records[best].classes, note),
    }


def first_and(items: Sequence[T], wanted: T) -> list[T]:
    """The first MOST_POINTS, the wanted one in place of the last when it is not among them."""
    first = list(items[:MOST_POINTS])
    return first if wanted in first else [*first[:-1], wanted]


def heatmap(laid: Pivot, metric: str) -> Figure:
    """The pivot as a heat map: a panel a page, the best point framed."""
    tables = {title: page.values for title, page in laid.pages.items()}
    downs = [label(i, SHORT) for table in tables.values() for i in table.index]
    acrosses = [label(c, SHORT) for table in tables.values() for c in table.columns]
    rows, columns = max(map(len, tables.values())), max(table.shape[1] for table in tables.values())
    written = sum(table.size for table in tables.values()) <= MOST_WRITTEN
    wide, upright = column_width(acrosses, SMALL, columns, max(46 if written else 16, 220 // columns))
    tall = max(18, 240 // rows)
    left, above = widest(downs, SMALL) + MIDDLE + 3 * PAD, LARGE + 2 * PAD
    below = (widest(acrosses, SMALL) if upright else SMALL) + MIDDLE + 3 * PAD
    width, height = max(columns * wide, widest(map(label, tables), LARGE)), rows * tall
    sheet = Sheet(len(tables), min(4, len(tables)), (height, width), (height + above + below, width + left))
    figure = new_figure(left + sheet.shape[1] + PAD + COLOUR_BAR, above + sheet.shape[0] + below)
    values = np.concatenate([table.to_numpy(float).ravel() for table in tables.values()])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    high = high if high > low else low + max(abs(low), 1.0) / 1000
    for index, (title, table) in enumerate(tables.items()):
        y, x = sheet.corner(index)
        axis = place_axes(figure, left + x, above + y, table.shape[1] * wide, len(table) * tall)
        _panel(axis, table, (low, high), upright, written)
        axis.set_title(label(title), fontsize=points(LARGE), parse_math=False)
        if title == laid.best[0]:
            row, column = list(table.index).index(laid.best[1]), list(table.columns).index(laid.best[2])
            frame_cell(axis, row, column, (wide, tall))
    colour_bar(figure, left + sheet.shape[1] + PAD, above, min(sheet.shape[0], 400), (low, high, metric))
    return figure


def _panel(axis: Axes, table: pd.DataFrame, scale: tuple[float, float], upright: bool, written: bool) -> None:
    axis.imshow(table.to_numpy(float), cmap="viridis", vmin=scale[0], vmax=scale[1], aspect="auto")
    name_ticks(axis, [label(i, SHORT) for i in table.index], [label(c, SHORT) for c in table.columns], upright)
    axis.set_xlabel(str(table.columns.name), fontsize=points(MIDDLE))
    axis.set_ylabel(str(table.index.name), fontsize=points(MIDDLE))
    if written:
        write_values(axis, table.to_numpy(float), sum(scale) / 2)


def losses(records: Mapping[str, Record], best: str) -> Figure:
    """Loss over iterations: every head of one record, or the mean over heads of several, each trajectory once."""
    curves: list[tuple[str, NDArray[np.int64], NDArray[np.float64]]] = []
    if len(records) == 1:
        steps, values = smooth(records[best].losses)
        curves = [(name, steps, values[:, j]) for j, name in enumerate(records[best].classes[:MOST_HEADS])]
        looks = [(COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS)]) for i in range(len(curves))]
    else:
        for name, record in longest(records, best):
            steps, values = smooth(record.losses)
            curves.append((name, steps, values.mean(axis=1)))
        looks = styles([name for name, _, _ in curves])
    names = [label(name) for name, _, _ in curves]
    left, width, height = 80, 560, max(400, len(names) * (SMALL + 6) + 30)
    figure = new_figure(left + width + widest(names, SMALL) + 70, PAD + height + 50)
    axis = place_axes(figure, left, PAD, width, height)
    for (_, steps, curve), (colour, dash) in zip(curves, looks, strict=True):
        # A single iteration is a dot, no line.
        axis.plot(steps, curve, dash, lw=1.3, color=colour, marker="o" if len(steps) == 1 else None)
    name_lines(axis, names, "head" if len(records) == 1 else None)
    axis.set(xscale="log", yscale="log")
    axis.set_xlabel("iteration", fontsize=points(MIDDLE))
    axis.set_ylabel("loss of the batch", fontsize=points(MIDDLE))
    axis.grid(alpha=0.25)
    for one in (axis.xaxis, axis.yaxis):
        low, high = one.get_view_interval()
        # Words, not powers: 0.001 is read at once. Where the axis spans little, 2 and 5 are named too.
        one.set_major_locator(LogLocator(subs=(1.0,) if high / low > 100 else (1.0, 2.0, 5.0), numticks=20))
        one.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        one.set_minor_locator(NullLocator())
    return figure


def longest(records: Mapping[str, Record], best: str) -> list[tuple[str, Record]]:
    """The longest point of each trajectory, named without its iterations: the others lie on its curve."""
    found: dict[Path, tuple[str, Record]] = {}
    for name, record in records.items():
        key = record.folder.parent
        if key not in found or record.result.iterations > found[key][1].result.iterations:
            brief = " ".join(part for part in name.split() if not part.startswith("iterations="))
            found[key] = (brief or name, record)
    return [found[key] for key in first_and(list(found), records[best].folder.parent)]


def styles(names: Sequence[str]) -> list[tuple[str, str]]:
    """A colour and a dash for each name. Where it can be, the last setting has the colour and the others have the dash."""
    firsts, lasts = ([name.rpartition(" ")[part] for name in names] for part in (0, 2))
    dashes, colours = list(dict.fromkeys(firsts)), list(dict.fromkeys(lasts))
    if len(dashes) <= len(DASHES) and len(colours) <= len(COLOURS):
        return [(COLOURS[colours.index(b)], DASHES[dashes.index(a)]) for a, b in zip(firsts, lasts, strict=True)]
    return [(COLOURS[i % len(COLOURS)], DASHES[i // len(COLOURS)]) for i in range(len(names))]


def smooth(losses: NDArray[np.float64], most: int = 150) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Means over ever longer stretches: batches are noisy and a curve needs no more points than the picture has."""
    edges = np.unique(np.geomspace(1, len(losses) + 1, most).astype(int))
    edges = edges if len(edges) > 1 else np.array([1, 2])
    sums = np.add.reduceat(losses, edges[:-1] - 1, axis=0)
    counts = np.diff(np.append(edges[:-1], len(losses) + 1))
    return edges[:-1], sums / counts[:, None]
