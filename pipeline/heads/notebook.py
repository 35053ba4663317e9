"""What the notebook this project starts from draws at random: its image, its labels and its heads' initial parameters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class NotebookDraws:
    """image: (32, 32) integers in [1, 255). target: (labels,) of 0 and a single 1. parameters: for each label kernel
    (1, k, k), bias (1,), weights (1, 16, 16) and bias_flat (), k being 3 or 5."""

    image: NDArray[np.int64]
    target: NDArray[np.int64]
    parameters: tuple[dict[str, NDArray[np.float64]], ...]


def notebook_draws(seed: int) -> NotebookDraws:
    """The notebook's draws, in its order, from NumPy's legacy generator seeded with `seed`."""
    random = np.random.RandomState(seed)
    image = random.randint(1, 255, (32, 32))
    labels = random.randint(3, 8)
    target = np.zeros(labels, np.int64)
    target[random.randint(0, labels)] = 1
    return NotebookDraws(image, target, tuple(_parameters(random) for _ in range(labels)))


def _parameters(random: np.random.RandomState) -> dict[str, NDArray[np.float64]]:
    size = random.randint(1, 3) * 2 + 1
    kernel = 0.01 * random.randn(1, size, size)
    bias = 0.01 * random.randn(1)
    weights = 0.01 * random.randn(1, 16, 16)
    return {"kernel": kernel, "bias": bias, "weights": weights, "bias_flat": np.asarray(0.01 * random.randn())}
