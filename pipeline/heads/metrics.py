"""What the heads' logits say about labelled images: losses, accuracy, margin."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .elementary import sigmoid, softplus
from .head import Head
from .losses import loss_value

# The slope of the sigmoid below which a head counts as saturated; at its steepest it is 0.25.
FLAT = 1e-6


def head_losses(logits: NDArray[np.float64], labels: NDArray[np.integer], loss: str) -> NDArray[np.float64]:
    """(N, heads) and (N,) give each head's mean loss, (heads,)."""
    targets = (labels[:, None] == np.arange(logits.shape[1])).astype(np.float64)
    return np.asarray(loss_value(loss, logits, targets).sum(axis=0) / len(logits))


def accuracy(logits: NDArray[np.float64], labels: NDArray[np.integer]) -> float:
    """Share of images whose label's head has the largest y_hat (the first of equals, as argmax takes it)."""
    return int((logits.argmax(axis=1) == labels).sum()) / len(labels)


def recalls(logits: NDArray[np.float64], labels: NDArray[np.integer]) -> list[float | None]:
    """For each head, the share of its own class's images that it wins; None for a class without images."""
    right = logits.argmax(axis=1) == labels
    members = [labels == j for j in range(logits.shape[1])]
    return [int(right[m].sum()) / int(m.sum()) if m.any() else None for m in members]


def dead(heads: Sequence[Head], logits: NDArray[np.float64]) -> list[bool]:
    """Whether no pooled feature of a head is active on any of the images: its logits (N, heads) are its bias_flat, all of
    them. No gradient reaches the kernel of such a head, and its y_hat says nothing."""
    return [bool((logits[:, j] == float(head.bias_flat)).all()) for j, head in enumerate(heads)]


def saturated(logits: NDArray[np.float64]) -> list[bool]:
    """Whether a head's sigmoid is flat, slope y_hat (1 - y_hat) below FLAT, on all images: half the squared error has next
    to no gradient there, and the head stays as it is, right or wrong."""
    y_hat = sigmoid(logits)
    return [bool(flat) for flat in np.all(y_hat * (1.0 - y_hat) < FLAT, axis=0)]


def margin(logits: NDArray[np.float64], labels: NDArray[np.integer]) -> float:
    """Mean of (the right class's y_hat - the largest other y_hat): 1 is perfect, below 0 is wrong."""
    y_hat = sigmoid(logits)
    rows = np.arange(len(labels))
    right = y_hat[rows, labels]
    others = y_hat.copy()
    others[rows, labels] = -np.inf
    return float((right - others.max(axis=1)).sum() / len(labels))


def log_ratio(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(y_hat_1 / y_hat_0) of two heads' logits (N, 2), with the sign of their difference even where it rounds to 0."""
    zero, one = logits.T
    ratio, sign = softplus(-zero) - softplus(-one), np.sign(one - zero)
    return np.asarray(np.where(np.sign(ratio) == sign, ratio, sign * np.finfo(np.float64).tiny))
