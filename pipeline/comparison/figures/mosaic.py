"""Kernels as pictures, those of one point. No matplotlib and no pandas: it takes milliseconds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...heads.head import Array
from ..labels import SHORT, label, widest
from .colours import GREY, Pixels, coloured, red_blue
from .paper import (
    COLOUR_BAR,
    GAP,
    HEAD,
    MOST_TALL,
    SMALL_LETTERS,
    blank,
    colour_bar,
    head_width,
    paste,
    png_bytes,
    write,
    write_title,
)
from .scales import Scale

# More heads, or several filters each, leave no room for more than one point.
MOST_HEADS, MOST_FILTERS = 12, 64
# Sides of a filter's tile when kernels are drawn large.
LEAST_TILE, LARGE_TILE = 22, 72
MOST_WIDE = 1400
# Between tiles, and between filters of one head.
BETWEEN, APART = 4, 7
# What the colours are a share of.
UNIT = Scale(-1.0, 1.0)
BAR = "of the largest tap"


@dataclass(frozen=True)
class Sheet:
    """Places of tiles, row by row, in pixels. tile: its height and width. step: from a tile's corner to the next one's, down
    and across."""

    count: int
    columns: int
    tile: tuple[int, int]
    step: tuple[int, int]

    @property
    def rows(self) -> int:
        return -(-self.count // self.columns)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the whole, without a gap at its end."""
        (height, width), (down, across) = self.tile, self.step
        return (self.rows - 1) * down + height, (self.columns - 1) * across + width

    def corner(self, index: int) -> tuple[int, int]:
        return index // self.columns * self.step[0], index % self.columns * self.step[1]

    def white(self) -> Pixels:
        return np.full((*self.shape, 3), 255, np.uint8)


def kernels_png(kernels: Sequence[Array], classes: Sequence[str], whose: str = "") -> bytes:
    """One point's kernels, head by head, as large as there is room for; the class over each."""
    names = [label(name, SHORT) for name in classes]
    filters = max(len(kernel) for kernel in kernels)
    side, columns, (across, down) = _places(len(kernels), min(filters, MOST_FILTERS), widest(names, SMALL_LETTERS))
    shown = min(len(kernels), columns * max(1, (MOST_TALL - HEAD) // down))
    rows = -(-shown // columns)
    note = "red lets light through, blue takes it away; one scale a head, below its name"
    note += f"; the first {shown} of {len(kernels)} heads" if shown < len(kernels) else ""
    note += f"; the first {MOST_FILTERS} of {filters} filters" if filters > MOST_FILTERS else ""
    title, width = f"kernels {whose}".strip(), GAP + columns * across
    canvas = blank(max(width + COLOUR_BAR, head_width(title, note)), HEAD + max(rows * down, 210))
    write_title(canvas, title, note)
    for index in range(shown):
        x, y = GAP + index % columns * across, HEAD + index // columns * down
        limit = float(np.abs(kernels[index]).max())
        write(canvas, (x, y + SMALL_LETTERS), names[index], SMALL_LETTERS, "ld")
        write(canvas, (x, y + 2 * SMALL_LETTERS + 2), f"±{limit:.2g}", SMALL_LETTERS, "ld", GREY)
        paste(canvas, kernel_tile(kernels[index], limit, side), x, y + 2 * SMALL_LETTERS + GAP)
    bar = min(max(rows * down, 210) - 2 * SMALL_LETTERS - 2 * GAP, 220)
    colour_bar(canvas, (width, HEAD + 2 * SMALL_LETTERS + GAP), bar, red_blue(), UNIT, BAR)
    return png_bytes(canvas)


def _places(heads: int, filters: int, name: int) -> tuple[int, int, tuple[int, int]]:
    """The side of a filter's tile, the largest with which all heads fit a screen; how many heads stand beside each other; and
    the pixels from a head to the next, across and down."""
    wide = filters_across(filters)
    for side in range(LARGE_TILE, LEAST_TILE - 1, -2):
        across = max(wide * (side + APART), name) + 2 * GAP
        down = -(-filters // wide) * (side + APART) + 2 * SMALL_LETTERS + 3 * GAP
        most = max(1, MOST_WIDE // across)
        if most * max(1, (MOST_TALL - HEAD) // down) >= heads:
            break
    # As even rows as can be.
    return side, -(-heads // -(-heads // most)), (across, down)


def filters_across(filters: int) -> int:
    return int(np.ceil(np.sqrt(filters)))


def kernel_tile(kernel: Array, limit: float, side: int) -> Pixels:
    """The (F, k, k) kernels of one head in rows of equal length, each about `side` pixels with gaps between, every tap a square
    of whole pixels where there is room; limit: the absolute tap of the darkest colours."""
    shown = coloured(kernel[:MOST_FILTERS], -(limit or 1.0), limit or 1.0, red_blue())
    filters, size = shown.shape[:2]
    tap, skip = max(1, side // size), -(-size // side)
    shown = shown[:, ::skip, ::skip].repeat(tap, axis=1).repeat(tap, axis=2)
    pixels = shown.shape[1]
    sheet = Sheet(filters, filters_across(filters), (pixels, pixels), (pixels + APART, pixels + APART))
    picture = sheet.white()
    for index, one in enumerate(shown):
        y, x = sheet.corner(index)
        picture[y : y + pixels, x : x + pixels] = one
    return picture
