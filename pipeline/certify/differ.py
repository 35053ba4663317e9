"""Where two tellings of one point differ: file, head and iteration, the first of each file."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..heads.head import Head
from ..records.record import Record
from ..settings import flatten

# In the order in which a number reaches them. settings.yaml has no numbers: what decides any is held by the trajectory's name.
NUMBERS = ("losses.npy", "losses.csv", "checkpoint.npz", "result.json", "y_hat.csv")

# What result.json holds since 0.1; an earlier record is not wrong for lacking it.
LATER = ("trajectory", "input")


@dataclass(frozen=True)
class Difference:
    """words: what is there and what it should be. head: its class; empty where it is no head's. iteration: None where no
    iteration is meant."""

    file: str
    words: str
    head: str = ""
    iteration: int | None = None

    def __str__(self) -> str:
        where = [self.file, *([f"head {self.head}"] if self.head else [])]
        return f"{', '.join(where + ([] if self.iteration is None else [f'iteration {self.iteration}']))}: {self.words}"


@dataclass(frozen=True)
class Telling:
    """A point's numbers, as a record tells them or as they were computed. losses: (iterations, heads). files: their bytes."""

    losses: NDArray[np.float64]
    heads: tuple[Head, ...]
    files: Mapping[str, bytes]


def told(record: Record) -> Telling:
    """What a record tells. FileError when it is damaged."""
    return Telling(record.losses, record.heads, {name: record.content(name) for name in NUMBERS})


def differences(held: Telling, right: Telling, classes: Sequence[str], iterations: int) -> list[Difference]:
    """Where `held` is not `right`, the first place of each file, fewest iterations first; empty when all bytes are equal."""
    found = []
    for name in [name for name in NUMBERS if held.files[name] != right.files[name]]:
        if name == "losses.npy":
            place = losses_differ(name, held.losses, right.losses, classes, 0)
        elif name == "checkpoint.npz":
            place = heads_differ(name, held.heads, right.heads, classes, iterations)
        elif name == "result.json":
            place = _result_differs(held.files[name], right.files[name], iterations)
            if place is None and _is_earlier(held.files[name]):
                continue
        else:
            place = _csv_differs(name, held.files[name], right.files[name], iterations)
        found.append(place or Difference(name, "other bytes that hold the same numbers"))
    return sorted(found, key=lambda each: iterations if each.iteration is None else each.iteration)


def losses_differ(
    name: str, held: NDArray[np.float64], right: NDArray[np.float64], classes: Sequence[str], first: int
) -> Difference | None:
    """The first of (T, heads) losses that differs by a bit; `first` iterations came before them."""
    if held.shape != right.shape:
        return Difference(name, f"{held.shape} losses, {right.shape} are right")
    # As bits: nan is equal to itself, and -0 is not 0.
    differ = np.ascontiguousarray(held).view(np.uint64) != np.ascontiguousarray(right).view(np.uint64)
    if not differ.any():
        return None
    row, head = (int(index) for index in np.argwhere(differ)[0])
    rows = int(differ.any(axis=1).sum())
    also = f"; {rows - 1} later iterations differ too" if rows > 1 else ""
    words = f"{float(held[row, head])!r}, {float(right[row, head])!r} is right{also}"
    return Difference(name, words, classes[head], first + row + 1)


def heads_differ(
    name: str, held: Sequence[Head], right: Sequence[Head], classes: Sequence[str], iteration: int
) -> Difference | None:
    """The first head with a parameter that differs by a bit."""
    if len(held) != len(right):
        return Difference(name, f"{len(held)} heads, {len(right)} are right", iteration=iteration)
    for one, other, title in zip(held, right, classes, strict=True):
        for parameter, array in one.arrays().items():
            wanted = other.arrays()[parameter]
            if (array.shape, array.dtype) != (wanted.shape, wanted.dtype):
                words = f"{parameter} is {array.shape} of {array.dtype}, {wanted.shape} of {wanted.dtype} is right"
                return Difference(name, words, title, iteration)
            if array.tobytes() != wanted.tobytes():
                return Difference(name, _element(parameter, array, wanted), title, iteration)
    return None


def _element(parameter: str, held: NDArray[np.floating], right: NDArray[np.floating]) -> str:
    """The first number of an array that differs by a bit."""
    bits = np.dtype(f"u{held.dtype.itemsize}")
    differ = np.flatnonzero(np.ravel(held).view(bits) != np.ravel(right).view(bits))
    place = [int(index) for index in np.unravel_index(differ[0], held.shape)]
    also = f"; {len(differ)} of {held.size} numbers differ" if held.size > 1 else ""
    value, wanted = (np.ravel(array)[differ[0]].item() for array in (held, right))
    return f"{parameter}{place or ''} is {value!r}, {wanted!r} is right{also}"


def _result_differs(held: bytes, right: bytes, iterations: int) -> Difference | None:
    one, other = json.loads(held), json.loads(right)
    for key in [key for key in LATER if key not in one]:
        other.pop(key, None)
    heads, wanted = one.pop("heads"), other.pop("heads")
    for head, plain in zip(heads, wanted, strict=False):
        for key in [key for key in {**plain, **head} if head.get(key) != plain.get(key)]:
            return Difference("result.json", _words(key, head, plain), str(plain["class"]), iterations)
    flat, all_right = flatten(one), flatten(other)
    for key in [key for key in {**all_right, **flat} if flat.get(key) != all_right.get(key)]:
        return Difference("result.json", _words(key, flat, all_right), iteration=iterations)
    return None


def _is_earlier(held: bytes) -> bool:
    return not {*LATER} <= {*json.loads(held)}


def _words(key: str, held: Mapping[str, Any], right: Mapping[str, Any]) -> str:
    return f"{key} is {str(held.get(key))[:80]}, {str(right.get(key))[:80]} is right"


def _csv_differs(name: str, held: bytes, right: bytes, iterations: int) -> Difference | None:
    """A cell of losses.csv (iteration, a column a head) or y_hat.csv (image, target, a column a head)."""
    rows, wanted = (list(csv.reader(content.decode("utf-8", "replace").splitlines())) for content in (held, right))
    if len(rows) != len(wanted):
        return Difference(name, f"{len(rows)} rows, {len(wanted)} are right", iteration=iterations)
    for row, other in [(row, other) for row, other in zip(rows, wanted, strict=True) if row != other]:
        column = next((j for j, cell in enumerate(other) if row[j : j + 1] != [cell]), len(other) - 1)
        cell = row[column] if column < len(row) else "nothing"
        image = "" if name == "losses.csv" else f"image {other[0]}: "
        title = wanted[0][column].removeprefix("y_hat_")
        number = int(other[0]) if name == "losses.csv" and other[0].isdigit() else iterations
        return Difference(name, f"{image}{cell[:80]}, {other[column][:80]} is right", title, number)
    return None
