"""The confusions of the best point: which class it takes for which."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ..labels import SHORT, column_width, label, widest
from .colours import GREY, as_colour, coloured, ink, oranges
from .layout import Study
from .paper import (
    GAP,
    HEAD,
    LETTERS,
    SMALL_LETTERS,
    blank,
    head_width,
    png_bytes,
    write,
    write_head,
    write_title,
    write_upright,
)
from .y_hat import Vectors

# More classes would make numbers that no one reads: then those with the most errors are shown.
MOST_CLASSES = 24
DIAGONAL = (232, 236, 240)


@dataclass(frozen=True)
class Confusions:
    """classes: (c,) indices of the classes shown. counts: (c, c), images by true class and answer. members: (c,) images of each
    class, answers that are not shown included."""

    classes: NDArray[np.intp]
    counts: NDArray[np.int64]
    members: NDArray[np.int64]


def confusions(vectors: Vectors) -> Confusions:
    """All classes, or of many those with the most errors, as true class or as answer."""
    count = vectors.y_hat.shape[1]
    whole = np.zeros((count, count), np.int64)
    np.add.at(whole, (vectors.target, vectors.y_hat.argmax(axis=1)), 1)
    errors = whole.sum(axis=0) + whole.sum(axis=1) - 2 * whole.diagonal()
    kept = count if count <= MOST_CLASSES else min(MOST_CLASSES, max(2, int((errors > 0).sum())))
    shown = np.sort(np.argsort(-errors, kind="stable")[:kept])
    return Confusions(shown, whole[np.ix_(shown, shown)], whole.sum(axis=1)[shown])


def draw_confusions(study: Study, vectors: Vectors) -> bytes | None:
    """None for a single image, which confuses nothing."""
    if len(vectors.target) < 2:
        return None
    found = confusions(vectors)
    classes = study.best_record.classes
    names = [label(classes[j], SHORT) for j in found.classes]
    right = float(np.mean(vectors.y_hat.argmax(axis=1) == vectors.target))
    title = "confusions of the best point"
    split = "test" if study.best_record.result.images["test"] else "training"
    note = f"{study.words(study.best)}: {right:.3f} of {len(vectors.target)} {split} images right"
    note += "; numbers: images; colour: share of the true class"
    note += f"; the {len(names)} of {len(classes)} classes with the most errors" if len(names) < len(classes) else ""
    return png_bytes(_table(found, names, title, note))


def _table(found: Confusions, names: list[str], title: str, note: str) -> Image.Image:
    count = len(names)
    cell, upright = column_width(names, SMALL_LETTERS, count, min(max(640 // count, 28), 64))
    tall = min(cell, 48, max(24, 640 // count))
    left = widest(names, SMALL_LETTERS) + LETTERS + 4 * GAP
    above = HEAD + LETTERS + 2 * GAP + (widest(names, SMALL_LETTERS) if upright else SMALL_LETTERS)
    recall = widest(["recall"], SMALL_LETTERS) + 2 * GAP
    canvas = blank(max(left + count * cell + recall + GAP, head_width(title, note)), above + count * tall + 2 * GAP)
    write_title(canvas, title, note)
    write(canvas, (left + count * cell // 2, HEAD), "answer", LETTERS, "ma")
    write_upright(canvas, (GAP + LETTERS // 2, above + count * tall // 2), "true class", LETTERS, "middle")
    write(canvas, (left + count * cell + recall - GAP // 2, above - 4), "recall", SMALL_LETTERS, "rd", GREY)
    shares = found.counts / np.maximum(found.members, 1)[:, None]
    errors = np.where(np.eye(count, dtype=bool), 0.0, shares)
    colours = coloured(errors, 0.0, float(errors.max()) or 1.0, oranges())
    draw = ImageDraw.Draw(canvas)
    for r, name in enumerate(names):
        y = above + r * tall
        write(canvas, (left - GAP, y + tall // 2), name, SMALL_LETTERS, "rm")
        write_head(canvas, (left + r * cell + cell // 2, above - 4), name, upright, above=True)
        for c in range(count):
            x = left + c * cell
            ground = DIAGONAL if r == c else as_colour(colours[r, c])
            draw.rectangle((x, y, x + cell - 2, y + tall - 2), ground)
            if found.counts[r, c]:
                text = str(found.counts[r, c])
                write(canvas, (x + cell // 2, y + tall // 2), text, SMALL_LETTERS, "mm", ink(np.array(ground)))
        if found.members[r]:
            write(
                canvas,
                (left + count * cell + recall - GAP // 2, y + tall // 2),
                f"{shares[r, r]:.3f}",
                SMALL_LETTERS,
                "rm",
                GREY,
            )
    return canvas
