"""The picture of the metric that points are chosen by: a heat map, or dots where settings are repeated or fill no grid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .axes import axes
from .colours import BLACK, Pixels, as_colour, coloured, ink, viridis
from .labels import SHORT, column_width, label, setting, widest
from .layout import Study, distinct, page_title, with_best
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
    png_bytes,
    smoothly,
    star,
    write,
    write_head,
    write_title,
    write_upright,
)
from .plot import ABOVE
from .scales import Scale, decimals, error_scale

MOST_WIDE = 1500
# A heat map's cell at least and at most; below the first no number fits, and colours must do.
WRITTEN, CELL, LEAST_CELL = 46, (84, 62), (9, 9)
# A grid with fewer of its cells filled than this share is none.
FILLED = 0.6
# Values of an axis beyond which cells would be too small.
MOST_VALUES = 60


@dataclass(frozen=True)
class Grid:
    """down, across: names and values of the two axes. pages: by title (rows, columns) values, nan where there is no point.
    best: the page, the row and the column of the best. left: how many pages are not shown."""

    down: tuple[str, list[str]]
    across: tuple[str, list[str]]
    pages: dict[str, NDArray[np.float64]]
    best: tuple[str, int, int]
    left: int


def as_grid(study: Study) -> Grid | None:
    """The metric over two settings, a page for each combination of the others, as many as fit a screen; None where that is not
    the shape of the sweep."""
    if study.repeats or len(study.keys) < 2:
        return None
    down, across, _ = axes(study.keys)
    assert across is not None
    d, a = study.keys.index(down), study.keys.index(across)
    downs, acrosses = (distinct([row.values[i] for row in study.rows]) for i in (d, a))
    if max(len(downs), len(acrosses)) > MOST_VALUES:
        return None
    titles = {id(row): page_title(study, row, (d, a)) for row in study.rows}
    found: dict[str, NDArray[np.float64]] = {}
    for row in study.rows:
        page = found.setdefault(titles[id(row)], np.full((len(downs), len(acrosses)), np.nan))
        page[downs.index(row.values[d]), acrosses.index(row.values[a])] = row.mean
    if np.mean(np.isfinite(list(found.values()))) < FILLED:
        return None
    best = titles[id(study.best)]
    kept = with_best(list(found), best, _pages_that_fit(len(downs)))
    at = (best, downs.index(study.best.values[d]), acrosses.index(study.best.values[a]))
    names = [(study.names[i], [label(setting(v), SHORT) for v in values]) for i, values in ((d, downs), (a, acrosses))]
    return Grid(names[0], names[1], {title: found[title] for title in kept}, at, len(found) - len(kept))


def heat_map(study: Study, grid: Grid) -> bytes:
    """A panel a page; colours by what a value lacks to 1, on a log scale; the best is starred."""
    rows, columns = len(grid.down[1]), len(grid.across[1])
    values = np.array(list(grid.pages.values()))
    scale = error_scale(values)
    left = widest(grid.down[1], SMALL_LETTERS) + LETTERS + 4 * GAP
    wide, upright = column_width(grid.across[1], SMALL_LETTERS, columns, _side(MOST_WIDE // 3, columns, CELL[0], LEAST_CELL[0]))
    tall = _side(280, rows, CELL[1], LEAST_CELL[1])
    below = (widest(grid.across[1], SMALL_LETTERS) if upright else SMALL_LETTERS) + LETTERS + 4 * GAP
    width = max(columns * wide, widest(grid.pages, LETTERS)) + 2 * GAP
    across = max(1, min(len(grid.pages), 4, (MOST_WIDE - left - COLOUR_BAR) // width))
    height = ABOVE + rows * tall + below
    title = f"{study.title} over {grid.down[0]} and {grid.across[0]}"
    note = f"colour: what it lacks to 1, on a log scale; star: the best{_more(grid.left)}"
    canvas = blank(
        max(left + across * width + GAP + COLOUR_BAR, head_width(title, note)), HEAD + -(-len(grid.pages) // across) * height
    )
    write_title(canvas, title, note)
    for index, (name, page) in enumerate(grid.pages.items()):
        corner = (left + index % across * width, HEAD + ABOVE + index // across * height)
        write(canvas, (corner[0], corner[1] - GAP // 2), label(name), LETTERS, "ld")
        _cells(canvas, corner, (wide, tall), page, scale)
        if name == grid.best[0]:
            _star(canvas, corner, (wide, tall), grid.best[1:], page, scale)
        for c, text in list(enumerate(grid.across[1]))[:: _every(wide if upright else SMALL_LETTERS + 3)]:
            write_head(canvas, (corner[0] + c * wide + wide // 2, corner[1] + rows * tall + 4), text, upright, above=False)
        write(
            canvas, (corner[0] + columns * wide // 2, corner[1] + rows * tall + below - 2 * GAP), grid.across[0], LETTERS, "md"
        )
        if index % across == 0:
            for r, text in list(enumerate(grid.down[1]))[:: _every(tall)]:
                write(canvas, (left - GAP, corner[1] + r * tall + tall // 2), text, SMALL_LETTERS, "rm")
            write_upright(canvas, (GAP + LETTERS // 2, corner[1] + rows * tall // 2), grid.down[0], LETTERS, "middle")
    bar = (left + across * width + GAP, HEAD + ABOVE)
    colour_bar(canvas, bar, max(160, rows * tall), viridis(), scale, study.title)
    return png_bytes(canvas)


def cell_colours(page: NDArray[np.float64], scale: Scale) -> Pixels:
    """(rows, columns, 3): dark is bad, light is good."""
    return coloured(scale.place(page), 0.0, 1.0, viridis())


def _cells(
    canvas: Image.Image, corner: tuple[int, int], cell: tuple[int, int], page: NDArray[np.float64], scale: Scale
) -> None:
    draw, colours, places = ImageDraw.Draw(canvas), cell_colours(page, scale), decimals(scale)
    for (r, c), value in np.ndenumerate(page):
        x, y = corner[0] + c * cell[0], corner[1] + r * cell[1]
        if not np.isfinite(value):
            continue
        draw.rectangle((x, y, x + cell[0] - 1, y + cell[1] - 1), as_colour(colours[r, c]))
        if cell[0] >= WRITTEN and cell[1] >= SMALL_LETTERS + 5:
            write(canvas, (x + cell[0] // 2, y + cell[1] // 2), f"{value:.{places}f}", SMALL_LETTERS, "mm", ink(colours[r, c]))


def _star(
    canvas: Image.Image, corner: tuple[int, int], cell: tuple[int, int], at: tuple[int, int],
    page: NDArray[np.float64], scale: Scale,
) -> None:  # fmt: skip
    """Above the number where there is room, else at the cell's left."""
    (wide, tall), (row, column) = cell, at
    x, y = corner[0] + column * wide, corner[1] + row * tall
    above = tall >= 54
    place = (wide / 2, tall / 2 - SMALL_LETTERS - 6) if above else (8.0 if wide >= WRITTEN else wide / 2, tall / 2)
    radius = min(8.0 if above else 5.0, wide / 2.2, tall / 2.2)
    smoothly(canvas, (x, y, x + wide, y + tall), lambda d, k: star(d, place[0] * k, place[1] * k, radius * k, BLACK))


def _side(whole: int, count: int, most: int, least: int) -> int:
    return min(most, max(least, whole // count))


def _every(side: int) -> int:
    """Of names in cells of this side, which can be read."""
    return -(-(SMALL_LETTERS + 2) // side)


def _more(left: int) -> str:
    return f"; {left} more pages in summary.csv" if left else ""


def _pages_that_fit(rows: int) -> int:
    """Pages of a heat map that one screen holds, four beside each other."""
    return 4 * max(1, (MOST_TALL - HEAD) // (ABOVE + _side(280, rows, CELL[1], LEAST_CELL[1]) * rows + 60))
