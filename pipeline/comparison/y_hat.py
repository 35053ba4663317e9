"""The picture of the y-hat vectors of many points."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from ..base.errors import FileError
from ..records.record import Record
from .labels import SHORT, column_width, label, widest
from .mosaic import Sheet, coloured, matrix_mosaic
from .paper import (
    COLOUR_BAR,
    GAP,
    LETTERS,
    SMALL_LETTERS,
    Pixels,
    blank,
    colour_bar,
    paste,
    png_bytes,
    write,
    write_head,
    write_upright,
)

# Beyond so many classes their names could not be read beside a matrix.
MOST_NAMED = 40
# More classes would make a picture that no screen shows.
MOST_CLASSES = 100
# Heights of the colour bar.
LEAST_BAR, MOST_BAR = 120, 400


def y_hat(records: Mapping[str, Record]) -> bytes:
    """The y-hat vectors: a row a point, a column a head; a matrix of means by true class when there are many images."""
    classes = next(iter(records.values())).classes
    vectors, targets = zip(*(read_y_hat(record) for record in records.values()), strict=True)
    names, heads = [label(name) for name in records], [label(name, SHORT) for name in classes[:MOST_CLASSES]]
    title = "head" if len(heads) == len(classes) else f"head (the first {len(heads)} of {len(classes)})"
    if all(len(target) == 1 for target in targets):
        right = {int(target[0]) for target in targets}
        heads = [f"{name} (right)" if {j} == right else name for j, name in enumerate(heads)]
        return y_hat_rows(np.concatenate(vectors), names, heads, title)
    means = [class_means(y, target) for y, target in zip(vectors, targets, strict=True)]
    return y_hat_matrices(np.stack(means), names, heads, title)


def read_y_hat(record: Record) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The (n, heads) vectors, of the first MOST_CLASSES heads, and the (n,) indices of their true classes."""
    frame = record.y_hat
    place = {name: j for j, name in enumerate(record.classes)}
    try:
        target = np.array([place[name] for name in frame["target"]], np.int64)
        return frame[[f"y_hat_{name}" for name in record.classes[:MOST_CLASSES]]].to_numpy(float), target
    except (KeyError, ValueError) as error:
        raise FileError(f"{record.folder / 'y_hat.csv'}: cannot be read ({error})") from None


def class_means(vectors: NDArray[np.float64], target: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, C) vectors and their true classes (n,): the (C, C) means, a row a true class; nan for a class without images."""
    members = np.equal.outer(np.arange(vectors.shape[1]), target).astype(float)
    with np.errstate(invalid="ignore"):
        return np.asarray((members @ vectors) / members.sum(axis=1, keepdims=True))


def y_hat_rows(table: NDArray[np.float64], names: Sequence[str], heads: Sequence[str], title: str) -> bytes:
    """(points, heads), a row a point."""
    cell, upright = column_width(heads, SMALL_LETTERS, len(heads), max(18, 240 // len(heads)))
    wide, tall = widest(heads, SMALL_LETTERS), max(20, 120 // len(names))
    left, width, height = widest(names, SMALL_LETTERS) + 2 * GAP, cell * len(heads), tall * len(names)
    below = (wide if upright else SMALL_LETTERS) + LETTERS + 3 * GAP
    canvas = blank(left + width + 2 * GAP + COLOUR_BAR, GAP + max(height, LEAST_BAR) + below)
    paste(canvas, coloured(table, 0.0, 1.0, viridis()).repeat(tall, axis=0).repeat(cell, axis=1), left, GAP)
    for r, name in enumerate(names):
        write(canvas, (left - GAP, GAP + r * tall + tall // 2), name, SMALL_LETTERS, "rm")
    for c, name in enumerate(heads):
        write_head(canvas, (left + c * cell + cell // 2, GAP + height + 4), name, upright, above=False)
    write(canvas, (left + width // 2, GAP + height + below - GAP), title, LETTERS, "md")
    bar = max(LEAST_BAR, min(height, MOST_BAR))
    colour_bar(canvas, (left + width + 2 * GAP, GAP + 2), bar, viridis(), "y-hat")
    return png_bytes(canvas)


def y_hat_matrices(means: NDArray[np.float64], names: Sequence[str], heads: Sequence[str], title: str) -> bytes:
    """(points, C, C), a matrix a point."""
    count, named = len(heads), len(heads) <= MOST_NAMED
    side = count * max(SMALL_LETTERS + 2 if named else 3, 180 // count)
    beside = widest(heads, SMALL_LETTERS) + GAP if named else 0
    upright = beside - GAP + 2 > side // count
    below = beside if upright or not named else SMALL_LETTERS + GAP
    above = SMALL_LETTERS + 2 * GAP
    across = max(side + beside, widest(names, SMALL_LETTERS)) + 2 * GAP
    sheet = Sheet(len(names), min(3, len(names)), (side, side), (above + side + below, across))
    left, (height, width) = LETTERS + 3 * GAP + beside, sheet.shape
    # The name over a matrix may be wider than that.
    right = left + width + max(0, widest(names, SMALL_LETTERS) - side) + 2 * GAP
    canvas = blank(right + COLOUR_BAR, above + height + below + LETTERS + 2 * GAP)
    paste(canvas, matrix_mosaic(means, sheet, viridis()), left, above)
    for index, name in enumerate(names):
        y, x = sheet.corner(index)
        write(canvas, (left + x, above + y - 4), name, SMALL_LETTERS, "ld")
        for c, head in enumerate(heads if named else []):
            middle = round((c + 0.5) * side / count)
            write(canvas, (left + x - 4, above + y + middle), head, SMALL_LETTERS, "rm")
            write_head(canvas, (left + x + middle, above + y + side + 4), head, upright, above=False)
    write_upright(canvas, (GAP + LETTERS // 2, above + height // 2), "true class", LETTERS, "middle")
    write(canvas, (left + width // 2, canvas.height - GAP), title, LETTERS, "md")
    colour_bar(canvas, (right, above), min(height, MOST_BAR), viridis(), "mean y-hat")
    return png_bytes(canvas)


def viridis() -> Pixels:
    """(256, 3): from dark to light for every eye."""
    return np.asarray(colormaps["viridis"](np.arange(256), bytes=True))[:, :3]
