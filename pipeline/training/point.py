"""One point: train to its iterations from the nearest checkpoint of its trajectory, and write its record.

A trajectory is computed once. Shorter points that the sweep also asks for are written on the way; a finished point is left
alone; a killed run goes on from its last block. None of this changes a bit of any result.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock

from ..base.files import FileError
from ..data.dataset import SPLITS, TEST, TRAIN, Dataset
from ..heads import metrics
from ..heads.batches import alphas, batches
from ..heads.elementary import sigmoid
from ..heads.head import Head
from ..heads.initial import initial_heads
from ..heads.one_vs_rest import Workers, all_logits, one_vs_rest
from ..records.checkpoint import read_checkpoint, write_checkpoint
from ..records.fingerprint import point_folder
from ..records.record import is_finished, read_losses, write_record
from ..settings import Settings

log = logging.getLogger(__name__)
Progress = Callable[[int], None]

# A block lasts about this long, so that progress is seen and a stop is heard; its length never changes a result.
BLOCK_SECONDS = 0.3
# How much work a kill can lose.
CHECKPOINT_SECONDS = 5.0
FIRST_BLOCK = 16


@dataclass(frozen=True)
class State:
    """Where a trajectory stands: heads after `iteration` iterations, and the (iteration, heads) losses on the way."""

    heads: tuple[Head, ...]
    iteration: int
    losses: np.ndarray


def train_point(
    settings: Settings,
    dataset: Dataset,
    workers: Workers,
    waypoints: Iterable[int] = (),
    progress: Progress = lambda _: None,
) -> Path:
    """Make sure that this point's record exists; returns its folder.

    `waypoints`: iterations of other wanted points of the trajectory; those not beyond this one are written on the way.
    `progress` is called with the number of iterations that are done. NonFiniteError when training meets nan or inf.
    """
    folder = point_folder(settings, dataset.digest)
    if is_finished(folder):
        progress(settings.training.iterations)
        return folder
    lock = settings.folder / "work" / f"{folder.parent.name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        partial = settings.folder / "work" / f"{folder.parent.name}.npz"
        wanted = sorted({n for n in waypoints if n < settings.training.iterations} | {settings.training.iterations})
        missing = [n for n in wanted if not is_finished(folder.parent / str(n))]
        if missing:
            state = nearest_state(settings, dataset, folder.parent, partial, last_use(missing[0], dataset))
            for iterations in missing:
                state = _train_to(settings.at(iterations), dataset, workers, state, partial, progress)
            partial.unlink(missing_ok=True)
    return folder


def nearest_state(settings: Settings, dataset: Dataset, trajectory: Path, partial: Path, limit: int) -> State:
    """The furthest readable state of a trajectory that is not beyond `limit` iterations; at worst its start."""
    candidates = [trajectory / str(n) / "checkpoint.npz" for n in _finished(trajectory) if n <= limit]
    states = [state for path in [partial, *candidates[-1:]] if (state := _read_state(path)) and state.iteration <= limit]
    if states:
        return max(states, key=lambda state: state.iteration)
    model = settings.model
    heads = initial_heads(
        settings.seed,
        len(dataset.classes),
        model.init,
        model.filters,
        model.kernel_size,
        dataset.image_shape,
        model.dtype,
    )
    return State(heads, 0, np.empty((0, len(heads))))


def last_use(iterations: int, dataset: Dataset) -> int:
    """The iteration whose heads give a point's y-hat.

    Without a test split that is what the last iteration saw before its update, because it is what the notebook prints.
    """
    return iterations if dataset.count(TEST) else iterations - 1


def _finished(trajectory: Path) -> list[int]:
    names = [path.name for path in trajectory.iterdir()] if trajectory.is_dir() else []
    return sorted(int(name) for name in names if name.isdigit() and is_finished(trajectory / name))


def _read_state(path: Path) -> State | None:
    if not path.is_file():
        return None
    try:
        heads, iteration, losses = read_checkpoint(path)
        if losses is None:
            losses = read_losses(path.with_name("losses.csv"))
        if losses.shape != (iteration, len(heads)):
            raise FileError(f"{path}: holds {len(losses)} losses for {iteration} iterations")
        return State(heads, iteration, np.array(losses))
    except FileError as error:
        log.warning("%s; training goes on without it", error)
        return None


def _train_to(settings: Settings, dataset: Dataset, workers: Workers, state: State, partial: Path, progress: Progress) -> State:
    """Advance to the point's iterations, block by block, and write its record."""
    end = settings.training.iterations
    state = _advance_to(last_use(end, dataset), settings, dataset, workers, state, partial, progress)
    seen = state.heads
    logits = all_logits(seen, dataset.images, dataset.scale, workers)
    state = _advance_to(end, settings, dataset, workers, state, partial, progress)
    result, y_hat = evaluate(settings, dataset, seen, logits)
    write_record(point_folder(settings, dataset.digest), settings, result, y_hat, state.losses, state.heads)
    return state


