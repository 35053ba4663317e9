"""One-vs-rest: one head a class, each trained on its own, in parallel. The number of workers never changes a bit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from .engines import engine
from .head import Head

BACKENDS = {"threads": "threading", "processes": "loky"}


class NonFiniteError(ArithmeticError):
    """Training met nan or inf; the message names head, iteration and alpha."""


@dataclass(frozen=True)
class Workers:
    """Who computes: `engine` by name, `n_jobs` as joblib counts, `backend` threads or processes."""

    engine: str = "numpy"
    n_jobs: int = 1
    backend: str = "threads"

    def pool(self) -> Parallel:
        return Parallel(n_jobs=self.n_jobs, backend=BACKENDS[self.backend])


def one_vs_rest(
    heads: Sequence[Head],
    images: NDArray[np.generic],
    scale: float,
    labels: NDArray[np.integer],
    batches: NDArray[np.integer],
    alphas: NDArray[np.float64],
    loss: str,
    gradient: str,
    workers: Workers,
) -> tuple[tuple[Head, ...], NDArray[np.float64]]:
    """Move every head through one block of iterations: head j learns to tell label j from the rest.

    images: (N, H, W). labels: (N,). batches: (T, B) indices of images. alphas: (T,).
    Returns the new heads and (T, heads) losses. NonFiniteError as soon as a block contains nan or inf.
    """
    advance = engine(workers.engine).advance
    trained = workers.pool()(
        delayed(advance)(head, images, scale, (labels == j).astype(np.uint8), batches, alphas, loss, gradient)
        for j, head in enumerate(heads)
    )
    new_heads = tuple(head for head, _ in trained)
    losses = np.stack([losses for _, losses in trained], axis=1)
    return new_heads, losses


def all_logits(heads: Sequence[Head], images: NDArray[np.generic], scale: float, workers: Workers) -> NDArray[np.float64]:
    """The logit of every image and head: (N, H, W) gives (N, heads)."""
    logits = engine(workers.engine).logits
    columns = workers.pool()(delayed(logits)(head, images, scale) for head in heads)
    return np.stack(list(columns), axis=1)


def check_finite(
    heads: Sequence[Head],
    losses: NDArray[np.float64],
    alphas: NDArray[np.float64],
    first: int,
    classes: Sequence[str],
) -> None:
    """NonFiniteError when a block's losses (T, heads) or the heads after it contain nan or inf.

    `first` is the number of iterations before the block; the earliest fault is named, iterations counted from 1.
    """
    bad = ~np.isfinite(losses)
    # A step can break the parameters in the block's last iteration, after its loss was taken.
    broken = np.array([[not head.is_finite() for head in heads]])
    row, column = np.argwhere(np.vstack([bad, broken]))[0] if bad.any() or broken.any() else (-1, -1)
    if row >= 0:
        row = min(int(row), len(alphas) - 1)
        raise NonFiniteError(
            f"head {classes[column]}: nan or inf at iteration {first + row + 1} with alpha {float(alphas[row])!r}; "
            "a smaller training.alpha keeps the numbers finite"
        )
