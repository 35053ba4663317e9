"""Numbers that pack well and still read as they did; how much room they take in the page."""

import base64
import gzip
from typing import Any

import numpy as np
from numpy.typing import NDArray

# gzip: beyond this it takes several times as long for a hundredth less.
LEVEL = 6
# How fine a y-hat is kept: to 2^-24, as a float32 near 1 is anyway, and to so many binary digits where it is small. What lies
# below is noise that does not pack.
FINEST, DIGITS = -24, 12
# Less than any float32.
LEAST = -1000
# The page shows up to four decimals, or three digits of what is less than a thousandth; of a single image six decimals.
DECIMALS, SMALL, SMALL_DIGITS = (2, 3, 4, 6), 0.001, 3
# Numbers that are packed to learn how well the others do; so few bytes are not worth that.
SAMPLE, FEW_BYTES = 20_000, 16_384


def packed(array: NDArray[Any]) -> tuple[bytes, bool]:
    """gzip of the array's little-endian bytes, and whether they were shuffled: floats pack better when all first bytes come
    first, then all second ones."""
    plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    shuffled = array.dtype.kind == "f" and array.size > 1
    if shuffled:
        plain = np.ascontiguousarray(plain.reshape(-1).view(np.uint8).reshape(array.size, -1).T)
    return gzip.compress(plain.tobytes(), LEVEL, mtime=0), shuffled


def letters_each(array: NDArray[Any]) -> float:
    """How many letters of the page one number takes, by the first rows of the array; at most, of a small one."""
    if array.nbytes <= FEW_BYTES:
        return array.itemsize * 4 / 3
    sample = array[: max(1, SAMPLE * len(array) // max(array.size, 1))]
    return len(base64.b64encode(packed(sample)[0])) / max(sample.size, 1)


def rounded(y_hat: NDArray[np.float64]) -> NDArray[np.float32]:
    """(n, C) numbers from 0 to 1 as float32 that pack in four fifths of the room: each reads the same to the digits that the
    page shows, and each row's largest stays where it was. NaN stays NaN."""
    step = np.ldexp(1.0, np.clip(np.frexp(y_hat)[1] - DIGITS, LEAST, FINEST))
    near = np.round(y_hat / step) * step
    # The neighbour on the number's other side, where rounding has crossed a line between two readings.
    other = near + np.where(near > y_hat, -step, step)
    found = np.where(_reads_alike(near, y_hat), near, other).astype(np.float32)
    return _same_answers(found, y_hat)


def _reads_alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    with np.errstate(divide="ignore"):
        tens = np.clip(SMALL_DIGITS - 1 - np.floor(np.log10(other)), 0, 300)
    small = other < SMALL
    alike: NDArray[np.bool_] = small == (one < SMALL)
    scales: list[NDArray[np.float64]] = [np.where(small, 10.0**tens, 1.0), *np.power(10.0, DECIMALS)]
    for scale in scales:
        alike &= np.floor(one * scale + 0.5) == np.floor(other * scale + 0.5)
    return alike


def _same_answers(kept: NDArray[np.float32], y_hat: NDArray[np.float64]) -> NDArray[np.float32]:
    """Of y-hats that have become equal, the one that was largest is so again: the others give way by a hair."""
    valid = ~np.isnan(y_hat).any(axis=1)
    wrong = np.flatnonzero(valid)[kept[valid].argmax(axis=1) != y_hat[valid].argmax(axis=1)]
    for row in wrong:
        answer = int(y_hat[row].argmax())
        kept[row, answer] = max(kept[row, answer], np.nextafter(np.float32(0), np.float32(1)))
        least = np.nextafter(kept[row, answer], np.float32(0))
        others = np.arange(len(kept[row])) != answer
        kept[row, others] = np.minimum(kept[row, others], least)
    return kept
