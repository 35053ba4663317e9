"""What one point came to, for the terminal. Imports neither pandas nor matplotlib: a single point prints at once."""

from collections.abc import Sequence
from itertools import islice

from ..base.console import number
from ..base.text import aligned
from ..records.record import Record
from .labels import SHORT, one_line
from .vectors import read_vectors

DIGITS = 6


def outcome(record: Record) -> str:
    """Target beside y-hat for a single image, as the notebook prints it; else the metrics."""
    # Two are enough to know that there are many.
    vectors = list(islice(read_vectors(record), 2))
    if len(vectors) != 1:
        return "\n".join(f"{key:20s} {number(value)}" for key, value in record.result.metrics.items())
    [((_, target), cells)] = vectors
    written = [
        ["class", *(one_line(name, SHORT) for name in record.classes)],
        ["y", *(f"{name == target:.1f}" for name in record.classes)],
        ["y_hat", *_decimals([float(cell) for cell in cells.split(",")])],
    ]
    return "\n".join(aligned([*zip(*written, strict=True)], "rrr", " "))


def _decimals(values: Sequence[float]) -> list[str]:
    """As pandas prints a column: six decimals less the zeros that all end in; in powers of ten when one would be lost."""
    if any(0 < value < 10**-DIGITS for value in values):
        return [f"{value:.{DIGITS}e}" for value in values]
    texts = [f"{value:.{DIGITS}f}" for value in values]
    zeros = min(len(text) - len(text.rstrip("0")) for text in texts)
    return [text[: len(text) - min(zeros, DIGITS - 1)] for text in texts]
