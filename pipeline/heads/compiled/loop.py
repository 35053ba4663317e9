"""The compiled training loop: what the NumPy engine does, image by image, in vectors of fixed width.

A group of heads shares each image's windows (see image.py). `forward` keeps every filter's pooled values and the places of the
maxima; then the logits and their derivatives are known, and `backward` goes over each filter's pooled values again. Sums over
images run in lanes, which are added up once a batch.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from .backward import backward
from .forward import forward
from .image import blank, read
from .scalars import Function, compiled, inlined, loss_derivative, loss_value
from .vectors import broadcast, fma, lane_sum, lanes_in, load, store, zeros

# Everything that is compiled into the entry points below.
SOURCES = (
    "../elementary", "vectors", "registers", "scalars", "tuples", "pixels", "maps", "tiles", "image", "forward", "backward",
    "layout", "loop",
)  # fmt: skip


def named_by_sources(function: Function) -> Function:
    """Name a function after a digest of SOURCES. Numba finds cached code by the function's name and the time of the file it
    stands in; of the other files it knows nothing, and would go on using what was compiled from an older one."""
    text = b"".join(Path(__file__).parent.joinpath(f"{name}.py").read_bytes() for name in SOURCES)
    function.__qualname__ += f"_{hashlib.sha256(text).hexdigest()[:12]}"
    return function


@inlined
def update(alpha: Any, task: Any, state: Any, sizes: Any) -> None:
    """A step of alpha against the gradients, which are set to 0. The notebook's kernel gradient is turned by 180 degrees;
    frozen kernels and their biases take no step."""
    lanes, size = lanes_in(state.pooled), sizes.kernel
    step, zero = broadcast(-alpha), zeros(state.pooled)
    for index in range(sizes.heads * sizes.filters):
        if not task.frozen:
            state.bias[index] -= alpha * lane_sum(load(state.d_bias, index * lanes))
            for tap in range(size * size):
                at = ((index * sizes.side + tap // size) * sizes.side + tap % size) * lanes
                place = size * size - 1 - tap if task.notebook else tap
                state.kernel[index * size * size + place] -= alpha * lane_sum(load(state.d_kernel, at))
                store(state.d_kernel, at, zero)
        store(state.d_bias, index * lanes, zero)
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
    taps = sizes.kernel * sizes.kernel
    for index in range(sizes.heads * sizes.filters):
        state.first_term[index] = state.bias[index]
        for tap in range(index * taps, (index + 1) * taps):
            if not np.isfinite(state.kernel[tap]):
                state.first_term[index] = np.nan


@inlined
def logit_of(head: int, finite: Any, state: Any, sizes: Any) -> float:
    """One head's logit of the image."""
    logit = finite + state.bias_flat[head]
    for index in range(head * sizes.filters, (head + 1) * sizes.filters):
        logit += state.share[index]
    return np.float64(logit)


@compiled
@named_by_sources
def train(stored: Any, task: Any, state: Any, sizes: Any, losses: Any) -> None:
    """The iterations of `numpy_engine.advance` for a group of heads, in place. losses: (T, heads), to be written."""
    iterations, size = task.batches.shape
    logits, d_logits = state.logits, state.d_logits
    # Not the literal 0, for which Numba would compile every function that takes it a second time.
    image, next_image = 0 * sizes.heads, 0 * sizes.heads + 1
    finite = read(task.batches[0, 0], image, stored, state, sizes)
    for t in range(iterations):
        begin_batch(state, sizes)
        for place in range(size):
            forward(image, state, sizes)
            for head in range(sizes.heads):
                logits[head, place] = logit_of(head, finite, state, sizes)
            # The next image is read here because nothing has to wait for it: neither for the logits that are still being
            # computed, nor, when its own turn comes, for what was just written.
            following = t * size + place + 1
            if following < task.batches.size:
                number = task.batches[following // size, following % size]
                finite = read(number, next_image, stored, state, sizes)
            if task.notebook:
                blank(task.batches[t, place], image, stored, state, sizes)
            for head in range(sizes.heads):
                target = task.targets[task.batches[t, place], head]
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
            target = task.targets[task.batches[t, place], head]
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
        image = number % 2
        finite = read(number, image, stored, state, sizes)
        forward(image, state, sizes)
        for head in range(sizes.heads):
            logits[number, head] = logit_of(head, finite, state, sizes)
