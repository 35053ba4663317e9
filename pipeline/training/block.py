"""What a worker does: move a trajectory's heads through one block of iterations and, at a point, evaluate them.

A worker reads no files but prepared data, writes nothing and tracks nothing; what it returns decides everything.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.errors import NonFiniteError
from ..data.dataset import TEST, TRAIN, Dataset
from ..data.input import Input
from ..data.prepared import read
from ..heads.batches import alphas, batch_size, batches
from ..heads.block import Block
from ..heads.head import Head
from ..heads.initial import initial_heads
from ..heads.one_vs_rest import BrokenHeadError, Workers, all_logits, one_vs_rest
from ..settings import Settings
from .evaluate import evaluate
from .result import Result, Vectors

# Pixels that reach further are at fault, not alpha, when numbers do not stay finite: those of 16 bits, as they are stored, do.
UNSCALED = 1e4
SETTINGS = ("training.alpha", "data.scale")


@dataclass(frozen=True)
class Task:
    """Iterations `first` to `last` (exclusive) of a trajectory, from `heads`. at_point: whether `last` is a wanted point.

    n_jobs: how many of the worker's cores the heads may share.
    """

    settings: Settings
    heads: tuple[Head, ...]
    first: int
    last: int
    at_point: bool
    n_jobs: int = 1


@dataclass(frozen=True)
class Trained:
    """Heads after a task, its (iterations, heads) losses, at a point its evaluation, and the seconds that it took."""

    heads: tuple[Head, ...]
    losses: NDArray[np.float64]
    point: tuple[Result, Vectors] | None
    seconds: float


def start(settings: Settings, dataset: Dataset) -> tuple[Head, ...]:
    """The heads of a trajectory before its first iteration."""
    model, count = settings.model, len(dataset.classes)
    shape = dataset.image_shape
    return initial_heads(settings.seed, count, model.init, model.filters, model.kernel_size, shape, model.dtype)


def last_use(iterations: int, dataset: Dataset) -> int:
    """The iteration whose heads give a point's y-hat.

    Without a test split that is what the last iteration saw before its update, because it is what the notebook prints.
    """
    return iterations if dataset.count(TEST) else iterations - 1


def train_block(task: Task, data: Dataset | Path) -> Trained:
    """Do a task. data: the Dataset, or the prepared file where this worker finds it.

    NonFiniteError when training meets nan or inf.
    """
    began = time.perf_counter()
    dataset = _read_once(data) if isinstance(data, Path) else data
    workers = Workers(task.settings.compute.engine, task.n_jobs)
    if not task.at_point:
        heads, losses = _advance(task.settings, dataset, task.heads, (task.first, task.last), workers)
        return Trained(heads, losses, None, time.perf_counter() - began)
    seen_at = last_use(task.last, dataset)
    seen, losses = _advance(task.settings, dataset, task.heads, (task.first, seen_at), workers)
    logits = all_logits(seen, dataset.images, dataset.scale, workers)
    heads, rest = _advance(task.settings, dataset, seen, (seen_at, task.last), workers)
    point = evaluate(task.last, task.settings.training.loss, dataset, seen, logits)
    return Trained(heads, np.concatenate([losses, rest]), point, time.perf_counter() - began)


def _advance(
    settings: Settings, dataset: Dataset, heads: tuple[Head, ...], span: tuple[int, int], workers: Workers
) -> tuple[tuple[Head, ...], NDArray[np.float64]]:
    """The heads after the iterations `span` (first, last), and (last - first, heads) losses."""
    first, last = span
    if first == last:
        return heads, np.empty((0, len(heads)))
    training = settings.training
    members = np.flatnonzero(dataset.split == TRAIN)
    size = batch_size(training.batch_size, len(members))
    block = Block(
        dataset.images,
        dataset.scale,
        dataset.labels,
        members[batches(settings.seed, len(members), size, first, last)],
        alphas(training.alpha, training.schedule, training.iterations, first, last),
        training.loss,
        settings.model.gradient,
    )
    try:
        return one_vs_rest(heads, block, workers)
    except BrokenHeadError as error:
        raise non_finite(error, dataset.classes, first, dataset.input) from None


def non_finite(
    error: BrokenHeadError, classes: Sequence[str], first: int, taken: Input, names: tuple[str, str] = SETTINGS
) -> NonFiniteError:
    """The words for a head that broke in a block after `first` iterations. names: what alpha and scale are called there."""
    reach, (alpha, scale) = taken.largest / taken.scale, names
    advice = f"a smaller {alpha} keeps the numbers finite"
    if reach > UNSCALED:
        advice = (
            f"pixels reach {reach:g}, divided by {scale}={taken.scale!r}; one that brings them to [-1, 1] keeps them finite"
        )
    where = f"at iteration {first + error.iteration + 1} with alpha {error.alpha!r}"
    return NonFiniteError(f"head {classes[error.head]}: nan or inf {where}; {advice}")


@lru_cache(maxsize=8)
def _read_once(path: Path) -> Dataset:
    """Prepared data, mapped into memory: once in a worker's life."""
    return read(path)
