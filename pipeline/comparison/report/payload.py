"""What the report shows: a head that is read at once, and blocks of numbers that are unpacked when they are looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class Payload:
    """head: plain values, small. blocks: arrays by name."""

    head: Mapping[str, Any]
    blocks: Mapping[str, NDArray[Any]]
