"""The compiled training loop: what the NumPy engine does, image by image, in vectors of fixed width.

A group of heads shares each image's phases (see unrolled.py). For each head and filter an image takes two passes over its
pooled values: `forward` keeps every vector of pooled values and the places of the maxima, and lists the vectors with a
value above 0; then the logit and its derivative are known; `backward` goes over the listed vectors only. Sums over images
run in lanes, which are added up once a batch.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .scalars import compiled, inlined, loss_derivative, loss_value
from .unrolled import add_scaled, convolve, load_pixels, no_sums, route, rows_to_a_pass
from .vectors import (
    broadcast,
    fma,
    from_bits,
    greater,
    lane_sum,
    lanes_below,
    lanes_in,
    load,
    not_below,
    select,
    store,
    to_bits,
    zeros,
)

Function = TypeVar("Function", bound=Callable[..., Any])
# Everything that is compiled into the entry points below.
SOURCES = ("../elementary", "vectors", "scalars", "unrolled", "layout", "loop")
rows_of_pass = inlined(rows_to_a_pass)


def named_by_sources(function: Function) -> Function:
    """Name a function after a digest of SOURCES. Numba finds cached code by the function's name and the time of the file it
    stands in; of the other files it knows nothing, and would go on using what was compiled from an older one."""
    text = b"".join(Path(__file__).parent.joinpath(f"{name}.py").read_bytes() for name in SOURCES)
    function.__qualname__ += f"_{hashlib.sha256(text).hexdigest()[:12]}"
    return function


@inlined
def split(number: int, image: int, stored: Any, state: Any, sizes: Any) -> Any:
    """Write the phases of image `number` to state.phases[image]; their borders are 0 and stay so. Returns 0, or NaN if a
    pixel is not finite.

    Rows are written top down, each in whole vectors: the zeros after a row's end fall on columns of padding and on the
    start of the next row, which is written later.
    """
    phases = state.phases
    half, lanes = len(sizes.kernel) // 2, lanes_in(phases)
    rows = min(sizes.height, sizes.height // 2 * 2 + half)
    columns = min(sizes.width, sizes.width // 2 * 2 + half)
    first = number * sizes.height * sizes.width
    copied = stored.images.size - (stored.last.size - 2 * lanes)
    at_end = first >= copied
    first = first - copied if at_end else first
    # Where the image's even and odd columns begin: padding by an odd number exchanges the phases.
    even_at = half % 2 * sizes.length + half // 2
    odd_at = (half + 1) % 2 * sizes.length + (half + 1) // 2
    factor, nothing = broadcast(stored.factor), zeros(phases)
    finite = nothing
    for row in range(rows):
        padded = row + half
        at = image + padded % 2 * 2 * sizes.length + padded // 2 * sizes.stride
        for column in range(0, columns, 2 * lanes):
            start = first + row * sizes.width + column
            even, odd = load_pixels(stored.images, stored.last, at_end, start, factor)
            even = select(lanes_below(phases, (columns - column + 1) // 2), even, nothing)
            odd = select(lanes_below(phases, (columns - column) // 2), odd, nothing)
            finite = fma(nothing, odd, fma(nothing, even, finite))
            store(phases, at + even_at + column // 2, even)
            store(phases, at + odd_at + column // 2, odd)
    return lane_sum(finite)


@inlined
def blank(image: int, phases: Any, sizes: Any) -> None:
    """Set the image's first row and column in its phases to 0, for the notebook's kernel gradient."""
    half, length, stride = len(sizes.kernel) // 2, sizes.length, sizes.stride
    for parity in range(2):
        row = image + (half % 2 * 2 + parity) * length + half // 2 * stride
        for at in range(row, row + stride):
            phases[at] = 0
        column = image + (parity * 2 + half % 2) * length + half // 2
        for number in range(sizes.height // 2 + half):
            phases[column + number * stride] = 0


@inlined
def forward(index: int, image: int, state: Any, sizes: Any) -> Any:
    """The share of filter `index` in the logit. Keeps pooled values, places of maxima and the list of active vectors."""
    lanes, taps = lanes_in(state.phases), len(sizes.kernel) * len(sizes.kernel)
    bias, zero = broadcast(state.first_term[index]), zeros(state.phases)
    total, count = zero, index * sizes.vectors
    for vector in range(sizes.vectors):
        at = index * sizes.vectors + vector
        position = (image + vector * lanes, sizes.length, sizes.stride)
        a, b, c, d = convolve(state.phases, position, state.kernel, index * taps, sizes.kernel, bias)
        # Strictly greater: of equal values the first in reading order wins.
        right_above, right_below = greater(b, a), greater(d, c)
        above, below = select(right_above, b, a), select(right_below, d, c)
        lower = greater(below, above)
        maximum, right = select(lower, below, above), select(lower, right_below, right_above)
        active = not_below(maximum, load(state.outside, vector * lanes))
        pooled = select(active, maximum, zero)
        total = fma(pooled, load(state.weights, at * lanes), total)
        store(state.pooled, at * lanes, pooled)
        state.maxima[at] = to_bits(lower) << np.uint32(16) | to_bits(right)
        state.active[count] = at
        count += to_bits(active) != 0
    state.active_end[index] = count
    return lane_sum(total)


@inlined
def route_rows(sums: Any, index: int, image: int, first: int, d_logit: Any, state: Any, sizes: Any) -> None:
    """Add the image's gradient of the kernel rows from `first` on, as many as `sums` is for."""
    lanes, size, listed = lanes_in(state.phases), len(sizes.kernel), index * sizes.vectors
    for place in range(listed, state.active_end[index]):
        at = np.int64(state.active[place])
        maxima = state.maxima[at]
        lower, right = from_bits(maxima >> np.uint32(16), state.phases), from_bits(maxima, state.phases)
        active = greater(load(state.pooled, at * lanes), zeros(state.phases))
        weight = select(active, load(state.weights, at * lanes), zeros(state.phases))
        position = (image + (at - listed) * lanes, sizes.length, sizes.stride, first)
        sums = route(sums, state.phases, position, sizes.kernel, weight, lower, right)
    add_scaled(state.d_kernel, (index * (size * size + 1) + first * size) * lanes, d_logit, sums)


