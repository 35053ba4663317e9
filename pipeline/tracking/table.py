"""What MLflow's pages put side by side as tables: the y-hat vectors, and of many heads what each comes to."""

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import FileError
from ..base.text import quoted_if_blank
from ..comparison.vectors import read_vectors
from ..records.record import Record

Y_HAT, HEADS = "y_hat.json", "heads.json"
# Rows of the table in MLflow; the whole table is in the record.
ROWS = 150
# Classes in a cell of its column `output`.
CLASSES = 10
# From so many classes on, what each head comes to is a table, not metrics of its own: hundreds of charts are none.
MANY = 12


def tag(classes: Sequence[str]) -> dict[str, str]:
    """The tag by which MLflow's pages know which tables a run has."""
    names = [Y_HAT, HEADS] if len(classes) >= MANY else [Y_HAT]
    return {"mlflow.loggedArtifacts": json.dumps([{"path": name, "type": "table"} for name in names])}


def tables(record: Record) -> dict[str, bytes]:
    """A record's tables, by their names in MLflow. FileError when it is damaged."""
    found = {Y_HAT: y_hat_table(record)}
    if len(record.classes) >= MANY:
        found[HEADS] = heads_table(record.result.heads)
    return {name: json.dumps(table).encode() for name, table in found.items()}


def heads_table(heads: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """A row a head: its class, losses, recalls, whether it is dead or saturated. Its column `output` says the same in words."""
    columns = list(heads[0])
    rows = [[head.get(name) for name in columns] for head in heads]
    words = [", ".join(f"{name} {_word(value)}" for name, value in zip(columns[1:], row[1:], strict=True)) for row in rows]
    return {"columns": [*columns, "output"], "data": [[*row, word] for row, word in zip(rows, words, strict=True)]}


def _word(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def y_hat_table(record: Record) -> dict[str, list[Any]]:
    """The first rows of a record's y_hat.csv in the form of MLflow's tables. FileError when it is damaged.

    A column `output`, which the pages compare first, has the answer, whether it is right, and the y-hat of each class, in the
    classes' order, so that cells can be compared; of many classes the likeliest and the target.
    """
    rows = list(islice(read_vectors(record), ROWS))
    targets = [target for (_, target), _ in rows]
    try:
        values = np.array([cells.split(",") for _, cells in rows], np.float64).reshape(len(rows), len(record.classes))
        images = [int(image) for (image, _), _ in rows]
        outputs = _outputs(values, targets, record.classes)
    except ValueError as error:
        raise FileError(f"{record.folder / 'y_hat.csv'}: cannot be read ({error})") from None
    columns = ["image", "target", *(f"y_hat_{name}" for name in record.classes), "output"]
    cells = zip(images, targets, values.tolist(), outputs, strict=True)
    return {"columns": columns, "data": [[image, target, *y_hat, output] for image, target, y_hat, output in cells]}


def _outputs(values: NDArray[np.float64], targets: list[str], classes: list[str]) -> list[str]:
    likely = np.argsort(-values, axis=1, kind="stable")[:, :CLASSES]
    names, found = [quoted_if_blank(name) for name in classes], []
    for target, order, row in zip(targets, likely.tolist(), values.tolist(), strict=True):
        answer, place = order[0], classes.index(target)
        shown = sorted(order if place in order else [*order[:-1], place])
        verdict = f"{names[answer]} (right)" if answer == place else f"{names[answer]} (wrong: {names[place]})"
        found.append(f"{verdict}: " + "  ".join(f"{names[j]}={row[j]:.4f}" for j in shown))
    return found
