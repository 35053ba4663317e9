"""Where a value lies between the ends of an axis or a colour bar, and which values are written there. Pure arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

LINEAR, LOG, LOGIT, ERROR = "linear", "log", "logit", "error"
Tick = tuple[float, str]
# Beyond both ends of a log axis, as a share of its length.
ROOM = 0.04


@dataclass(frozen=True)
class Scale:
    """low, high: the values at its ends. kind: linear; log; logit, for y-hat; or error: accuracies and margins by the
    logarithm of what they lack to 1."""

    low: float
    high: float
    kind: str = LINEAR

    def place(self, values: ArrayLike) -> NDArray[np.float64]:
        """0 at low, 1 at high, beyond them clipped; nan stays nan."""
        low, high = _moved(np.array([self.low, self.high]), self.kind)
        found = (_moved(np.asarray(values, float), self.kind) - low) / (high - low)
        # Rounded: logarithms differ in their last bits between machines.
        return np.asarray(np.round(np.clip(found, 0.0, 1.0), 9))

    def ticks(self, most: int = 8) -> list[Tick]:
        """Round values from low to high, as many as fit, with their texts."""
        if self.kind == LOGIT:
            values = [v for v in LOGIT_TICKS if self.low <= v <= self.high]
            step = -(-len(values) // most)
            # The middle, 0.5, always.
            values = values[len(values) // 2 % step :: step]
        elif self.kind == ERROR:
            values = [1 - error for error in reversed(_decades(1 - self.high, 1 - self.low, most))]
        elif self.kind == LOG:
            values = _decades(self.low, self.high, most)
        else:
            values = _even(self.low, self.high, most)
        return [(value, in_words(value)) for value in values]


def in_words(value: float) -> str:
    """Without an exponent where that can be read."""
    text = f"{value:.10g}"
    return text if "e" not in text or not 1e-7 < abs(value) < 1e7 else f"{value:.7f}".rstrip("0").rstrip(".")


LOGIT_TICKS = (0.0001, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)


def error_scale(values: ArrayLike) -> Scale:
    """Of accuracies or margins, worst to best. One that lacks nothing gets half the least that any other lacks."""
    found = np.asarray(values, float)
    lacks = 1 - found[np.isfinite(found)]
    some = lacks[lacks > 0]
    least, most = (float(some.min()), float(some.max())) if len(some) else (0.01, 0.01)
    least = least / 2 if (lacks <= 0).any() else least
    return Scale(1 - most, 1 - least, ERROR) if most > 1.05 * least else Scale(1 - most * 1.5, 1 - least / 1.5, ERROR)


def logit_scale(values: ArrayLike) -> Scale:
    """Of y-hat, the same for comparisons that are alike: so wide that a tenth of the values at most lies beyond its ends."""
    found = np.asarray(values, float)
    found = found[np.isfinite(found)]
    for end in (0.01, 0.001):
        if len(found) == 0 or np.mean((found < end) | (found > 1 - end)) <= 0.1:
            return Scale(end, 1 - end, LOGIT)
    return Scale(0.0001, 0.9999, LOGIT)


def log_scale(values: ArrayLike) -> Scale:
    """Of positive values, with some room beyond both ends; values that are not positive do not count."""
    found = np.asarray(values, float).ravel()
    found = found[np.isfinite(found) & (found > 0)]
    low, high = (float(found.min()), float(found.max())) if len(found) else (0.1, 1.0)
    low, high = (low, high) if high > 1.01 * low else (low / 1.5, high * 1.5)
    beyond = (high / low) ** ROOM
    return Scale(low / beyond, high * beyond, LOG)


def decimals(scale: Scale) -> int:
    """Decimals that tell values of an error scale apart near 1: 0.961, but 0.99987."""
    return int(np.clip(np.ceil(-np.log10(1 - scale.high)), 3, 5))


def _moved(values: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == LOG:
            return np.log10(values)
        if kind == ERROR:
            return -np.log10(np.maximum(1 - values, 0.0))
        if kind == LOGIT:
            return np.log10(values / (1 - values))
    return values


def _decades(low: float, high: float, most: int) -> list[float]:
    """1, 2 and 5 of each power of ten; of many the powers alone; always some."""
    powers = range(int(np.floor(np.log10(low))) - 1, int(np.ceil(np.log10(high))) + 1)
    # Rounded: 1 - 0.9 is not 0.1.
    low, high = low * (1 - 1e-9), high * (1 + 1e-9)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        found = [float(f"{step}e{power}") for power in powers for step in steps if low <= float(f"{step}e{power}") <= high]
        if len(found) <= most:
            break
    if len(found) < 2:
        return _even(low, high, most)
    return _thinned(found, most)


def _even(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten."""
    power = float(f"1e{int(np.floor(np.log10((high - low) / most)))}")
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if (high - low) / (power * factor) <= most)
    return [round(i * step, 12) for i in range(int(np.ceil(low / step - 1e-9)), int(np.floor(high / step + 1e-9)) + 1)]


def _thinned(values: Sequence[float], most: int) -> list[float]:
    return list(values[:: -(-len(values) // most)]) if values else []


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places, moved apart until neighbours are `gap` from each other, between low and high as long as they fit."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    found = [min(max(places[i], low), high) for i in order]
    for _ in range(100):
        close = [i for i, (a, b) in enumerate(pairwise(found)) if b - a < gap - 1e-6]
        if not close:
            break
        for i in close:
            lack = (gap - (found[i + 1] - found[i])) / 2
            found[i], found[i + 1] = found[i] - lack, found[i + 1] + lack
        found = [min(max(place, low + n * gap), high - (len(found) - 1 - n) * gap) for n, place in enumerate(found)]
    return [found[order.index(i)] for i in range(len(places))]
