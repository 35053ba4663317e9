"""Which settings of a sweep go where. Imports nothing heavy: names of points are made of these too."""

from collections.abc import Sequence
from typing import Any

from ..settings import Settings

AXES = ("model.kernel_size", "training.alpha", "training.iterations")
# Points that differ in these alone ask the same question again: what counts is their mean.
REPEATS = ("seed", "data.fold")


def axes(keys: Sequence[str]) -> tuple[str, str | None, list[str]]:
    """Which setting goes down, which across, and which make pages."""
    models = sorted(keys, key=lambda key: (key != AXES[0], not key.startswith("model.")))
    down = next((key for key in models if key != AXES[1]), keys[0])
    left = [key for key in keys if key != down]
    across = AXES[1] if AXES[1] in left else next(iter(left), None)
    return down, across, [key for key in left if key != across]


def short(key: str) -> str:
    """A setting's name without its group."""
    return key.rpartition(".")[2]


def values_of(settings: Settings, keys: Sequence[str]) -> list[Any]:
    """The values of settings by their dotted names."""
    found = []
    for key in keys:
        value: Any = settings
        for part in key.split("."):
            value = getattr(value, part)
        found.append(value)
    return found
