"""The y-hat vectors as a table that MLflow's pages put side by side."""

import csv
import json
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import FileError

NAME = "y_hat.json"
# The tag by which MLflow's pages know that a run has this table.
TAG = ("mlflow.loggedArtifacts", json.dumps([{"path": NAME, "type": "table"}]))
# Rows of the table in MLflow; the whole table is in the record.
ROWS = 150
# Classes in a cell of its column `output`.
CLASSES = 10


def y_hat_table(path: Path, classes: list[str]) -> dict[str, list[Any]]:
    """The first rows of a record's y_hat.csv in the form of MLflow's tables. FileError when it is damaged.

    A column `output`, which the pages compare first, has the likeliest classes of an image, best first.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = islice(csv.reader(file), ROWS + 1)
        values = np.array([row[2:] for row in rows], dtype=np.float64).reshape(len(rows), len(classes))
        images = [int(row[0]) for row in rows]
    except (OSError, ValueError, csv.Error) as error:
        raise FileError(f"{path}: cannot be read ({str(error).strip() or type(error).__name__})") from None
    outputs = _outputs(values, [row[1] for row in rows], classes)
    columns = zip(images, rows, values.tolist(), outputs, strict=True)
    return {"columns": [*header, "output"], "data": [[image, row[1], *y_hat, output] for image, row, y_hat, output in columns]}


def _outputs(values: NDArray[np.float64], targets: list[str], classes: list[str]) -> list[str]:
    likely = np.argsort(-values, axis=1, kind="stable")[:, :CLASSES]
    best = np.take_along_axis(values, likely, axis=1)
    found = []
    for target, order, row in zip(targets, likely.tolist(), best.tolist(), strict=True):
        named = ((classes[j], value) for j, value in zip(order, row, strict=True))
        found.append(", ".join(f"{name}={value:.4f}{' (target)' if name == target else ''}" for name, value in named))
    return found
