"""One-vs-rest: one head a class, each trained on its own, in parallel. The number of workers never changes a bit.

A worker gets a share of the heads at once, because an engine may spare itself work that heads have in common.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import ThreadingBackend
from numpy.typing import NDArray

from .engines import engine
from .head import Head


class WaitingThreads(ThreadingBackend):  # type: ignore[misc]  # joblib carries no types
    """joblib's threads, waited for instead of looked after every 10 ms, which is longer than a small job takes."""

    supports_retrieve_callback = False


class NonFiniteError(ArithmeticError):
    """Training met nan or inf; the message names head, iteration and alpha."""


@dataclass(frozen=True)
class Workers:
    """Who computes: `engine` by name, `n_jobs` as joblib counts, `backend` threads or processes."""

    engine: str = "numba"
    n_jobs: int = 1
    backend: str = "threads"

    def pool(self) -> Parallel:
        return Parallel(n_jobs=self.n_jobs, backend=WaitingThreads() if self.backend == "threads" else "loky")


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
    classes: Sequence[str],
    first: int = 0,
) -> tuple[tuple[Head, ...], NDArray[np.float64]]:
    """Move every head through one block of iterations: head j learns to tell label j from the rest.

    images: (N, H, W). labels: (N,). batches: (T, B) indices of images. alphas: (T,). classes: the heads' names, and
    `first` the iterations before this block: both for the error alone.
    Returns the new heads and (T, heads) losses. NonFiniteError when a loss or parameter of the block is nan or inf.
    """
    advance = engine(workers.engine).advance
    advance_group = engine(workers.engine).advance_group
    targets = np.stack([(labels == j) for j in range(len(heads))]).astype(np.uint8)
    groups = shares(heads, workers)
    moved = workers.pool()(
        delayed(advance_group)([heads[j] for j in group], images, scale, targets[group], batches, alphas, loss, gradient)
        for group in groups
    )
    trained = {j: (h, c) for group, result in zip(groups, moved, strict=True) for j, h, c in zip(group, *result, strict=True)}
    broken = [j for j in trained if not _is_finite(trained[j])]
    if broken:
        # Once more, iteration by iteration: which one is named must not depend on where the blocks end.
        def step(head: Head, j: int, t: int) -> tuple[Head, NDArray[np.float64]]:
            one = slice(t, t + 1)
            return advance(head, images, scale, targets[j], batches[one], alphas[one], loss, gradient)

        t, j = min((_first_fault(heads[j], partial(step, j=j), len(batches)), j) for j in broken)
        raise NonFiniteError(
            f"head {classes[j]}: nan or inf at iteration {first + t + 1} with alpha {float(alphas[t])!r}; "
            "a smaller training.alpha keeps the numbers finite"
        )
    return tuple(trained[j][0] for j in range(len(heads))), np.stack([trained[j][1] for j in range(len(heads))], axis=1)


def shares(heads: Sequence[Head], workers: Workers) -> list[list[int]]:
    """The heads of each worker, by index: as many groups as workers or more, each of one kernel shape, as even as can be."""
    count = max(1, min(effective_n_jobs(workers.n_jobs), len(heads)))
    ordered = sorted(range(len(heads)), key=lambda j: heads[j].kernel.shape)
    groups: list[list[int]] = []
    for share in np.array_split(np.array(ordered), count):
        shapes = dict.fromkeys(heads[j].kernel.shape for j in share)
        groups += [[int(j) for j in share if heads[j].kernel.shape == shape] for shape in shapes]
    return groups


def all_logits(heads: Sequence[Head], images: NDArray[np.generic], scale: float, workers: Workers) -> NDArray[np.float64]:
    """The logit of every image and head: (N, H, W) gives (N, heads)."""
    logits = engine(workers.engine).logits
    columns = workers.pool()(delayed(logits)(head, images, scale) for head in heads)
    return np.stack(list(columns), axis=1)


def _first_fault(head: Head, step: Callable[..., tuple[Head, NDArray[np.float64]]], iterations: int) -> int:
    for t in range(iterations):
        result = step(head, t=t)
        if not _is_finite(result):
            return t
        head = result[0]
    return iterations - 1


def _is_finite(result: tuple[Head, NDArray[np.float64]]) -> bool:
    head, losses = result
    return head.is_finite() and bool(np.isfinite(losses).all())
