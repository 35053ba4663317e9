"""The compiled engine: `numpy_engine` many times as fast, in plain IEEE arithmetic with sums in a fixed order.

Its bits do not depend on the CPU, on other heads in the same call or on how iterations are cut into calls. They differ
from the NumPy engine's in the last places, since the order of the sums differs and neighbours share products. Compiled code
is cached on disk, one version for each dtype of the heads and stored dtype of the images; all sizes are ordinary arguments.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..block import Block
from ..choices import DTYPES, LOSSES
from ..head import Array, Head, check_group
from ..losses import is_squared
from .layout import SLOTS, Sizes, State, Stored, Task, padded_numbers, pooled_places, row_starts, sizes_of
from .loop import run
from .pixels import PIECE_BYTES
from .vectors import VECTOR_BYTES, lanes_of

STORED_DTYPES = ("uint8", "float32", "float64")


def advance(heads: Sequence[Head], block: Block) -> tuple[tuple[Head, ...], NDArray[np.float64]]:
    """`Engine.advance`. The work that each image takes before the first head is done once for all."""
    arguments = train_arguments(heads, block)
    if block.batches.size:
        compiled_for(arguments)(*arguments)
    _, _, state, sizes, losses = arguments
    return finish(heads, state, sizes), losses.reshape(-1, sizes.row)[:, : len(heads)].copy()


def logits(heads: Sequence[Head], images: NDArray[np.generic], scale: float) -> NDArray[np.float64]:
    """`Engine.logits`."""
    arguments = apply_arguments(heads, images, scale)
    compiled_for(arguments)(*arguments)
    _, _, state, sizes, _ = arguments
    return state.logits.reshape(-1, sizes.row)[:, : len(heads)].copy()


def warm_up(dtype: str, image_dtype: str) -> None:
    """Compile what such heads and stored images need, or load it from disk, so that no worker does it in its first block."""
    advance(*smallest(dtype, image_dtype))


def is_compiled(dtype: str, image_dtype: str) -> bool:
    """Whether `warm_up` has nothing to compile: the machine code is in memory already, or on disk."""
    arguments = train_arguments(*smallest(dtype, image_dtype))
    function = compiled_for(arguments)
    types = tuple(function.typeof_pyval(argument) for argument in arguments)
    if types in function.overloads:
        return True
    # Nothing public looks into Numba's cache without compiling what is not there. These names are those that its own
    # `load_overload` uses, which would also build the code in memory.
    kept = function._cache
    key = kept._index_key(types, function.targetctx.codegen())
    return kept._cache_file.load(key) is not None


def kept_in() -> str:
    """The folder that keeps what is compiled."""
    return str(compiled_for(train_arguments(*smallest(DTYPES[0], STORED_DTYPES[0])))._cache.cache_path)


def compiled_for(arguments: tuple[Any, ...]) -> Any:
    """`loop.run` as it is compiled for what `train_arguments` or `apply_arguments` gives."""
    stored, _, state, _, _ = arguments
    return run(f"{state.kernel.dtype}_{stored.images.dtype}")


def smallest(dtype: str, image_dtype: str) -> tuple[list[Head], Block]:
    """The smallest heads and block whose arrays have the given types, on which alone it depends what is compiled."""
    shapes: list[tuple[int, ...]] = [(1, 1, 1), (1,), (1, 1, 1), ()]
    images, label = np.zeros((1, 2, 2), image_dtype), np.zeros(1, np.int64)
    block = Block(images, 1.0, label, label[None], np.zeros(1), LOSSES[0])
    return [Head(*(np.zeros(shape, dtype) for shape in shapes))], block


def train_arguments(heads: Sequence[Head], block: Block) -> tuple[Stored, Task, State, Sizes, NDArray[np.float64]]:
    """What `run` takes to train, the losses that it is to write included."""
    block.check_batches()
    dtype = heads[0].dtype
    stored = stored_as(dtype, block.images, block.scale)
    state, sizes = start(heads, stored.images.dtype, block.images.shape[1:], block.batches.shape[1])
    with np.errstate(over="ignore"):
        # A step beyond float32 is infinite, and soon noticed as such.
        alphas = np.ascontiguousarray(block.alphas, dtype)
    task = Task(
        labels=np.ascontiguousarray(block.labels, np.int64),
        batches=np.ascontiguousarray(block.batches, np.int64).reshape(-1),
        alphas=alphas,
        learn=True,
        squared=is_squared(block.loss),
        notebook=block.gradient == "notebook",
        frozen=block.gradient == "frozen",
    )
    losses = np.full(len(block.batches) * sizes.row, np.nan)
    return stored, task, state, sizes, losses


def apply_arguments(
    heads: Sequence[Head], images: NDArray[np.generic], scale: float
) -> tuple[Stored, Task, State, Sizes, NDArray[np.float64]]:
    """What `run` takes to write state.logits: all images are one batch."""
    count, dtype = len(images), heads[0].dtype
    stored = stored_as(dtype, images, scale)
    state, sizes = start(heads, stored.images.dtype, images.shape[1:], count)
    every, nothing = np.arange(count, dtype=np.int64), np.zeros(0)
    task = Task(every, every, nothing.astype(dtype), False, False, False, True)
    return stored, task, state, sizes, nothing


def stored_as(dtype: np.dtype[np.floating], images: NDArray[np.generic], scale: float) -> Stored:
    """Images as the compiled code takes them: flat, contiguous, read-only and of a dtype that it converts."""
    if images.dtype.name not in STORED_DTYPES or not images.dtype.isnative:
        images = images.astype(dtype)
    room = PIECE_BYTES // images.dtype.itemsize
    pixels = images.shape[1] * images.shape[2]
    flat = np.require(np.asarray(images).reshape(-1), requirements=["C", "A"]).view()
    copied = min(len(images), -(-room // max(pixels, 1))) * pixels
    last = np.zeros(copied + room, flat.dtype)
    last[:copied] = flat[len(flat) - copied :]
    flat.flags.writeable = last.flags.writeable = False
    factor = dtype.type(1.0 / scale)
    with np.errstate(over="ignore"):
        finite = flat.dtype == np.uint8 and bool(np.isfinite(dtype.type(255) * factor))
    return Stored(flat, last, factor, finite)


def start(heads: Sequence[Head], stored: np.dtype[Any], shape: tuple[int, ...], batch: int) -> tuple[State, Sizes]:
    """The heads' parameters and empty sums and scratch, as the compiled code lays them out. stored: the dtype of the images.
    shape: their height and width. batch: how many are a batch. ValueError for wrong shapes."""
    check_group(heads, (shape[0], shape[1]))
    kernel, dtype = heads[0].kernel, heads[0].dtype
    if dtype.name not in DTYPES:
        raise ValueError(f"a head must be one of {DTYPES}, not {dtype}")
    filters, size, _ = kernel.shape
    lanes, every = lanes_of(dtype), len(heads) * filters
    sizes = sizes_of((len(heads), filters), shape, batch, size, lanes)
    values = every * sizes.vectors * lanes

    def zeros(count: int) -> Array:
        return aligned_zeros(count, dtype)

    state = State(
        kernel=zeros(every * size * size),
        bias=zeros(every),
        weights=zeros(values),
        bias_flat=zeros(len(heads)),
        d_kernel=zeros(every * sizes.side * sizes.side * lanes),
        d_bias=zeros(every * lanes),
        d_weights=zeros(values),
        d_bias_flat=zeros(len(heads)),
        factors=zeros(every * size * sizes.terms),
        padded=np.zeros(padded_numbers(sizes, lanes, PIECE_BYTES // stored.itemsize), stored),
        planes=zeros(2 * (sizes.side + 1) * sizes.plane if sizes.packed else 0),
        windows=zeros(SLOTS * sizes.image),
        combined=zeros(sizes.image // (sizes.side + 1) * sizes.terms),
        finite=np.zeros(SLOTS, dtype),
        starts=row_starts(sizes, lanes, sizes.side + 1),
        combined_starts=row_starts(sizes, lanes, sizes.terms),
        outside=zeros(sizes.vectors * lanes),
        first_term=zeros(every),
        pooled=zeros(values),
        maxima=np.zeros(2 * every * sizes.vectors, np.uint16),
        share=zeros(every),
        logits=np.zeros(sizes.batch * sizes.row),
        totals=np.zeros(sizes.row),
        slopes=np.zeros(sizes.row),
        d_logits=zeros(len(heads)),
    )
    state.kernel[:] = np.concatenate([head.kernel.reshape(-1) for head in heads])
    state.bias[:] = np.concatenate([head.bias for head in heads])
    state.bias_flat[:] = [head.bias_flat for head in heads]
    places = pooled_places(sizes)
    state.weights.reshape(every, -1)[:, places] = np.concatenate([head.weights.reshape(filters, -1) for head in heads])
    state.outside[:] = np.inf
    state.outside[places] = 0
    return state, sizes


def finish(heads: Sequence[Head], state: State, sizes: Sizes) -> tuple[Head, ...]:
    """The trained heads: copies of the parameters in `state`."""
    weights = state.weights.reshape(len(heads), sizes.filters, -1)[:, :, pooled_places(sizes)]
    return tuple(
        Head(
            state.kernel.reshape(len(heads), *head.kernel.shape)[index].copy(),
            state.bias.reshape(len(heads), -1)[index].copy(),
            weights[index].reshape(head.weights.shape).copy(),
            np.asarray(state.bias_flat[index]),
        )
        for index, head in enumerate(heads)
    )


def aligned_zeros(count: int, dtype: np.dtype[np.floating]) -> Array:
    """Zeros whose first element lies at a multiple of a vector's size, so that fewer loads cross cache lines."""
    room = np.zeros(count * dtype.itemsize + VECTOR_BYTES, np.uint8)
    skip = -room.ctypes.data % VECTOR_BYTES
    return room[skip : skip + count * dtype.itemsize].view(dtype)
