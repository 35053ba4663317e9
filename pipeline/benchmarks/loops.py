"""A head in plain Python loops, number by number as the formulas read: the speed that everything else is measured against.

Like the notebook it indexes NumPy arrays one element at a time. Half squared error only.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..heads.head import Head
from .jobs import LOSS, Job

Float64 = NDArray[np.float64]


def train(job: Job) -> Float64:
    """The job's iterations for one head after the other, in float64. Returns the (T, heads) losses before each update."""
    block = job.block
    if block.loss != LOSS or block.gradient == "frozen":
        raise ValueError(f"plain loops know {LOSS} with kernels that learn only, not {block.loss} with {block.gradient}")
    losses = np.empty((len(block.batches), len(job.heads)))
    for j, start in enumerate(job.heads):
        head = LoopHead(start, block.gradient == "notebook")
        for t, batch in enumerate(block.batches):
            total = 0.0
            for image in batch:
                target = 1.0 if block.labels[image] == j else 0.0
                total += head.learn(block.images[image] / block.scale, target)
            head.step(block.alphas[t], len(batch))
            losses[t, j] = total / len(batch)
    return losses


class LoopHead:
    """Parameters and summed gradients of one head, changed in place."""

    def __init__(self, head: Head, notebook: bool) -> None:
        copy = head.astype("float64")
        self.kernel, self.bias, self.weights = copy.kernel, copy.bias, copy.weights
        self.bias_flat = float(copy.bias_flat)
        self.notebook = notebook
        self.clear()

    def clear(self) -> None:
        self.d_kernel, self.d_bias = np.zeros_like(self.kernel), np.zeros_like(self.bias)
        self.d_weights, self.d_bias_flat = np.zeros_like(self.weights), 0.0

    def learn(self, image: Float64, target: float) -> float:
        """Add one image's gradient to the sums; returns its loss."""
        half = self.kernel.shape[1] // 2
        padded = np.pad(image, half)
        logit = self.bias_flat
        maps = [self.feature_map(f, padded, image.shape) for f in range(len(self.kernel))]
        pools = [pooled(feature_map) for feature_map in maps]
        for f, cells in enumerate(pools):
            for (p, q), (value, _, _) in cells.items():
                logit += value * self.weights[f, p, q]
        y_hat = 1.0 / (1.0 + math.exp(-logit)) if logit > -700 else 0.0
        d_logit = (y_hat - target) * y_hat * (1.0 - y_hat)
        self.d_bias_flat += d_logit
        source = notebooks_view(image, half) if self.notebook else padded
        for f, cells in enumerate(pools):
            for (p, q), (value, i, j) in cells.items():
                self.d_weights[f, p, q] += d_logit * value
                if value > 0:
                    self.route(f, source, i, j, d_logit * self.weights[f, p, q])
        return 0.5 * (y_hat - target) ** 2

    def feature_map(self, f: int, padded: Float64, shape: tuple[int, ...]) -> Float64:
        """Cross-correlation with kernel f, plus bias, then ReLU."""
        size = self.kernel.shape[1]
        result = np.empty(shape)
        for i in range(shape[0]):
            for j in range(shape[1]):
                total = self.bias[f]
                for u in range(size):
                    for v in range(size):
                        total += self.kernel[f, u, v] * padded[i + u, j + v]
                result[i, j] = total if total > 0 else 0.0
        return result

    def route(self, f: int, source: Float64, i: int, j: int, d_maximum: Any) -> None:
        """Add the gradient that reaches place (i, j) of feature map f."""
        size = self.kernel.shape[1]
        self.d_bias[f] += d_maximum
        for u in range(size):
            for v in range(size):
                self.d_kernel[f, u, v] += d_maximum * source[i + u, j + v]

    def step(self, alpha: float, images: int) -> None:
        """Move against the mean gradient; the notebook's kernel gradient is turned by 180 degrees."""
        rate = alpha / images
        d_kernel = self.d_kernel[:, ::-1, ::-1] if self.notebook else self.d_kernel
        self.kernel = self.kernel - rate * d_kernel
        self.bias = self.bias - rate * self.d_bias
        self.weights = self.weights - rate * self.d_weights
        self.bias_flat -= rate * self.d_bias_flat
        self.clear()


def pooled(feature_map: Float64) -> dict[tuple[int, int], tuple[float, int, int]]:
    """The largest value of each 2 x 2 window and its place; of equal ones the first."""
    cells = {}
    for p in range(feature_map.shape[0] // 2):
        for q in range(feature_map.shape[1] // 2):
            best = (feature_map[2 * p, 2 * q], 2 * p, 2 * q)
            for i, j in ((2 * p, 2 * q + 1), (2 * p + 1, 2 * q), (2 * p + 1, 2 * q + 1)):
                if feature_map[i, j] > best[0]:
                    best = (feature_map[i, j], i, j)
            cells[p, q] = best
    return cells


def notebooks_view(image: Float64, half: int) -> Float64:
    """The padded image as the notebook's kernel gradient reads it: without its first row and column."""
    blanked = image.copy()
    blanked[0, :] = 0
    blanked[:, 0] = 0
    return np.pad(blanked, half)
