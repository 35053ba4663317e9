"""Loss curves as MLflow shows them: means over ever longer stretches of iterations, as in losses.png.

The loss of one batch is noise: a few of them, joined by lines, tell of a run what is not so.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..comparison.figures.smoothing import means, stretches
from . import table
from .keys import class_keys
from .run import Run
from .store import Store
from .view import CURVE

# Points of a curve at most, and of all heads' curves together: each costs MLflow about 0.04 ms. All losses are in the record.
MOST, TOGETHER = 50, 160

# (key, value, step)
Row = tuple[str, float, int]


def curve_rows(losses: NDArray[np.float64], classes: Sequence[str], iterations: int, after: int = 0) -> list[Row]:
    """Points of the curves loss/mean and, unless there are many classes, loss/<class>: each is the mean of the losses since
    the one before, at the last iteration of these.

    They are of the iterations beyond `after` that (iteration, heads) losses hold. iterations: of the finished point, which
    decides the steps, also while it is trained.
    """
    steps, values = _points(losses, iterations, MOST, after)
    rows = [(CURVE, value, step) for step, value in zip(steps, values.mean(axis=1).tolist(), strict=True)]
    if len(classes) < table.MANY:
        keys = [f"loss/{key}" for key in class_keys(classes)]
        steps, values = _points(losses, iterations, min(TOGETHER // len(classes), MOST), after)
        for step, row in zip(steps, values.tolist(), strict=True):
            rows += [(key, value, step) for key, value in zip(keys, row, strict=True)]
    return rows


def reached(store: Store, run: Run) -> int:
    """Up to which iteration a run has curves. They are gone on with, never repeated: until 0.1 they had other steps, and the
    loss of one batch at each, so that a step would have two values."""
    rows = store.client.get_metric_history(run.run_id, CURVE) if CURVE in run.metrics else []
    return max((row.step for row in rows), default=0)


def _points(losses: NDArray[np.float64], iterations: int, most: int, after: int) -> tuple[list[int], NDArray[np.float64]]:
    """Of at most so many stretches of a point's iterations those to be logged: their ends, and (stretches, heads) means."""
    edges = stretches(iterations, most + 1)
    ends = edges[1:] - 1
    logged = np.flatnonzero((after < ends) & (ends <= len(losses)))
    if not len(logged):
        return [], np.empty((0, losses.shape[1]))
    return ends[logged].tolist(), means(losses, edges[logged[0] : logged[-1] + 2])
