"""A point's pictures, small and square, which MLflow's pages put side by side: its kernels, its heads' mean answers."""

import io

import numpy as np
from PIL import Image

from ..comparison.figures.colours import coloured, oranges
from ..comparison.figures.mosaic import kernel_tile
from ..comparison.figures.paper import GAP, SMALL_LETTERS, blank, paste, png_bytes, write, write_upright
from ..comparison.labels import SHORT, label, widest
from ..records.record import Record
from .view import IMAGES

KERNELS, Y_HAT = IMAGES
# A run with this tag has pictures, for the pages.
TAG = ("mlflow.loggedImages", "True")
# More heads, or classes, would be too small to see.
MOST_KERNELS, MOST_CLASSES = 25, 40
# Pixels of a head's kernels, and of a whole matrix.
TILE, MATRIX = 44, 150


def pictures(record: Record, began: int) -> dict[str, bytes]:
    """Files by their names in MLflow, which its pages read: key, step, time and, twice, the same picture, as PNG and WebP.

    began: when the run did, in milliseconds; so the same record gives the same names.
    """
    found: dict[str, bytes] = {}
    for key, canvas in {KERNELS: kernels_picture(record), Y_HAT: y_hat_picture(record)}.items():
        name = f"images/{key}+step+0+timestamp+{began}+0"
        found |= {f"{name}.png": png_bytes(canvas), f"{name}+compressed.webp": _webp(canvas)}
    return found


def kernels_picture(record: Record) -> Image.Image:
    """Each head's kernels below its class; red lets light through, blue takes it away, one scale a head."""
    kernels, names = record.kernels[:MOST_KERNELS], [label(name, SHORT) for name in record.classes]
    columns = int(np.ceil(np.sqrt(len(kernels))))
    tiles = [kernel_tile(kernel, float(np.abs(kernel).max()), _side(len(kernel))) for kernel in kernels]
    across = max(*(tile.shape[1] for tile in tiles), widest(names[: len(tiles)], SMALL_LETTERS)) + GAP
    down = max(tile.shape[0] for tile in tiles) + SMALL_LETTERS + 3 + GAP
    canvas = blank(GAP + columns * across, GAP + -(-len(tiles) // columns) * down)
    for index, tile in enumerate(tiles):
        x, y = GAP + index % columns * across, GAP + index // columns * down
        write(canvas, (x, y), names[index], SMALL_LETTERS, "la")
        paste(canvas, tile, x, y + SMALL_LETTERS + 3)
    return canvas


def y_hat_picture(record: Record) -> Image.Image:
    """The mean y-hat vector of each true class: a row a class, a column a head, from white for 0 to brown for 1."""
    shown = record.classes[:MOST_CLASSES]
    means, cell = mean_y_hat(record)[: len(shown), : len(shown)], max(1, MATRIX // len(shown))
    names = [label(name, SHORT) for name in shown]
    left = widest(names, SMALL_LETTERS) + 2 * GAP
    canvas = blank(left + cell * len(shown) + GAP, left + cell * len(shown) + GAP)
    paste(canvas, coloured(means, 0.0, 1.0, oranges()).repeat(cell, axis=0).repeat(cell, axis=1), left, left)
    if cell >= SMALL_LETTERS:
        for index, name in enumerate(names):
            middle = left + index * cell + cell // 2
            write(canvas, (left - GAP, middle), name, SMALL_LETTERS, "rm")
            if max(map(len, names)) > 2:
                write_upright(canvas, (middle, left - GAP), name, SMALL_LETTERS, "bottom")
            else:
                write(canvas, (middle, left - GAP), name, SMALL_LETTERS, "mb")
    return canvas


def mean_y_hat(record: Record) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(C, C): of the images of each true class, of which a record may have none (nan), the mean y-hat of each head."""
    found, count = record.vectors, len(record.classes)
    own = (found.y_hat[found.target == j] for j in range(count))
    return np.array([rows.mean(axis=0) if len(rows) else np.full(count, np.nan) for rows in own])


def _side(filters: int) -> int:
    return max(8, TILE // int(np.ceil(np.sqrt(filters))))


def _webp(canvas: Image.Image) -> bytes:
    file = io.BytesIO()
    canvas.save(file, "WEBP", lossless=True, quality=0, method=0)
    return file.getvalue()
