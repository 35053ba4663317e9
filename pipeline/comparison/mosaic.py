"""Many small matrices as one picture, which takes milliseconds; the same numbers give the same bytes. No matplotlib."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..heads.head import Array
from .labels import SHORT, label, widest
from .paper import GAP, LETTERS, SMALL_LETTERS, Pixels, blank, paste, png_bytes, write, write_head

MOST_HEADS = 12
MOST_FILTERS = 64
# A tile's side; where taps would be smaller than LEAST_TAP a larger one, up to the second.
TILE, WIDEST_TILE = 48, 160
LEAST_TAP = 4
# Class names up to this width stand level over their tiles; longer ones stand upright.
LEVEL = 96
# ColorBrewer's RdBu from blue to red, safe for the colour-blind; white is no light taken and none let through.
RED_BLUE_STOPS = (
    (5, 48, 97), (33, 102, 172), (67, 147, 195), (146, 197, 222), (209, 229, 240), (247, 247, 247),
    (253, 219, 199), (244, 165, 130), (214, 96, 77), (178, 24, 43), (103, 0, 31),
)  # fmt: skip


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


def red_blue() -> Pixels:
    """(256, 3): from blue over white to red."""
    place = np.linspace(0, len(RED_BLUE_STOPS) - 1, 256)
    stops = np.array(RED_BLUE_STOPS, float).T
    return np.stack([np.interp(place, np.arange(len(RED_BLUE_STOPS)), stop) for stop in stops], axis=1).astype(np.uint8)


def coloured(values: Array, low: float, high: float, colours: Pixels) -> Pixels:
    """(..., 3): each value in the colour of its place between low and high; white where there is none."""
    place = np.clip((values - low) / (high - low) * 256, 0, 255)
    return np.where(np.isnan(values)[..., None], np.uint8(255), colours[np.nan_to_num(place).astype(np.intp)])


def kernel_tile(kernel: Array) -> Pixels:
    """The (F, k, k) kernels of one head: in rows of equal length with gaps between, every tap a square of whole pixels, the
    colours scaled by the largest absolute tap; red lets light through, blue takes it away."""
    filters, size, _ = kernel[:MOST_FILTERS].shape
    columns = int(np.ceil(np.sqrt(filters)))
    sheet = Sheet(filters, columns, (size, size), (size + 1, size + 1))
    taps = np.full(sheet.shape, np.nan)
    for index, one in enumerate(kernel[:MOST_FILTERS]):
        y, x = sheet.corner(index)
        taps[y : y + size, x : x + size] = one
    limit = float(np.abs(kernel).max()) or 1.0
    picture = coloured(taps, -limit, limit, red_blue())
    longest = max(sheet.shape)
    if longest > WIDEST_TILE:
        return picture[:: -(-longest // WIDEST_TILE), :: -(-longest // WIDEST_TILE)]
    scale = max(1, TILE // longest, min(LEAST_TAP, WIDEST_TILE // longest))
    return picture.repeat(scale, axis=0).repeat(scale, axis=1)


def kernel_mosaic(rows: Sequence[Sequence[Array]], least_step: int = 0) -> tuple[Pixels, Sheet]:
    """A row a record, a column a head; least_step: pixels from a head to the next, at least."""
    tiles = [[kernel_tile(kernel) for kernel in row[:MOST_HEADS]] for row in rows]
    columns = max(map(len, tiles))
    side = max(TILE, *(max(tile.shape[:2]) for row in tiles for tile in row))
    sheet = Sheet(len(tiles) * columns, columns, (side, side), (side + GAP, max(side + GAP, least_step)))
    picture = sheet.white()
    for r, row in enumerate(tiles):
        for c, tile in enumerate(row):
            (y, x), (height, width) = sheet.corner(r * columns + c), tile.shape[:2]
            y, x = y + (side - height) // 2, x + (side - width) // 2
            picture[y : y + height, x : x + width] = tile
    return picture, sheet


def matrix_mosaic(matrices: NDArray[np.float64], sheet: Sheet, colours: Pixels) -> Pixels:
    """(P, C, C) numbers from 0 to 1 as tiles of a sheet, whose sides are multiples of C."""
    picture = sheet.white()
    for index, matrix in enumerate(coloured(matrices, 0.0, 1.0, colours)):
        (y, x), (height, width) = sheet.corner(index), sheet.tile
        tile = matrix.repeat(height // len(matrix), axis=0).repeat(width // len(matrix), axis=1)
        picture[y : y + height, x : x + width] = tile
    return picture


def kernels_png(kernels: Sequence[Array], classes: Sequence[str]) -> bytes:
    """One point's kernels, the class over each."""
    return kernels_sheet_png({"": kernels[:MOST_HEADS]}, classes)


def kernels_sheet_png(rows: Mapping[str, Sequence[Array]], classes: Sequence[str], note: str = "") -> bytes:
    """The heads' kernels of points by name: a row a point, a column a head."""
    names, over = [label(name) for name in rows], [label(name, SHORT) for name in classes[:MOST_HEADS]]
    name_width = widest(over, SMALL_LETTERS)
    upright = name_width > LEVEL
    picture, sheet = kernel_mosaic(list(rows.values()), 0 if upright else name_width + GAP)
    title = "kernels learnt, by head"
    title += f" (the first {MOST_HEADS} of {len(classes)})" if len(classes) > MOST_HEADS else ""
    title += f"; {note}" if note else ""
    # Level names may be wider than their tiles: the first and the last need room beside theirs.
    beside = 0 if upright else max(0, name_width - sheet.tile[1]) // 2
    left = widest(names, SMALL_LETTERS) + 2 * GAP + beside
    top = LETTERS + 3 * GAP + (name_width if upright else SMALL_LETTERS)
    height, width = sheet.shape
    canvas = blank(max(left + width + beside, GAP + widest([title], LETTERS)) + GAP, top + height + GAP)
    paste(canvas, picture, left, top)
    write(canvas, (GAP, GAP), title, LETTERS, "la")
    for c, name in enumerate(over):
        x = left + sheet.corner(c)[1] + sheet.tile[1] // 2
        write_head(canvas, (x, top - GAP // 2), name, upright, above=True)
    for r, name in enumerate(names):
        y = top + sheet.corner(r * sheet.columns)[0] + sheet.tile[0] // 2
        write(canvas, (left - beside - GAP, y), name, SMALL_LETTERS, "rm")
    return png_bytes(canvas)
