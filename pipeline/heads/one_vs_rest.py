"""One-vs-rest: one head a class, each trained on its own, in parallel. The number of workers never changes a bit.

A worker gets a share of the heads at once, because an engine may spare itself work that heads have in common.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import chain
from threading import Thread
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.parallel import ThreadingBackend
from numpy.typing import NDArray

from .block import Block
from .engines import Engine, engine
from .head import Head


class Threads(ThreadingBackend):  # type: ignore[misc]  # joblib carries no types
    """A thread for each call, waited for until it is done: joblib's own are as many as computers and three more to manage them,
    which takes longer than a small job, to start as well as to end. Nobody waits for them when a command is stopped."""

    supports_retrieve_callback = False

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], None] | None = None) -> "Future[Any]":
        future: Future[Any] = Future()
        Thread(target=complete, args=(future, func, callback), daemon=True).start()
        return future

    def retrieve_result(self, out: "Future[Any]", timeout: float | None = None) -> Any:
        return out.result(timeout)


def complete(future: "Future[Any]", call: Callable[[], Any], callback: Callable[[Any], None] | None) -> None:
    """Put a call's result, or its error, where it is waited for. callback: how joblib learns that a thread is free; before the
    result, or who waits for the last one would be gone while the next call is still being sent."""
    result, error = None, None
    try:
        result = call()
    except BaseException as raised:
        error = raised
    try:
        if callback:
            callback(future)
    finally:
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


@dataclass(frozen=True)
class Workers:
    """Who computes: threads, which suffice because the compiled engine releases the interpreter's lock."""

    # A name from `choices.ENGINES`.
    engine: str = "numba"
    # As joblib counts: -1 is one a core.
    n_jobs: int = 1

    def run(self, calls: Iterable[Any]) -> list[Any]:
        """The results of joblib's delayed calls, in their order. A single one needs no pool."""
        calls = list(calls)
        if len(calls) == 1:
            function, arguments, keywords = calls[0]
            return [function(*arguments, **keywords)]
        return list(Parallel(n_jobs=self.n_jobs, backend=Threads(), pre_dispatch="n_jobs")(calls))


class BrokenHeadError(ArithmeticError):
    """A head's loss or parameters became nan or inf: head `head`, in iteration `iteration` of its
    block, counted from 0, with a step of `alpha`. Whoever knows the rest makes the words."""

    def __init__(self, head: int, iteration: int, alpha: float) -> None:
        # All go to `args`, so that the error survives the way from a process to another.
        super().__init__(head, iteration, alpha)
        self.head, self.iteration, self.alpha = head, iteration, alpha

    def __str__(self) -> str:
        return f"head {self.head}: nan or inf at the block's iteration {self.iteration} with alpha {self.alpha!r}"


def one_vs_rest(heads: Sequence[Head], block: Block, workers: Workers) -> tuple[tuple[Head, ...], NDArray[np.float64]]:
    """Move every head through the block: head j learns to tell label j from the rest.

    Returns the new heads and (T, heads) losses, each batch's mean before its update. BrokenHeadError when a loss or
    parameter of the block is nan or inf, ValueError for shapes that do not fit.
    """
    compute, shares = engine(workers.engine), shares_of(heads, workers)
    moved = workers.run(delayed(compute.advance)([heads[j] for j in share], block.of_heads(share)) for share in shares)
    by_index = dict(zip(chain(*shares), chain(*(part for part, _ in moved)), strict=True))
    trained = tuple(by_index[j] for j in range(len(heads)))
    losses = side_by_side([part for _, part in moved], shares)
    broken = [j for j, head in enumerate(trained) if not is_finite(head, losses[:, j])]
    if broken:
        # Once more, iteration by iteration: which one is named must not depend on where the blocks end.
        t, j = min((first_fault(heads[j], block.of_heads([j]), compute), j) for j in broken)
        raise BrokenHeadError(j, t, float(block.alphas[t]))
    return trained, losses


def all_logits(heads: Sequence[Head], images: NDArray[np.generic], scale: float, workers: Workers) -> NDArray[np.float64]:
    """The logit of every image and head: (N, H, W) gives (N, heads)."""
    compute, shares = engine(workers.engine), shares_of(heads, workers)
    columns = workers.run(delayed(compute.logits)([heads[j] for j in share], images, scale) for share in shares)
    return side_by_side(columns, shares)


def shares_of(heads: Sequence[Head], workers: Workers) -> list[list[int]]:
    """The heads of each worker, by index: as many shares as workers or more, each of one kernel shape, as even as can be."""
    count = max(1, min(effective_n_jobs(workers.n_jobs), len(heads)))
    ordered = sorted(range(len(heads)), key=lambda j: heads[j].kernel.shape)
    shares: list[list[int]] = []
    for part in np.array_split(np.array(ordered), count):
        shapes = dict.fromkeys(heads[j].kernel.shape for j in part)
        shares += [[int(j) for j in part if heads[j].kernel.shape == shape] for shape in shapes]
    return shares


def side_by_side(columns: Sequence[NDArray[np.float64]], shares: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """The columns of all shares, one a head, in the order of the heads."""
    order = np.argsort(np.concatenate(shares))
    return np.concatenate(columns, axis=1).take(order, axis=1)


def first_fault(head: Head, block: Block, compute: Engine) -> int:
    """The first iteration whose loss, or whose new head, is not finite."""
    for t in range(len(block.batches)):
        (head,), losses = compute.advance([head], block.iteration(t))
        if not is_finite(head, losses):
            return t
    raise AssertionError("a head that broke in a block breaks in one of its iterations")


def is_finite(head: Head, losses: NDArray[np.float64]) -> bool:
    return head.is_finite() and bool(np.isfinite(losses).all())
