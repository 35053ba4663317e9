"""Loss curves as few numbers as a picture has room for. NumPy only."""

import numpy as np
from numpy.typing import NDArray


def smooth(losses: NDArray[np.float64], most: int = 150) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Means over ever longer stretches: batches are noisy and a curve needs no more points than the picture has."""
    edges = stretches(len(losses), most)
    return edges[:-1], means(losses, edges)


def stretches(iterations: int, most: int) -> NDArray[np.int64]:
    """The first iteration of each of fewer than `most` stretches, from 1, and last the one behind their end."""
    edges = np.unique(np.geomspace(1, iterations + 1, most).astype(int))
    return edges if len(edges) > 1 else np.array([1, 2])


def means(losses: NDArray[np.float64], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """(iterations, heads) losses as (stretches, heads) means, the same whether or not there are losses beyond the last."""
    sums = np.add.reduceat(losses[: edges[-1] - 1], edges[:-1] - 1, axis=0)
    return np.asarray(sums / np.diff(edges)[:, None])
