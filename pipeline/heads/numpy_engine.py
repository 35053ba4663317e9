"""The readable reference engine: the same steps as the formulas, batch-wise, in NumPy. See `engines.Engine`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import layers
from .block import Block
from .choices import GRADIENTS
from .head import Array, Head, check_group
from .losses import loss_derivative, loss_value

CHUNK = 64
# The gradients of a head's kernel, bias, weights and bias_flat.
Slope = tuple[Array, Array, Array, Array]


def advance(heads: Sequence[Head], block: Block) -> tuple[tuple[Head, ...], NDArray[np.float64]]:
    """`Engine.advance`, batch by batch."""
    check_group(heads, block.image_shape)
    block.check_batches()
    targets, dtype, moved = block.targets(len(heads)), heads[0].dtype, tuple(heads)
    losses = np.empty((len(block.batches), len(heads)))
    with np.errstate(over="ignore", invalid="ignore"):
        for t, batch in enumerate(block.batches):
            pixels = to_pixels(block.images[batch], block.scale, dtype)
            slopes, losses[t] = group_gradients(moved, pixels, targets[:, batch], block.loss, block.gradient)
            step = dtype.type(block.alphas[t])
            moved = tuple(descend(head, slope, step) for head, slope in zip(moved, slopes, strict=True))
    return moved, losses


def descend(head: Head, slope: Slope, step: np.floating) -> Head:
    """One step of gradient descent."""
    pairs = zip(head.arrays().items(), slope, strict=True)
    return Head(**{name: np.asarray(array - step * d) for (name, array), d in pairs})


def gradients(head: Head, pixels: Array, targets: NDArray[np.generic], loss: str, gradient: str) -> tuple[Slope, float]:
    """`group_gradients` of one head. targets: (B,). Returns its gradient and its mean loss."""
    slopes, losses = group_gradients((head,), pixels, np.asarray(targets)[None], loss, gradient)
    return slopes[0], float(losses[0])


def group_gradients(
    heads: Sequence[Head], pixels: Array, targets: NDArray[np.generic], loss: str, gradient: str
) -> tuple[list[Slope], NDArray[np.float64]]:
    """Each head's gradient of the batch's mean loss, and these mean losses, (heads,).

    pixels: (B, H, W) in the heads' dtype. targets: (heads, B). `gradient` is "exact", "notebook" for its kernel gradient, or
    "frozen" for zeros in place of the kernel's and its bias's. ValueError for another.
    """
    shifted = layers.shift(pixels, heads[0].kernel_size)
    pools = [layers.pool(layers.correlate(shifted, head.kernel, head.bias)) for head in heads]
    pairs = list(zip(heads, pools, strict=True))
    logits = np.stack([layers.logit(pooled, head.weights, head.bias_flat) for head, (pooled, _) in pairs]).astype(np.float64)
    target = np.asarray(targets, np.float64)
    d_logits = (loss_derivative(loss, logits, target) / len(pixels)).astype(pixels.dtype)
    losses = loss_value(loss, logits, target).sum(axis=1) / len(pixels)
    slopes = [backward(*pair, d_logit, (pixels, shifted), gradient) for pair, d_logit in zip(pairs, d_logits, strict=True)]
    return slopes, losses


def backward(
    head: Head, pool: tuple[Array, NDArray[np.int8]], d_logit: Array, images: tuple[Array, Array], gradient: str
) -> Slope:
    """One head's gradients, from those of its logits, (B,), and from what `layers.pool` gave. images: the
    pixels, and as `layers.shift` gives them."""
    (pooled, winner), (pixels, shifted) = pool, images
    d_weights = (d_logit[:, None, None, None] * pooled).sum(axis=0)
    d_pooled = d_logit[:, None, None, None] * head.weights
    d_feature_map = layers.unpool(d_pooled, pooled, winner, (len(pixels), head.filters, *pixels.shape[1:]))
    d_bias = d_feature_map.sum(axis=0).reshape(head.filters, -1).sum(axis=1)
    if gradient == "exact":
        d_kernel = layers.kernel_gradient(shifted, d_feature_map)
    elif gradient == "notebook":
        d_kernel = layers.notebook_kernel_gradient(pixels, d_feature_map, head.kernel_size)
    elif gradient == "frozen":
        d_kernel, d_bias = np.zeros_like(head.kernel), np.zeros_like(head.bias)
    else:
        raise ValueError(f"gradient must be one of {', '.join(GRADIENTS)}, not {gradient!r}")
    return d_kernel, d_bias, d_weights, np.asarray(d_logit.sum())


def logits(heads: Sequence[Head], images: NDArray[np.generic], scale: float) -> NDArray[np.float64]:
    """`Engine.logits`, some images at a time."""
    check_group(heads, (images.shape[1], images.shape[2]))
    result = np.empty((len(images), len(heads)))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(images), CHUNK):
            part = slice(start, start + CHUNK)
            pixels = to_pixels(images[part], scale, heads[0].dtype)
            shifted = layers.shift(pixels, heads[0].kernel_size)
            for j, head in enumerate(heads):
                pooled, _ = layers.pool(layers.correlate(shifted, head.kernel, head.bias))
                result[part, j] = layers.logit(pooled, head.weights, head.bias_flat)
    return result


def to_pixels(images: NDArray[np.generic], scale: float, dtype: np.dtype[np.floating]) -> Array:
    """Stored numbers to pixels: times 1 / scale, in `dtype`."""
    return np.asarray(images.astype(dtype) * dtype.type(1.0 / scale))
