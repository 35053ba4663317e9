"""What the compiled loop takes: heads, images and task as arrays and numbers, laid out for vectors."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


class Sizes(NamedTuple):
    """heads, filters of each, image height and width, numbers in a row of a phase and in a phase, pooled vectors of a
    filter. `kernel` is a tuple of k zeros: the compiler knows its length, and unrolls over it."""

    heads: int
    filters: int
    height: int
    width: int
    stride: int
    length: int
    vectors: int
    kernel: tuple[int, ...]


class Stored(NamedTuple):
    """Images as they are stored: all pixels, flat; a copy of the last images, with room behind it for two vectors, which
    `split` may load beyond an image's end; and what turns a stored number into a pixel, 1 / scale."""

    images: NDArray[Any]
    last: NDArray[Any]
    factor: Any


class Task(NamedTuple):
    """What the heads are to learn. targets: (heads, N). batches: (T, B). alphas: (T,), in the heads'
    dtype. squared: whether the loss is half the squared error, else it is the cross-entropy.
    notebook: whether the kernel gradient is the notebook's. frozen: whether kernel and bias stay as they are."""

    targets: NDArray[np.float64]
    batches: NDArray[np.int64]
    alphas: Floats
    squared: bool
    notebook: bool
    frozen: bool


class State(NamedTuple):
    """Parameters, their gradients and scratch, all one-dimensional. One number of a head: (heads,); of a filter: (heads *
    filters,). "lanes" is a vector's number of lanes; n = heads * filters * vectors.

    kernel (heads * filters * k * k,), bias (heads * filters,), weights (n * lanes,), bias_flat (heads,): the parameters.
    d_kernel (heads * filters * (k * k + 1) * lanes,): sums of the kernel's and, last, the bias's gradient.
    d_weights (n * lanes,), d_bias_flat (heads,): gradients.
    phases (2 * 4 * length,): the current image and the next one.
    outside (vectors * lanes,): 0 where a pooled value is, infinity elsewhere.
    first_term (heads * filters,): what the sums of the feature map begin with, see `begin_batch`.
    pooled (n * lanes,), maxima (n,), active (n,), active_end (heads * filters,): what `forward` keeps.
    """

    kernel: Floats
    bias: Floats
    weights: Floats
    bias_flat: Floats
    d_kernel: Floats
    d_weights: Floats
    d_bias_flat: Floats
    phases: Floats
    outside: Floats
    first_term: Floats
    pooled: Floats
    maxima: NDArray[np.uint32]
    active: NDArray[np.int32]
    active_end: NDArray[np.int64]
