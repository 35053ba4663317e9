"""The picture of what heads see of one image: a row a head, a column a step of the forward pass. No matplotlib."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...heads.head import Array
from ...heads.seen import Seen
from ..labels import SHORT, label, widest
from .colours import Pixels, coloured, red_blue
from .mosaic import MOST_HEADS, Sheet
from .paper import GAP, LETTERS, SMALL_LETTERS, blank, paste, png_bytes, write

COLUMNS = ("kernel", "feature map", "maxima of windows", "ReLU, pooled", "weights", "weights × pooled")
# Sides of a head's tiles in pixels: few heads have larger ones, and maps that would lose pixels, as long as a screen has room.
TILE, LARGE_TILE, FEW, TALL = 64, 112, 4, 960
# Kernels of a head: those that move its logit most.
MOST_KERNELS = 9
# Places that win no window.
LOST = (225, 225, 225)
BAR, NUMBERS, LINE = 90, 110, SMALL_LETTERS + 4


@dataclass(frozen=True)
class Row:
    """A head's maps in the order of COLUMNS, each (F, h, w); NaN where a place wins no window. added: the sum of the last."""

    name: str
    maps: tuple[Array, ...]
    added: float
    bias_flat: float
    logit: float
    y_hat: float


def anatomy_png(shown: Seen, title: str = "") -> bytes:
    """The image, then a row a head; of very many heads those with the largest y-hat. A column has one colour scale."""
    chosen = sorted(np.argsort(-shown.logits, kind="stable")[:MOST_HEADS].tolist())
    rows = [row_of(shown, j) for j in chosen]
    limits, side = limits_of(rows), side_of(rows)
    tiles = [[tile(maps, limit, side) for maps, limit in zip(row.maps, limits, strict=True)] for row in rows]
    heads = [(name, scale_text(c, limits[c])) for c, name in enumerate(COLUMNS)]
    widths = [max(widest(heads[c], SMALL_LETTERS), *(row[c].shape[1] for row in tiles)) + 2 * GAP for c in range(len(COLUMNS))]
    names = [("★ " if j == shown.answer else "") + label(row.name, SHORT) for j, row in zip(chosen, rows, strict=True)]
    texts, picture = [title or "what each head sees", *notes_of(shown, len(rows))], image_tile(shown)
    step = max(one.shape[0] for row in tiles for one in row) + GAP
    left, top = picture.shape[1] + 3 * GAP + widest(names, LETTERS), 2 * GAP + (len(texts) + 2) * LINE
    right = left + sum(widths)
    width = max(right + 2 * GAP + NUMBERS + BAR, 2 * GAP + widest(texts, LETTERS))
    canvas = blank(width, top + max(len(rows) * step, picture.shape[0] + GAP))
    for number, text in enumerate(texts):
        write(canvas, (GAP, GAP + number * LINE), text, SMALL_LETTERS if number else LETTERS, "la")
    for (name, scale), x, wide in zip(heads, np.cumsum([left, *widths]).tolist(), widths, strict=False):
        write(canvas, (x + wide // 2, top - GAP // 2 - LINE), name, SMALL_LETTERS, "md")
        write(canvas, (x + wide // 2, top - GAP // 2), scale, SMALL_LETTERS, "md")
    paste(canvas, picture, GAP, top)
    for r, (row, name) in enumerate(zip(rows, names, strict=True)):
        middle = top + r * step + (step - GAP) // 2
        write(canvas, (left - GAP // 2, middle), name, LETTERS, "rm")
        for one, x, wide in zip(tiles[r], np.cumsum([left, *widths]).tolist(), widths, strict=False):
            paste(canvas, one, x + (wide - one.shape[1]) // 2, middle - one.shape[0] // 2)
        write_logit(canvas, (right + GAP, middle), row)
    return png_bytes(canvas)


def row_of(shown: Seen, j: int) -> Row:
    head, seen = shown.heads[j], shown.forwards[j]
    moves = np.abs(seen.contributions.sum(axis=(1, 2)))
    kept = np.sort(np.argsort(-moves, kind="stable")[:MOST_KERNELS])
    maxima = np.where(seen.winners, seen.feature_map, np.nan)
    maps = (head.kernel, seen.feature_map, maxima, seen.pooled, head.weights, seen.contributions)
    added, bias = float(seen.contributions.sum()), float(head.bias_flat)
    return Row(shown.classes[j], tuple(each[kept] for each in maps), added, bias, float(seen.logit), float(seen.y_hat))


def limits_of(rows: Sequence[Row]) -> list[float]:
    """The largest absolute number of each column. What comes of the feature map has its scale."""
    found = [max(float(np.nanmax(np.abs(row.maps[c]))) for row in rows) or 1.0 for c in range(len(COLUMNS))]
    return [found[0], found[1], found[1], found[1], found[4], found[5]]


def side_of(rows: Sequence[Row]) -> int:
    """A tile's largest side."""
    columns = int(np.ceil(np.sqrt(len(rows[0].maps[1]))))
    needed = columns * (max(rows[0].maps[1].shape[1:]) + 1) - 1
    least = LARGE_TILE if len(rows) <= FEW else TILE
    return int(max(least, min(needed, LARGE_TILE, TALL // len(rows) - GAP)))


def scale_text(column: int, limit: float) -> str:
    return f"0 to {limit:.3g}" if COLUMNS[column].startswith("ReLU") else f"±{limit:.3g}"


def notes_of(shown: Seen, rows: int) -> list[str]:
    """What the picture leaves out, and how to read it."""
    kernels = max(head.filters for head in shown.heads)
    notes = [
        "red is positive, blue negative; grey: not the largest of its 2 x 2 window; logit = sum of weights × pooled + bias_flat"
    ]
    notes += [f"the {rows} of {len(shown.heads)} heads with the largest y-hat"] if rows < len(shown.heads) else []
    notes += [f"of {kernels} kernels a head, the {MOST_KERNELS} that move its logit most"] if kernels > MOST_KERNELS else []
    return notes


def tile(maps: Array, limit: float, side: int) -> Pixels:
    """Maps (F, h, w) side by side in rows of equal length, as large as fits `side`; NaN is LOST."""
    filters, height, width = maps.shape
    columns = int(np.ceil(np.sqrt(filters)))
    room = (side - columns + 1) // columns
    down = -(-max(height, width) // room)
    shrunk = maps[:, ::down, ::down]
    up = max(1, room // max(shrunk.shape[1:]))
    large = coloured(shrunk, -limit, limit, red_blue()).repeat(up, axis=1).repeat(up, axis=2)
    large[np.isnan(shrunk).repeat(up, axis=1).repeat(up, axis=2)] = LOST
    high, wide = large.shape[1:3]
    sheet = Sheet(filters, columns, (high, wide), (high + 1, wide + 1))
    picture = sheet.white()
    for index, one in enumerate(large):
        y, x = sheet.corner(index)
        picture[y : y + high, x : x + wide] = one
    return picture


def image_tile(shown: Seen) -> Pixels:
    """The image itself in grey, black for its least number, white for its largest."""
    image: NDArray[np.float64] = np.asarray(shown.image, np.float64)
    low, high = float(image.min()), float(image.max())
    grey = ((image - low) / ((high - low) or 1.0) * 255).astype(np.uint8)
    down = -(-max(grey.shape) // (2 * LARGE_TILE))
    grey = grey[::down, ::down]
    up = max(1, 2 * LARGE_TILE // max(grey.shape))
    return np.stack([grey.repeat(up, axis=0).repeat(up, axis=1)] * 3, axis=2)


def write_logit(canvas: Image.Image, place: tuple[int, int], row: Row) -> None:
    """The sum, the bias and the logit in numbers; y-hat as a bar from 0 to 1."""
    x, middle = place
    write(canvas, (x, middle - LINE), f"sum {row.added:+.3g}, bias {row.bias_flat:+.3g}", SMALL_LETTERS, "lm")
    write(canvas, (x, middle), f"logit {row.logit:+.3g}", SMALL_LETTERS, "lm")
    write(canvas, (x, middle + LINE), f"y-hat {row.y_hat:.3g}", SMALL_LETTERS, "lm")
    draw, end = ImageDraw.Draw(canvas), x + NUMBERS + BAR
    draw.rectangle((x + NUMBERS, middle + LINE - 5, end, middle + LINE + 5), outline="black", fill="white")
    draw.rectangle(
        (x + NUMBERS, middle + LINE - 5, x + NUMBERS + round(BAR * row.y_hat), middle + LINE + 5), fill=(33, 102, 172)
    )
