"""Which values settings may have, and how that is said."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """Which values a setting may have: in words, as the end of "must be ...", and as a test."""

    words: str
    holds: Callable[[Any], bool]


def one_of(choices: tuple[str, ...]) -> Range:
    return Range(f"{', '.join(choices[:-1])} or {choices[-1]}", choices.__contains__)


def whole(least: int, most: int | None = None, words: str = "") -> Range:
    found = words or (f"at least {least}" if most is None else f"from {least} to {most}")
    return Range(found, lambda value: value >= least and (most is None or value <= most))


def positive(words: str = "positive and finite") -> Range:
    return Range(words, lambda value: value is None or (math.isfinite(value) and value > 0))
