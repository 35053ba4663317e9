"""What the heads' logits say about labelled images: losses, accuracy, margin."""

import numpy as np
from numpy.typing import NDArray

from .elementary import sigmoid
from .losses import loss_value


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


def margin(logits: NDArray[np.float64], labels: NDArray[np.integer]) -> float:
    """Mean of (the right class's y_hat - the largest other y_hat): 1 is perfect, below 0 is wrong."""
    y_hat = sigmoid(logits)
    rows = np.arange(len(labels))
    right = y_hat[rows, labels]
    others = y_hat.copy()
    others[rows, labels] = -np.inf
    return float((right - others.max(axis=1)).sum() / len(labels))