@inlined
def backward(index: int, image: int, d_logit: Any, frozen: bool, state: Any, sizes: Any) -> None:
    """Add the image's gradient of filter `index`; that of a frozen kernel is not needed.

    The kernel's is summed without the factor d_logit, which comes last: so the processor begins before it is known.
    """
    lanes, size, listed = lanes_in(state.phases), len(sizes.kernel), index * sizes.vectors
    factor, zero = broadcast(d_logit), zeros(state.phases)
    rows = rows_of_pass(size)
    rest = size % rows
    if not frozen:
        for first in range(0, size - rest, rows):
            route_rows(no_sums(state.phases, sizes.kernel, False), index, image, first, factor, state, sizes)
        if rest:
            route_rows(no_sums(state.phases, sizes.kernel, True), index, image, size - rest, factor, state, sizes)
    bias_at = (index * (size * size + 1) + size * size) * lanes
    d_bias = load(state.d_kernel, bias_at)
    for place in range(listed, state.active_end[index]):
        at = np.int64(state.active[place]) * lanes
        pooled = load(state.pooled, at)
        d_bias = fma(factor, select(greater(pooled, zero), load(state.weights, at), zero), d_bias)
        store(state.d_weights, at, fma(factor, pooled, load(state.d_weights, at)))
    store(state.d_kernel, bias_at, d_bias)


@inlined
def update(alpha: Any, task: Any, state: Any, sizes: Any) -> None:
    """A step of alpha against the gradients, which are set to 0. The notebook's kernel gradient is turned by 180 degrees;
    frozen kernels and their biases take no step."""
    lanes, taps = lanes_in(state.phases), len(sizes.kernel) * len(sizes.kernel)
    step, zero = broadcast(-alpha), zeros(state.phases)
    for index in range(sizes.heads * sizes.filters):
        for tap in range(taps + 1):
            at = (index * (taps + 1) + tap) * lanes
            change = alpha * lane_sum(load(state.d_kernel, at))
            store(state.d_kernel, at, zero)
            if task.frozen:
                continue
            if tap == taps:
                state.bias[index] -= change
            else:
                state.kernel[index * taps + (taps - 1 - tap if task.notebook else tap)] -= change
        for vector in range(index * sizes.vectors, (index + 1) * sizes.vectors):
            at = vector * lanes
            store(state.weights, at, fma(step, load(state.d_weights, at), load(state.weights, at)))
            store(state.d_weights, at, zero)
    for head in range(sizes.heads):
        state.bias_flat[head] -= alpha * state.d_bias_flat[head]
        state.d_bias_flat[head] = 0


