"""The picture of the metric that points are chosen by, as a heat map; dots.py draws what is repeated or fills no grid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..axes import axes
from ..labels import SHORT, column_width, heading, label, setting, widest
from ..tables import with_best
from .colours import BLACK, Pixels, as_colour, coloured, ink, viridis
from .layout import Study, distinct, page_title
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

MOST_WIDE, MOST_PAGES = 1500, 24
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
    """The metric over two settings, a page for each combination of the others, up to MOST_PAGES; None where that is not the
    shape of the sweep."""
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
    kept = with_best(list(found), best, MOST_PAGES)
    at = (best, downs.index(study.best.values[d]), acrosses.index(study.best.values[a]))
    names = [(study.names[i], [label(setting(v), SHORT) for v in values]) for i, values in ((d, downs), (a, acrosses))]
    return Grid(names[0], names[1], {title: found[title] for title in kept}, at, len(found) - len(kept))


@dataclass(frozen=True)
class _Places:
    """In pixels. cell: width and height. left: room for the names of rows. step: from a panel to the next, across and down.
    columns: panels beside each other. is_upright: whether the names of columns stand."""

    cell: tuple[int, int]
    left: int
    step: tuple[int, int]
    columns: int
    is_upright: bool

    def corner(self, index: int) -> tuple[int, int]:
        down, across = divmod(index, self.columns)
        return self.left + across * self.step[0], HEAD + ABOVE + down * self.step[1]

    @property
    def most(self) -> int:
        """Panels that a screen holds."""
        return self.columns * max(1, (MOST_TALL - HEAD) // self.step[1])


def _places(grid: Grid) -> _Places:
    (_, downs), (_, acrosses) = grid.down, grid.across
    left = widest(downs, SMALL_LETTERS) + LETTERS + 4 * GAP
    least = _side(MOST_WIDE // 3, len(acrosses), CELL[0], LEAST_CELL[0])
    wide, is_upright = column_width(acrosses, SMALL_LETTERS, len(acrosses), least)
    tall = _side(280, len(downs), CELL[1], LEAST_CELL[1])
    below = (widest(acrosses, SMALL_LETTERS) if is_upright else SMALL_LETTERS) + LETTERS + 4 * GAP
    width = max(len(acrosses) * wide, widest(map(heading, grid.pages), LETTERS)) + 2 * GAP
    columns = max(1, min(len(grid.pages), 4, (MOST_WIDE - left - COLOUR_BAR) // width))
    return _Places((wide, tall), left, (width, ABOVE + len(downs) * tall + below), columns, is_upright)


def heat_map(study: Study, grid: Grid) -> bytes:
    """A panel a page, as many as fit a screen; colours by what a value lacks to 1, on a log scale; the best is starred."""
    places = _places(grid)
    names = with_best(list(grid.pages), grid.best[0], places.most)
    scale = error_scale(np.array([grid.pages[name] for name in names]))
    left_out = grid.left + len(grid.pages) - len(names)
    title = f"{study.title} over {grid.down[0]} and {grid.across[0]}"
    note = "colour: what it lacks to 1, on a log scale; star: the best"
    note += f"; {left_out} more pages in summary.csv" if left_out else ""
    right = places.left + places.columns * places.step[0] + GAP
    height = HEAD + -(-len(names) // places.columns) * places.step[1]
    canvas = blank(max(right + COLOUR_BAR, head_width(title, note)), height)
    write_title(canvas, title, note)
    for index, name in enumerate(names):
        corner, page = places.corner(index), grid.pages[name]
        write(canvas, (corner[0], corner[1] - GAP // 2), heading(name), LETTERS, "ld")
        _cells(canvas, corner, places.cell, page, scale)
        if name == grid.best[0]:
            _star(canvas, corner, places.cell, grid.best[1:])
        _names(canvas, corner, places, grid, index % places.columns == 0)
    colour_bar(canvas, (right, HEAD + ABOVE), max(160, len(grid.down[1]) * places.cell[1]), viridis(), scale, study.title)
    return png_bytes(canvas)


def _names(canvas: Image.Image, corner: tuple[int, int], places: _Places, grid: Grid, is_first: bool) -> None:
    """Of columns below the panel, and of rows beside the first one; of very many every second, third and so on."""
    (x, y), (wide, tall) = corner, places.cell
    width, height = len(grid.across[1]) * wide, len(grid.down[1]) * tall
    for c, text in list(enumerate(grid.across[1]))[:: _every(wide) if places.is_upright else 1]:
        write_head(canvas, (x + c * wide + wide // 2, y + height + 4), text, places.is_upright, above=False)
    write(canvas, (x + width // 2, y + places.step[1] - ABOVE - 2 * GAP), grid.across[0], LETTERS, "md")
    if is_first:
        for r, text in list(enumerate(grid.down[1]))[:: _every(tall)]:
            write(canvas, (places.left - GAP, y + r * tall + tall // 2), text, SMALL_LETTERS, "rm")
        write_upright(canvas, (GAP + LETTERS // 2, y + height // 2), grid.down[0], LETTERS, "middle")


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


def _star(canvas: Image.Image, corner: tuple[int, int], cell: tuple[int, int], at: tuple[int, int]) -> None:
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
