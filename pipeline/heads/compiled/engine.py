"""The compiled engine: `numpy_engine` many times as fast, in plain IEEE arithmetic with sums in a fixed order.

Its bits do not depend on the CPU, on other heads in the same call or on how iterations are cut into calls. They differ
from the NumPy engine's in the last places, since the order of the sums differs. Compiled code is cached on disk, one
version for each dtype of the heads, stored dtype of the images and kernel size; the other sizes are ordinary arguments.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..head import Array, Head, check_shapes
from ..losses import LOSSES
from .loop import Sizes, State, apply, train
from .vectors import VECTOR_BYTES, lanes_of

# Raised when the bits change; see engines.Engine.
NUMERICS = "numba-1"
GRADIENTS = ("exact", "notebook")
DTYPES = ("float32", "float64")
STORED_DTYPES = ("uint8", "float32", "float64")


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
    """One iteration a row of `batches`; `numpy_engine.advance` describes arguments and results.

    IndexError for a batch index outside the images; negative ones do not count from the end.
    """
    heads, losses = advance_group([head], images, scale, targets[None], batches, alphas, loss, gradient)
    return heads[0], losses[0]


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
    """`advance` for heads of one dtype and shape on the same batches; the same bits as one by one, but the work that each
    image takes before the first head is shared. targets: (heads, N). Returns the heads and (heads, T) losses."""
    stored = Stored(heads[0].dtype, images, scale)
    if loss not in LOSSES or gradient not in GRADIENTS:
        raise ValueError(f"loss must be one of {LOSSES} and gradient one of {GRADIENTS}, not {loss!r} and {gradient!r}")
    if len(alphas) != len(batches) or targets.shape != (len(heads), len(images)):
        raise ValueError(f"{len(batches)} batches need as many alphas, and {len(images)} images as many targets")
    if batches.size and not 0 <= batches.min() <= batches.max() < len(images):
        raise IndexError(f"batches must hold indices from 0 to {len(images) - 1}")
    state, sizes = start(heads, (images.shape[1], images.shape[2]))
    losses = np.full((len(heads), len(batches)), np.nan)
    with np.errstate(over="ignore"):
        # A step beyond float32 is infinite, and soon noticed as such.
        steps = np.ascontiguousarray(alphas, state.kernel.dtype)
    if batches.size:
        train(
            stored.images,
            stored.last,
            stored.factor,
            np.ascontiguousarray(targets, np.float64),
            np.ascontiguousarray(batches, np.int64),
            steps,
            loss == "half_squared_error",
            gradient == "notebook",
            state,
            sizes,
            losses,
        )
    return finish(heads, state, sizes), losses


def logits(head: Head, images: NDArray[np.generic], scale: float) -> NDArray[np.float64]:
    """The logit of every image: (N, H, W) gives (N,)."""
    stored = Stored(head.dtype, images, scale)
    state, sizes = start([head], (images.shape[1], images.shape[2]))
    result = np.empty(len(images))
    apply(stored.images, stored.last, stored.factor, state, sizes, result[None])
    return result


def warm_up(dtype: str, kernel_size: int, image_dtype: str) -> None:
    """Compile what such heads and stored images need, or load it from disk, so that no worker does it in its first block."""
    images = np.zeros((1, 2, 2), image_dtype)
    shapes: list[tuple[int, ...]] = [(1, kernel_size, kernel_size), (1,), (1, 1, 1), ()]
    head = Head(*(np.zeros(shape, dtype) for shape in shapes))
    advance(head, images, 1.0, np.zeros(1), np.zeros((1, 1), np.int64), np.zeros(1), LOSSES[0], GRADIENTS[0])
    logits(head, images, 1.0)


class Stored:
    """Images as the compiled code takes them: flat, contiguous, read-only and of a dtype that it converts.

    images: all pixels. last: a copy of the last images, and room behind them for two vectors. factor: 1 / scale.
    """

    def __init__(self, dtype: np.dtype[np.floating], images: NDArray[np.generic], scale: float) -> None:
        if images.dtype.name not in STORED_DTYPES or not images.dtype.isnative:
            images = images.astype(dtype)
        room = 2 * lanes_of(dtype)
        pixels = images.shape[1] * images.shape[2]
        flat = np.require(np.asarray(images).reshape(-1), requirements=["C", "A"]).view()
        copied = min(len(images), -(-room // max(pixels, 1))) * pixels
        last = np.zeros(copied + room, flat.dtype)
        last[:copied] = flat[len(flat) - copied :]
        flat.flags.writeable = last.flags.writeable = False
        self.images, self.last, self.factor = flat, last, dtype.type(1.0 / scale)


def start(heads: Sequence[Head], image_shape: tuple[int, int]) -> tuple[State, Sizes]:
    """The heads' parameters and empty sums and scratch, as the compiled code lays them out. ValueError for wrong shapes."""
    kernel, dtype = heads[0].kernel, heads[0].dtype
    for head in heads:
        check_shapes(head, image_shape)
        if head.kernel.shape != kernel.shape or any(array.dtype != dtype for array in head.arrays().values()):
            raise ValueError("the heads of a group must have one dtype and one shape of kernels")
    if dtype.name not in DTYPES:
        raise ValueError(f"a head must be one of {DTYPES}, not {dtype}")
    (filters, size, _), (height, width), lanes = kernel.shape, image_shape, lanes_of(dtype)
    rows, columns = height // 2, width // 2
    stride = columns + size // 2
    vectors = aligned((rows - 1) * stride + columns, lanes) // lanes
    # The last vectors of `forward` and the zeros that `split` writes after a row's end stay within a phase.
    length = aligned(max(vectors * lanes, (rows + size // 2) * stride) + (size // 2) * (stride + 1) + 2 * lanes, lanes)
    sizes = Sizes(len(heads), filters, height, width, stride, length, vectors, (0,) * size)

    every = len(heads) * filters

    def zeros(count: int) -> Array:
        return aligned_zeros(count, dtype)

    state = State(
        kernel=zeros(every * size * size),
        bias=zeros(every),
        weights=zeros(every * vectors * lanes),
        bias_flat=zeros(len(heads)),
        d_kernel=zeros(every * (size * size + 1) * lanes),
        d_weights=zeros(every * vectors * lanes),
        d_bias_flat=zeros(len(heads)),
        phases=zeros(2 * 4 * length),
        outside=zeros(vectors * lanes),
        first_term=zeros(every),
        pooled=zeros(every * vectors * lanes),
        maxima=np.zeros(every * vectors, np.uint32),
        active=np.zeros(every * vectors, np.int32),
        active_end=np.zeros(every, np.int64),
    )
    state.kernel[:] = np.concatenate([head.kernel.reshape(-1) for head in heads])
    state.bias[:] = np.concatenate([head.bias for head in heads])
    state.bias_flat[:] = [head.bias_flat for head in heads]
    places = pooled_places(sizes, lanes)
    state.weights.reshape(every, -1)[:, places] = np.concatenate([head.weights.reshape(filters, -1) for head in heads])
    state.outside[:] = np.inf
    state.outside[places] = 0
    return state, sizes


def finish(heads: Sequence[Head], state: State, sizes: Sizes) -> list[Head]:
    """The trained heads: copies of the parameters in `state`."""
    places = pooled_places(sizes, lanes_of(state.kernel.dtype))
    weights = state.weights.reshape(len(heads), sizes.filters, -1)[:, :, places]
    return [
        Head(
            state.kernel.reshape(len(heads), *head.kernel.shape)[index].copy(),
            state.bias.reshape(len(heads), -1)[index].copy(),
            weights[index].reshape(head.weights.shape).copy(),
            np.asarray(state.bias_flat[index]),
        )
        for index, head in enumerate(heads)
    ]


def pooled_places(sizes: Sizes, lanes: int) -> NDArray[np.intp]:
    """Where a filter's pooled values lie among its vectors, in reading order."""
    rows, columns = np.arange(sizes.height // 2), np.arange(sizes.width // 2)
    return (rows[:, None] * sizes.stride + columns).reshape(-1)


def aligned(count: int, multiple: int) -> int:
    """The first multiple of `multiple` that is at least `count`."""
    return -(-count // multiple) * multiple


def aligned_zeros(count: int, dtype: np.dtype[np.floating]) -> Array:
    """Zeros whose first element lies at a multiple of a vector's size, so that fewer loads cross cache lines."""
    room = np.zeros(count * dtype.itemsize + VECTOR_BYTES, np.uint8)
    skip = -room.ctypes.data % VECTOR_BYTES
    return room[skip : skip + count * dtype.itemsize].view(dtype)
