"""The readable reference engine: the same steps as the formulas, batch-wise, in NumPy.

An engine's `advance` moves one head through a block of iterations, `advance_group` several of one kernel size (which may
share work, but not change a bit), and `logits` applies one. Images come as
they are stored, (N, H, W) uint8 or float; a pixel is the stored number times 1 / `scale`, in the head's dtype.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import layers
from .head import Array, Head, check_shapes
from .losses import loss_derivative, loss_value

CHUNK = 256


def advance(
    head: Head,
    images: NDArray[np.generic],
    scale: float,
    targets: NDArray[np.generic],
    batches: NDArray[np.integer],
    alphas: NDArray[np.float64],
    loss: str,
    gradient: str,
) -> tuple[Head, NDArray[np.float64]]:
    """One iteration a row of `batches`: a step of alpha against the mean gradient of one batch.

    images: (N, H, W). targets: (N,) of 0 and 1. batches: (T, B) indices of images. alphas: (T,).
    Returns the new head and the (T,) mean losses of the batches, each before its update. ValueError for wrong shapes.
    """
    check_shapes(head, (images.shape[1], images.shape[2]))
    if len(alphas) != len(batches) or len(targets) != len(images):
        raise ValueError(f"{len(batches)} batches need as many alphas, and {len(images)} images as many targets")
    losses = np.empty(len(batches))
    with np.errstate(over="ignore", invalid="ignore"):
        for t, batch in enumerate(batches):
            pixels = to_pixels(images[batch], scale, head.dtype)
            mean_gradient, losses[t] = gradients(head, pixels, targets[batch], loss, gradient)
            step = head.dtype.type(alphas[t])
            new = {name: np.asarray(a - step * d) for (name, a), d in zip(head.arrays().items(), mean_gradient, strict=True)}
            head = Head(**new)
    return head, losses


def advance_group(
    heads: Sequence[Head],
    images: NDArray[np.generic],
    scale: float,
    targets: NDArray[np.generic],
    batches: NDArray[np.integer],
    alphas: NDArray[np.float64],
    loss: str,
    gradient: str,
) -> tuple[list[Head], NDArray[np.float64]]:
    """`advance` for several heads on the same batches. targets: (heads, N). Returns the heads and (heads, T) losses."""
    pairs = zip(heads, targets, strict=True)
    moved = [advance(head, images, scale, target, batches, alphas, loss, gradient) for head, target in pairs]
    return [head for head, _ in moved], np.stack([losses for _, losses in moved])


def gradients(
    head: Head, pixels: Array, targets: NDArray[np.generic], loss: str, gradient: str
) -> tuple[tuple[Array, Array, Array, Array], float]:
    """Gradient of the batch's mean loss for kernel, bias, weights and bias_flat, and that mean loss.

    pixels: (B, H, W) in the head's dtype. targets: (B,). `gradient` is "exact", or "notebook" for its kernel gradient.
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
    else:
        raise ValueError(f"gradient must be exact or notebook, not {gradient!r}")
    mean_loss = float(loss_value(loss, logit, target).sum() / len(pixels))
    return (d_kernel, d_bias, d_weights, np.asarray(d_logit.sum())), mean_loss


def logits(head: Head, images: NDArray[np.generic], scale: float) -> NDArray[np.float64]:
    """The logit of every image: (N, H, W) gives (N,)."""
    check_shapes(head, (images.shape[1], images.shape[2]))
    parts = [np.empty(0)]
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(images), CHUNK):
            padded = layers.pad(to_pixels(images[start : start + CHUNK], scale, head.dtype), head.kernel_size)
            pooled, _ = layers.pool(layers.correlate(padded, head.kernel, head.bias))
            parts.append(layers.logit(pooled, head.weights, head.bias_flat).astype(np.float64))
    return np.concatenate(parts)


def to_pixels(images: NDArray[np.generic], scale: float, dtype: np.dtype[np.floating]) -> Array:
    """Stored numbers to pixels: times 1 / scale, in `dtype`."""
    return np.asarray(images.astype(dtype) * dtype.type(1.0 / scale))
