"""Loss curves: one of the longest point of each trajectory, as the others lie on it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...records.record import Record
from ..figures.smoothing import smooth

# Losses that are read; the curves of later trajectories are left out.
MOST_LOSSES = 50_000_000


def trajectories(records: Mapping[str, Record]) -> list[str]:
    """Each record's trajectory, as a running number: names of folders may be anything."""
    numbers: dict[str, int] = {}
    return [str(numbers.setdefault(str(record.folder.parent), len(numbers))) for record in records.values()]


def loss_curves(records: Mapping[str, Record]) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """steps-<trajectory> (s,) and losses-<trajectory> (s, heads), and what was left out, in sentences."""
    longest: dict[str, Record] = {}
    for trajectory, record in zip(trajectories(records), records.values(), strict=True):
        known = longest.get(trajectory)
        if known is None or record.result.iterations > known.result.iterations:
            longest[trajectory] = record
    arrays: dict[str, NDArray[Any]] = {}
    read = left = 0
    for trajectory, record in longest.items():
        read += record.result.iterations * len(record.classes)
        if read > MOST_LOSSES:
            left += 1
            continue
        steps, losses = smooth(record.losses)
        arrays |= {f"steps-{trajectory}": steps.astype(np.int32), f"losses-{trajectory}": losses.astype(np.float32)}
    return arrays, [f"The loss curves of {left} of {len(longest)} trajectories are left out."] if left else []