@inlined
def begin_batch(state: Any, sizes: Any) -> None:
    """Set the first term of each feature map: the bias, or NaN if a tap is not finite. Comparisons with NaN are false, so a
    NaN that only some places of a window have could otherwise lose against a number, and the loss look sound."""
    taps = len(sizes.kernel) * len(sizes.kernel)
    for index in range(sizes.heads * sizes.filters):
        state.first_term[index] = state.bias[index]
        for tap in range(index * taps, (index + 1) * taps):
            if not np.isfinite(state.kernel[tap]):
                state.first_term[index] = np.nan


@inlined
def logit_of(head: int, image: int, finite: Any, state: Any, sizes: Any) -> float:
    """One head's logit of the image."""
    logit = finite + state.bias_flat[head]
    for index in range(head * sizes.filters, (head + 1) * sizes.filters):
        logit += forward(index, image, state, sizes)
    return np.float64(logit)


@compiled
@named_by_sources
def train(stored: Any, task: Any, state: Any, sizes: Any, losses: Any) -> None:
    """The iterations of `numpy_engine.advance` for a group of heads, in place. losses: (T, heads), to be written."""
    iterations, size = task.batches.shape
    logits = np.empty((sizes.heads, size))
    d_logits = np.empty(sizes.heads, state.bias_flat.dtype)
    # Not the literal 0, for which Numba would compile every function that takes it a second time.
    image, next_image = 0 * sizes.length, 4 * sizes.length
    finite = split(task.batches[0, 0], image, stored, state, sizes)
    for t in range(iterations):
        begin_batch(state, sizes)
        for place in range(size):
            for head in range(sizes.heads):
                logits[head, place] = logit_of(head, image, finite, state, sizes)
            # The next image is read here because nothing has to wait for it: neither for the logits that are still being
            # computed, nor, when its own turn comes, for what was just written.
            following = t * size + place + 1
            if following < task.batches.size:
                number = task.batches[following // size, following % size]
                finite = split(number, next_image, stored, state, sizes)
            if task.notebook:
                blank(image, state.phases, sizes)
            for head in range(sizes.heads):
                target = task.targets[head, task.batches[t, place]]
                d_logits[head] = loss_derivative(logits[head, place], target, task.squared) / size
                state.d_bias_flat[head] += d_logits[head]
            for index in range(sizes.heads * sizes.filters):
                backward(index, image, d_logits[index // sizes.filters], task.frozen, state, sizes)
            image, next_image = next_image, image
        mean_losses(t, logits, task, losses)
        update(task.alphas[t], task, state, sizes)


@inlined
def mean_losses(t: int, logits: Any, task: Any, losses: Any) -> None:
    """Write every head's mean loss to losses[t]. `logits` (heads, B) is overwritten: as the losses do not wait for each
    other, the compiler can compute several at once."""
    size = logits.shape[1]
    for head in range(len(logits)):
        total = 0.0
        for place in range(size):
            target = task.targets[head, task.batches[t, place]]
            logits[head, place] = loss_value(logits[head, place], target, task.squared)
        for place in range(size):
            total += logits[head, place]
        losses[t, head] = total / size


@compiled
@named_by_sources
def apply(stored: Any, state: Any, sizes: Any, logits: Any) -> None:
    """Every head's logit of every image. logits: (N, heads), to be written."""
    begin_batch(state, sizes)
    for number in range(len(logits)):
        image = number % 2 * 4 * sizes.length
        finite = split(number, image, stored, state, sizes)
        for head in range(sizes.heads):
            logits[number, head] = logit_of(head, image, finite, state, sizes)
