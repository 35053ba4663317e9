"""Which values settings may have, and how that is said."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LARGEST_SIDE = 4096
# What Windows takes for a device, in any folder and with any ending.
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.I)


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


def _is_name(name: str) -> bool:
    """Whether a folder of any system, or on a share, can be called so."""
    plain = len(name) <= 100 and all(c.isalnum() or c in "_-." for c in name) and len(name.encode()) <= 255
    return plain and name[:1] not in ("", ".") and name[-1:] != "." and not DEVICES.fullmatch(name)


def largest_kernel(shape: tuple[int, int]) -> int:
    """Of images (H, W): odd, as all kernels are."""
    return (min(shape) - 1) // 2 * 2 + 1


def image_size(size: int | str | None) -> tuple[int, int] | None:
    """data.size as (H, W): 28 is (28, 28), 28x32 is (28, 32). None for null, and for what is no size."""
    found = re.fullmatch(r"([0-9]{1,4})(?:x([0-9]{1,4}))?", str(size), re.ASCII)
    if found is None:
        return None
    height, width = int(found[1]), int(found[2] or found[1])
    return (height, width) if min(height, width) >= 2 and max(height, width) <= LARGEST_SIDE else None


BATCH = Range("at least 1, or all", lambda value: value == "all" or (isinstance(value, int) and value >= 1))
NAME = Range("letters, digits, '_', '-' and '.', not '.' first or last, at most 100, no device as nul or com1", _is_name)
SHARE = Range("from 0 to below 1", lambda value: 0 <= value < 1)
SIZE = Range(f"N or HxW, each from 2 to {LARGEST_SIDE}, or null", lambda size: size is None or image_size(size) is not None)
WORKERS = Range("a number of workers, or -1 for one a core", lambda value: value >= 1 or value == -1)
