"""The layers of a head and their exact gradients, for a batch of B images and F kernels, in NumPy.

Conventions, the same in every engine:
- The convolution is the field's: a zero-padded "same" cross-correlation, output (i, j) reads padded (i + u, j + v).
- The pool takes 2 x 2 windows and loses the last row or column of an odd size. Of equal values in a window the first in
  reading order counts as the maximum and receives the gradient.
- The ReLU's derivative at 0 is 0.
Sums run in a fixed order and never through BLAS, so the bits do not depend on the machine. Nothing writes to its input.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .head import Array

# The four places of a 2 x 2 window, in reading order.
WINDOW = ((0, 0), (0, 1), (1, 0), (1, 1))


def shift(images: Array, kernel_size: int) -> Array:
    """The pixels that each tap of a kernel meets: (B, H, W), zero-padded by half a kernel on every side, gives (k, k, B, H, W),
    of which [u, v, :, i, j] is padded pixel (i + u, j + v). All heads meet the same."""
    half, (height, width) = kernel_size // 2, images.shape[1:]
    padded = np.pad(images, ((0, 0), (half, half), (half, half)))
    return np.ascontiguousarray(sliding_window_view(padded, (height, width), (1, 2)).transpose(1, 2, 0, 3, 4))


def correlate(shifted: Array, kernel: Array, bias: Array) -> Array:
    """Feature maps before the ReLU: (k, k, B, H, W) and (F, k, k) give (B, F, H, W)."""
    images, height, width = shifted.shape[2:]
    feature_map = np.zeros((images, len(kernel), height, width), shifted.dtype)
    for u, v in np.ndindex(*shifted.shape[:2]):
        feature_map += kernel[:, u, v, None, None] * shifted[u, v, :, None]
    feature_map += bias[:, None, None]
    return feature_map


def pool(feature_map: Array) -> tuple[Array, NDArray[np.int8]]:
    """ReLU and 2 x 2 max-pool: (B, F, H, W) gives pooled (B, F, H // 2, W // 2) and each maximum's index in WINDOW."""
    rows, columns = feature_map.shape[2] // 2 * 2, feature_map.shape[3] // 2 * 2
    a, b, c, d = (feature_map[:, :, p:rows:2, q:columns:2] for p, q in WINDOW)
    above, below = np.maximum(a, b), np.maximum(c, d)
    # Small numbers: it is read as often as the pooled values. No np.where: it branches, and these masks look random.
    winner = np.maximum(b > a, (below > above) * (np.int8(2) + (d > c)))
    return np.maximum(np.maximum(above, below), 0), winner


def logit(pooled: Array, weights: Array, bias_flat: Array) -> Array:
    """(B, F, P, Q) and (F, P, Q) give (B,)."""
    flat = (pooled * weights).reshape(len(pooled), -1)
    return np.asarray(flat.sum(axis=1) + bias_flat)


def unpool(d_pooled: Array, pooled: Array, winner: NDArray[np.int8], shape: tuple[int, ...]) -> Array:
    """Gradient of the feature map before the ReLU, (B, F, H, W) = `shape`: each pooled value's goes to its maximum."""
    rows, columns = shape[2] // 2 * 2, shape[3] // 2 * 2
    # Bits times 1 or 0 are the value or 0, also of NaN and infinity, and without the branches of np.where.
    bits = np.dtype(f"u{d_pooled.itemsize}")
    d_feature_map, active = np.zeros(shape, bits), d_pooled.view(bits) * (pooled > 0)
    for index, (p, q) in enumerate(WINDOW):
        np.multiply(active, winner == index, out=d_feature_map[:, :, p:rows:2, q:columns:2])
    return d_feature_map.view(d_pooled.dtype)


def kernel_gradient(shifted: Array, d_feature_map: Array) -> Array:
    """Exact gradient of the kernels, summed over the batch: (k, k, B, H, W) and (B, F, H, W) give (F, k, k)."""
    product, sums = np.empty_like(d_feature_map), np.empty((*shifted.shape[:2], *d_feature_map.shape[1:]), shifted.dtype)
    for u, v in np.ndindex(*shifted.shape[:2]):
        np.multiply(shifted[u, v, :, None], d_feature_map, out=product).sum(axis=0, out=sums[u, v])
    d_kernel = sums.reshape(*sums.shape[:3], -1).sum(axis=3)
    return np.ascontiguousarray(d_kernel.transpose(2, 0, 1))


def notebook_kernel_gradient(images: Array, d_feature_map: Array, kernel_size: int) -> Array:
    """The notebook's kernel gradient, kept to reproduce and study it; it is not the gradient of anything.

    The notebook reads image[i - u, j - v] where its forward pass reads [i + u, j + v], and drops offsets that reach row
    or column 0. That is the exact gradient for images whose first row and column are blank, turned by 180 degrees.
    """
    blanked = images.copy()
    blanked[:, 0, :] = 0
    blanked[:, :, 0] = 0
    return kernel_gradient(shift(blanked, kernel_size), d_feature_map)[:, ::-1, ::-1]
