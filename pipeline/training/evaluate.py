"""What trained heads say about all images of a Dataset."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import SPLITS, TEST, TRAIN, Dataset
from ..heads import metrics
from ..heads.elementary import sigmoid
from ..heads.head import Head
from .result import Result, Vectors


def evaluate(
    iterations: int, loss: str, dataset: Dataset, heads: Sequence[Head], logits: NDArray[np.float64]
) -> tuple[Result, Vectors]:
    """A point's result and y-hat vectors, from its heads and their (N, heads) logits of all images."""
    values: dict[str, float] = {}
    found: list[dict[str, object]] = [{"class": name} for name in dataset.classes]
    for code, split in enumerate(SPLITS):
        chosen = dataset.split == code
        if not chosen.any():
            continue
        z, labels = logits[chosen], dataset.labels[chosen]
        losses = metrics.head_losses(z, labels, loss)
        values[f"{split}_loss"] = float(losses.sum() / len(losses))
        values[f"{split}_accuracy"] = metrics.accuracy(z, labels)
        values[f"{split}_margin"] = metrics.margin(z, labels)
        for head, head_loss, recall in zip(found, losses, metrics.recalls(z, labels), strict=True):
            head |= {f"{split}_loss": float(head_loss), f"{split}_recall": recall}
    training = logits[dataset.split == TRAIN]
    for head, is_dead, is_saturated in zip(found, metrics.dead(heads, training), metrics.saturated(training), strict=True):
        head |= {"dead": is_dead, "saturated": is_saturated}
    values["dead_heads"] = sum(bool(head["dead"]) for head in found)
    values["saturated_heads"] = sum(bool(head["saturated"]) for head in found)
    images = {split: dataset.count(code) for code, split in enumerate(SPLITS)}
    shown = shown_images(dataset)
    vectors = Vectors(shown, dataset.labels[shown], sigmoid(logits[shown]))
    return Result(iterations, dataset.digest, images, values, tuple(found), dataset.input), vectors


def shown_images(dataset: Dataset) -> NDArray[np.int64]:
    """(n,), the images whose y-hat a record holds: the test split, or where there is none those for training."""
    return np.flatnonzero(dataset.split == (TEST if dataset.count(TEST) else TRAIN))
