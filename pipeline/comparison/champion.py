"""The best point of an experiment as files of its own, under names that stay when another point becomes the best: for those
who load, send or register it, and for DVC, which tracks files by their names."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..base.files import csv_bytes, write_bytes
from ..records.record import FILES, Record
from .vectors import read_vectors

FOLDER = "champion"
# Rows of losses.csv.
MOST_ROWS = 200


def write_champion(folder: Path, best: Record) -> None:
    """Copy the best point's record to `folder`/champion, and write what is plotted of it to `folder`/plots:

    losses.csv: iteration and loss, the mean over all heads and the iterations since the row before, at most MOST_ROWS rows.
    confusion.csv: actual and predicted, a row an image of y_hat.csv.
    """
    # File by file, the checksums last: comparisons may be made at once, and none takes another's folder away.
    for name in FILES:
        write_bytes(folder / FOLDER / name, (best.folder / name).read_bytes())
    write_bytes(folder / "plots" / "losses.csv", csv_bytes(["iteration", "loss"], loss_rows(best)))
    write_bytes(folder / "plots" / "confusion.csv", csv_bytes(["actual", "predicted"], answers(best)))


def loss_rows(record: Record) -> Iterator[tuple[int, float]]:
    """(the last iteration, the mean loss) of stretches of iterations, as equal as can be."""
    losses = record.losses.mean(axis=1)
    ends = np.linspace(0, len(losses), min(len(losses), MOST_ROWS) + 1).round().astype(int).tolist()
    for first, last in pairwise(ends):
        yield last, float(losses[first:last].mean())


def answers(record: Record) -> Iterator[tuple[str, str]]:
    """(the right class, the class with the largest y_hat) of each image; of equal ones the first, as everywhere."""
    for (_, target), cells in read_vectors(record):
        yield target, record.classes[int(np.argmax([float(cell) for cell in cells.split(",")]))]
