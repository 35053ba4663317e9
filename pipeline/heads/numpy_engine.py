"""The readable reference engine: the same steps as the formulas, batch-wise, in NumPy. See `engines.Engine`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import layers
from .block import Block
from .choices import GRADIENTS
from .head import Array, Head, check_group
from .losses import loss_derivative, loss_value

CHUNK = 256


def advance(heads: Sequence[Head], block: Block) -> tuple[tuple[Head, ...], NDArray[np.float64]]:
    """`Engine.advance`, head by head."""
    check_group(heads, block.image_shape)
    block.check_batches()
    pairs = zip(heads, block.targets(len(heads)), strict=True)
    moved = [descend(head, targets, block) for head, targets in pairs]
    return tuple(head for head, _ in moved), np.stack([losses for _, losses in moved], axis=1)


def descend(head: Head, targets: NDArray[np.generic], block: Block) -> tuple[Head, NDArray[np.float64]]:
    """One head's gradient descent. targets: (N,) of 0 and 1. Returns the new head and (T,) losses."""
    losses = np.empty(len(block.batches))
    with np.errstate(over="ignore", invalid="ignore"):
        for t, batch in enumerate(block.batches):
            pixels = to_pixels(block.images[batch], block.scale, head.dtype)
            slope, losses[t] = gradients(head, pixels, targets[batch], block.loss, block.gradient)
            step = head.dtype.type(block.alphas[t])
            pairs = zip(head.arrays().items(), slope, strict=True)
            head = Head(**{name: np.asarray(array - step * d) for (name, array), d in pairs})
    return head, losses


def gradients(
    head: Head, pixels: Array, targets: NDArray[np.generic], loss: str, gradient: str
) -> tuple[tuple[Array, Array, Array, Array], float]:
    """Gradient of the batch's mean loss for kernel, bias, weights and bias_flat, and that mean loss.

    pixels: (B, H, W) in the head's dtype. targets: (B,). `gradient` is "exact", "notebook" for its kernel gradient, or
    "frozen" for zeros in place of the kernel's and its bias's.
    """
    size = head.kernel_size
    padded = layers.pad(pixels, size)
    feature_map = layers.correlate(padded, head.kernel, head.bias)
    pooled, winner = layers.pool(feature_map)
    logit = layers.logit(pooled, head.weights, head.bias_flat).astype(np.float64)
    target = np.asarray(targets, np.float64)
    d_logit = (loss_derivative(loss, logit, target) / len(pixels)).astype(head.dtype)

    d_weights = (d_logit[:, None, None, None] * pooled).sum(axis=0)
    d_pooled = d_logit[:, None, None, None] * head.weights
    d_feature_map = layers.unpool(d_pooled, pooled, winner, feature_map.shape)
    d_bias = d_feature_map.sum(axis=0).reshape(head.filters, -1).sum(axis=1)
    if gradient == "exact":
        d_kernel = layers.kernel_gradient(padded, d_feature_map, size)
    elif gradient == "notebook":
        d_kernel = layers.notebook_kernel_gradient(pixels, d_feature_map, size)
    elif gradient == "frozen":
        d_kernel, d_bias = np.zeros_like(head.kernel), np.zeros_like(head.bias)
    else:
        raise ValueError(f"gradient must be one of {', '.join(GRADIENTS)}, not {gradient!r}")
    mean_loss = float(loss_value(loss, logit, target).sum() / len(pixels))
    return (d_kernel, d_bias, d_weights, np.asarray(d_logit.sum())), mean_loss


def logits(heads: Sequence[Head], images: NDArray[np.generic], scale: float) -> NDArray[np.float64]:
    """`Engine.logits`, some images at a time."""
    check_group(heads, (images.shape[1], images.shape[2]))
    result = np.empty((len(images), len(heads)))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(images), CHUNK):
            part = slice(start, start + CHUNK)
            pixels = to_pixels(images[part], scale, heads[0].dtype)
            padded = layers.pad(pixels, heads[0].kernel_size)
            for j, head in enumerate(heads):
                pooled, _ = layers.pool(layers.correlate(padded, head.kernel, head.bias))
                result[part, j] = layers.logit(pooled, head.weights, head.bias_flat)
    return result


def to_pixels(images: NDArray[np.generic], scale: float, dtype: np.dtype[np.floating]) -> Array:
    """Stored numbers to pixels: times 1 / scale, in `dtype`."""
    return np.asarray(images.astype(dtype) * dtype.type(1.0 / scale))
