"""The images on which points disagree most: each beside a strip of what every point's heads say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..labels import SHORT, label, widest
from .colours import GREY, VERMILION, Pixels, coloured, viridis
from .layout import Row, Study
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
from .scales import LOGIT, Scale
from .y_hat import MOST_POINTS, Vectors, row_places

SHOWN, COLUMNS = 9, 3
# Numbers that are compared, of all points and heads; the rest of the images is left out.
MOST_NUMBERS = 10_000_000
# Side of a picture, at most; heads in a strip, at most, and letters of their names.
SIDE, MOST_HEADS, LETTERS_OF_HEAD = 150, 20, 14
# Clear answers all have the ends' colours: what matters here is who says yes and who says no.
SCALE = Scale(0.01, 0.99, LOGIT)


@dataclass(frozen=True)
class Disagreement:
    """image: its index in the data. target: its class's index. y_hat: (points, heads). heads: indices of those that are drawn:
    of many the target's and those on which the points differ most."""

    image: int
    target: int
    y_hat: NDArray[np.float64]
    heads: tuple[int, ...]

    @property
    def answers(self) -> NDArray[np.intp]:
        return np.asarray(self.y_hat.argmax(axis=1))


def disagreements(vectors: Sequence[Vectors]) -> list[Disagreement]:
    """The images whose y-hat vectors, one a point, are farthest apart: by their variance over points, summed over heads."""
    first = vectors[0]
    most = max(1, MOST_NUMBERS // (len(vectors) * first.y_hat.shape[1]))
    table = np.stack([each.y_hat[:most] for each in vectors]).astype(float)
    apart = np.round(table.var(axis=0).sum(axis=1), 9)
    chosen = [i for i in np.argsort(-apart, kind="stable")[:SHOWN] if apart[i] > 0]
    return [_disagreement(int(first.image[i]), int(first.target[i]), table[:, i]) for i in chosen]


def _disagreement(image: int, target: int, y_hat: NDArray[np.float64]) -> Disagreement:
    spreads = np.round(y_hat.var(axis=0), 9)
    spreads[target] = np.inf
    heads = np.sort(np.argsort(-spreads, kind="stable")[:MOST_HEADS])
    return Disagreement(image, target, y_hat, tuple(heads.tolist()))


def draw_disagreements(study: Study, vectors: Mapping[str, Vectors], images: NDArray[np.generic] | None) -> bytes | None:
    """images: (N, H, W), all of the data, or None where they are not at hand. None with fewer than two points of the same
    images, or with only one image."""
    best = vectors[study.best.points[0]]
    rows = [row for row in study.first(MOST_POINTS) if _are_alike(vectors[row.points[0]], best)]
    if len(rows) < 2 or len(best.image) < 2:
        return None
    found = disagreements([vectors[row.points[0]] for row in rows])
    return _sheet(study, rows, found, images) if found else None


def _are_alike(one: Vectors, other: Vectors) -> bool:
    return np.array_equal(one.image, other.image) and np.array_equal(one.target, other.target)


def _sheet(study: Study, rows: Sequence[Row], found: Sequence[Disagreement], images: NDArray[np.generic] | None) -> bytes:
    classes = study.best_record.classes
    names = [label(name, LETTERS_OF_HEAD) for name in classes]
    tall = min(max(140 // len(rows), 4), 16)
    tops, height = row_places(study, rows, tall, 3)
    count = len(found[0].heads)
    wide = min(max(170 // count, SMALL_LETTERS + 2), 40)
    length = widest((names[j] for each in found for j in each.heads), SMALL_LETTERS)
    upright = length > wide - 2
    side = min(SIDE, max(height, 96)) if images is not None else 0
    strip = side + GAP + widest((text for *_, text in _groups(study, rows)), SMALL_LETTERS) + GAP
    step = strip + wide * count + 3 * GAP
    down = LETTERS + 3 * GAP + max(height, side) + (length if upright else SMALL_LETTERS)
    columns = min(COLUMNS, len(found))
    found = found[: columns * max(1, (MOST_TALL - HEAD) // down)]
    title = f"the images on which {len(rows)} points disagree most"
    note = f"a row a point, by {study.names[0]}; a column a head; the right one is framed; colour: y-hat on a logit scale"
    note += f"; {count} of {len(classes)} heads, those that differ most" if count < len(classes) else ""
    width = max(GAP + columns * step + COLOUR_BAR, head_width(title, note))
    canvas = blank(width, HEAD + -(-len(found) // columns) * down)
    write_title(canvas, title, note)
    for index, each in enumerate(found):
        x, y = GAP + index % columns * step, HEAD + index // columns * down
        right = int((each.answers == each.target).sum())
        text = f"image {each.image}, {label(classes[each.target], SHORT)}: {right} of {len(rows)} right"
        write(canvas, (x, y + LETTERS), text, LETTERS, "ld")
        y += LETTERS + GAP
        if images is not None:
            paste(canvas, picture(images[each.image], side), x, y)
        _write_groups(canvas, study, rows, (x + strip, y), (tops, tall))
        _strip(canvas, (x + strip, y), (tops, tall, wide), each)
        for c, j in enumerate(each.heads):
            write_head(canvas, (x + strip + c * wide + wide // 2, y + height + 4), names[j], upright, above=False)
    colour_bar(canvas, (GAP + columns * step, HEAD + LETTERS + GAP), max(height, 120), viridis(), SCALE, "y-hat")
    return png_bytes(canvas)


def picture(image: NDArray[np.generic], side: int) -> Pixels:
    """The (H, W) image in grey, dark to light as its numbers are, every pixel a square where there is room."""
    values = image.astype(float)
    low, high = float(values.min()), float(values.max())
    grey = np.round((values - low) / ((high - low) or 1.0) * 255).astype(np.uint8)
    times = side // max(grey.shape)
    if times:
        grown = grey.repeat(times, axis=0).repeat(times, axis=1)
    else:
        grown = np.asarray(Image.fromarray(grey).resize((side, side), Image.Resampling.BOX))
    return np.repeat(grown[:, :, None], 3, axis=2)


def _strip(canvas: Image.Image, corner: tuple[int, int], sizes: tuple[list[int], int, int], each: Disagreement) -> None:
    tops, tall, wide = sizes
    colours = coloured(SCALE.place(each.y_hat[:, list(each.heads)]), 0.0, 1.0, viridis())
    for r, top in enumerate(tops):
        paste(canvas, colours[r : r + 1].repeat(tall, axis=0).repeat(wide, axis=1), corner[0], corner[1] + top)
    left = corner[0] + each.heads.index(each.target) * wide
    box = (left - 1, corner[1] - 2, left + wide, corner[1] + tops[-1] + tall + 1)
    ImageDraw.Draw(canvas).rectangle(box, outline=VERMILION, width=2)


def _groups(study: Study, rows: Sequence[Row]) -> list[tuple[int, int, str]]:
    """First and last row of each group, and its first setting."""
    found: list[tuple[int, int, str]] = []
    for number, row in enumerate(rows):
        text = study.texts(row)[0]
        if found and found[-1][2] == text:
            found[-1] = (found[-1][0], number, text)
        else:
            found.append((number, number, text))
    return found


def _write_groups(
    canvas: Image.Image, study: Study, rows: Sequence[Row], corner: tuple[int, int], sizes: tuple[list[int], int]
) -> None:
    tops, tall = sizes
    end = 0
    for first, last, text in _groups(study, rows):
        middle = (tops[first] + tops[last] + tall) // 2
        if middle - SMALL_LETTERS // 2 >= end - 2:
            write(canvas, (corner[0] - GAP // 2, corner[1] + middle), text, SMALL_LETTERS, "rm", GREY)
            end = middle + SMALL_LETTERS // 2 + 2
