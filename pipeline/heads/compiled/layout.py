"""What the compiled loop takes: heads, images and task as arrays and numbers, laid out for vectors."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .vectors import lanes_of

Floats = NDArray[np.floating]
# Images whose windows are there at once: the one that the heads learn from, and the next.
SLOTS = 2


class Sizes(NamedTuple):
    """heads and filters of each; a batch's images; an image's height and width; pooled rows and columns; the kernel's size k,
    and `side`, that of the square of tiles that it is part of.

    minuses, ones, ends: how many products a kernel's row takes for the point minus, for one, and for zero and infinity each,
    see winograd.py; terms: for all four. vectors: those of a filter's pooled values, whose rows are `stride` numbers apart.
    packed: whether a vector may go across rows, see image.py. Numbers: `pitch` in a row of the padded image, `plane` in one of
    a packed image's planes, `image` in an image's windows, `row` for an image's logits, whole vectors."""

    heads: int
    filters: int
    batch: int
    height: int
    width: int
    rows: int
    columns: int
    kernel: int
    side: int
    minuses: int
    ones: int
    ends: int
    terms: int
    vectors: int
    stride: int
    packed: bool
    pitch: int
    plane: int
    image: int
    row: int


def sizes_of(counts: tuple[int, int], shape: tuple[int, ...], batch: int, kernel: int, lanes: int) -> Sizes:
    """How heads and images of such sizes are laid out. counts: heads, filters of each. shape: an image's height and width.
    batch: a batch's images."""
    height, width = shape
    rows, columns = height // 2, width // 2
    whole = aligned(columns, lanes)
    # Rows of whole vectors, unless a quarter of their lanes would be empty.
    packed = 4 * (whole - columns) > whole
    stride = columns if packed else whole
    vectors = aligned((rows - 1) * stride + columns, lanes) // lanes
    # See `backward.kernel_gradient`.
    side = kernel if kernel < 8 else aligned(kernel, 3)
    # What is loaded and stored behind the last row has its room.
    plane = aligned(vectors * lanes + (side // 2 + 1) * stride + 2 * lanes, lanes)
    image = (side + 1) * ((side + 1) * vectors * lanes if packed else 2 * rows_of_parity(rows, side) * stride)
    pitch, row = width + kernel // 2, aligned(counts[0], lanes_of("float64"))
    minuses, ones, ends = kernel // 3, (kernel + 1) // 3, (kernel + 2) // 3
    products = (minuses, ones, ends, minuses + ones + 2 * ends)
    pooled = (rows, columns, kernel, side, *products, vectors, stride)
    return Sizes(*counts, batch, height, width, *pooled, packed, pitch, plane, image, row)


def rows_of_parity(rows: int, side: int) -> int:
    """How many padded rows of one parity have windows."""
    return rows + side // 2 + 1


def row_starts(sizes: Sizes, lanes: int, vectors: int) -> NDArray[np.int64]:
    """Where what belongs to an image's windows begins for each row a, see image.py: (side + 2,). vectors: how many there are
    for a vector of pooled values and a row, side + 1 windows or `terms` combinations of them."""
    row = np.arange(sizes.side + 2, dtype=np.int64)
    if sizes.packed:
        return row * sizes.vectors * lanes * vectors
    return (row % 2 * rows_of_parity(sizes.rows, sizes.side) + row // 2) * sizes.stride * vectors


def padded_numbers(sizes: Sizes, lanes: int, piece: int) -> int:
    """How many numbers the padded image has, with room for what is loaded behind its last row, and for a piece, which may be
    cleared there."""
    behind = aligned(2 * sizes.columns + sizes.kernel, 2 * lanes) + 2 * lanes + piece
    return (2 * sizes.rows + sizes.kernel) * sizes.pitch + behind


def pooled_places(sizes: Sizes) -> NDArray[np.intp]:
    """Where a filter's pooled values lie among its vectors, in reading order."""
    return (np.arange(sizes.rows)[:, None] * sizes.stride + np.arange(sizes.columns)).reshape(-1)


def aligned(count: int, multiple: int) -> int:
    """The first multiple of `multiple` that is at least `count`."""
    return -(-count // multiple) * multiple


class Stored(NamedTuple):
    """Images as they are stored: all numbers, flat; a copy of the last images, with room behind it for a piece, as `read`
    copies pieces that may go beyond an image's end; what turns a stored number into a pixel, 1 / scale; and whether no stored
    number can become a pixel that is not finite."""

    images: NDArray[Any]
    last: NDArray[Any]
    factor: Any
    finite: bool


class Task(NamedTuple):
    """What the heads are to learn, all one-dimensional. labels: (N,), the number of the head whose target is 1, or of none.
    batches: (T * B,). alphas: (T,), in the heads' dtype. learn: whether they are to, else only the logits are wanted. squared:
    whether the loss is half the squared error, else it is the cross-entropy. notebook: whether the kernel gradient is the
    notebook's. frozen: whether kernel and bias stay as they are."""

    labels: NDArray[np.int64]
    batches: NDArray[np.int64]
    alphas: Floats
    learn: bool
    squared: bool
    notebook: bool
    frozen: bool


class State(NamedTuple):
    """Parameters, their gradients and scratch, all one-dimensional. One number of a head: (heads,); of a filter:
    (heads * filters,). "lanes" is a vector's number of lanes; n = heads * filters * vectors.

    kernel (heads * filters * k * k,), bias (heads * filters,), weights (n * lanes,), bias_flat (heads,): the parameters.
    d_kernel (heads * filters * side * side * lanes,), d_bias (heads * filters * lanes,), d_weights (n * lanes,), d_bias_flat
    (heads,): sums of their gradients, the kernel's and the bias's by lanes.
    factors (heads * filters * k * terms,): what the products take of the taps, see winograd.py.
    padded: the image that is read, as it is stored, with its border. planes: see `image.write_planes`. windows (SLOTS *
    image,): see image.py. combined (image // (side + 1) * terms,): what the products take of the windows of the image that was
    read last. finite (SLOTS,): 0, or NaN if a pixel is not finite. starts, combined_starts (side + 2,): where each row begins,
    in an image's windows and in what is combined of them.
    outside (vectors * lanes,): 0 where a pooled value is, infinity elsewhere.
    first_term (heads * filters,): what the sums of the feature map begin with, see `begin_batch`.
    pooled (n * lanes,), maxima (2 * n,), share (heads * filters,): what `forward` keeps.
    logits (B * row,), totals (row,): of a batch, the latter the sums of its losses. slopes (row,), d_logits (heads,): of an
    image, the derivatives with respect to its logits, in float64 and in the heads' dtype.
    """

    kernel: Floats
    bias: Floats
    weights: Floats
    bias_flat: Floats
    d_kernel: Floats
    d_bias: Floats
    d_weights: Floats
    d_bias_flat: Floats
    factors: Floats
    padded: NDArray[Any]
    planes: Floats
    windows: Floats
    combined: Floats
    finite: Floats
    starts: NDArray[np.int64]
    combined_starts: NDArray[np.int64]
    outside: Floats
    first_term: Floats
    pooled: Floats
    maxima: NDArray[np.uint16]
    share: Floats
    logits: NDArray[np.float64]
    totals: NDArray[np.float64]
    slopes: NDArray[np.float64]
    d_logits: Floats