def _advance_to(
    end: int, settings: Settings, dataset: Dataset, workers: Workers, state: State, partial: Path, progress: Progress
) -> State:
    training = settings.training
    members = np.flatnonzero(dataset.split == TRAIN)
    batch_size = len(members) if training.batch_size == "all" else int(training.batch_size)
    block, saved = FIRST_BLOCK, time.monotonic()
    while state.iteration < end:
        started = time.monotonic()
        first, last = state.iteration, min(end, state.iteration + block)
        rows = members[batches(settings.seed, len(members), batch_size, first, last)]
        steps = alphas(training.alpha, training.schedule, training.iterations, first, last)
        heads, losses = one_vs_rest(
            state.heads,
            dataset.images,
            dataset.scale,
            dataset.labels,
            rows,
            steps,
            training.loss,
            settings.model.gradient,
            workers,
            dataset.classes,
            first,
        )
        state = State(heads, last, np.concatenate([state.losses, losses]))
        progress(last)
        now = time.monotonic()
        block = max(1, min(2 * block, int(block * BLOCK_SECONDS / max(now - started, 1e-6))))
        if now - saved > CHECKPOINT_SECONDS:
            write_checkpoint(partial, state.heads, state.iteration, state.losses)
            saved = now
    return state


def evaluate(
    settings: Settings, dataset: Dataset, trained: Sequence[Head], logits: np.ndarray
) -> tuple[dict[str, object], pd.DataFrame]:
    """result.json and y_hat.csv of a point from its trained heads and their (N, heads) logits of all images."""
    loss, classes = settings.training.loss, dataset.classes
    values: dict[str, float] = {}
    heads: list[dict[str, object]] = [{"class": name} for name in classes]
    for code, split in enumerate(SPLITS):
        chosen = dataset.split == code
        if not chosen.any():
            continue
        z, labels = logits[chosen], dataset.labels[chosen]
        losses = metrics.head_losses(z, labels, loss)
        values[f"{split}_loss"] = float(losses.sum() / len(losses))
        values[f"{split}_accuracy"] = metrics.accuracy(z, labels)
        values[f"{split}_margin"] = metrics.margin(z, labels)
        for head, head_loss, recall in zip(heads, losses, metrics.recalls(z, labels), strict=True):
            head |= {f"{split}_loss": float(head_loss), f"{split}_recall": recall}
    training = logits[dataset.split == TRAIN]
    for head, is_dead, is_saturated in zip(heads, metrics.dead(trained, training), metrics.saturated(training), strict=True):
        head |= {"dead": is_dead, "saturated": is_saturated}
    values["dead_heads"] = sum(bool(head["dead"]) for head in heads)
    values["saturated_heads"] = sum(bool(head["saturated"]) for head in heads)
    result = {
        "iterations": settings.training.iterations,
        "data": dataset.digest,
        "images": {split: dataset.count(code) for code, split in enumerate(SPLITS)},
        "metrics": values,
        "heads": heads,
    }
    shown = np.flatnonzero(dataset.split == (TEST if dataset.count(TEST) else TRAIN))
    table: dict[str, object] = {"image": shown, "target": [classes[label] for label in dataset.labels[shown]]}
    y_hat = sigmoid(logits[shown])
    table |= {f"y_hat_{name}": y_hat[:, j] for j, name in enumerate(classes)}
    return result, pd.DataFrame(table)
