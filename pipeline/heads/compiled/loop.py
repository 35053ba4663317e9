"""The compiled training loop: what the NumPy engine does, image by image, in vectors of fixed width.

A group of heads shares each image's windows (see image.py). `forward` keeps every filter's pooled values and the places of the
maxima; then the logits and their derivatives are known, and the gradients go over each filter's pooled values again. Sums over
images run in lanes, which are added up once a batch.

Everything is called from one place only, and so compiled once.
"""

from typing import Any

import numpy as np

from .backward import kernel_gradient, weights_gradient
from .compiling import compiled, inlined
from .forward import forward
from .image import fetch, read
from .losses import loss_derivative, loss_value
from .vectors import broadcast, fma, keep_loops, lane_sum, lanes_in, load, one_at, store, zeros
from .winograd import combine_taps


@compiled
def run(stored: Any, task: Any, state: Any, sizes: Any, losses: Any) -> None:
    """The iterations of `numpy_engine.advance` for a group of heads, in place; or only the logits of the batches' images, where
    the task is not to learn. losses: (T * row,), to be written.

    The next image is read between an image's logits and what follows from them, because nothing has to wait for it: neither for
    the logits that are still being computed, nor, when its own turn comes, for what was just written."""
    keep_loops()
    batch = sizes.batch
    # Not literals, for which Numba would compile every function that takes them a second time. The first round only reads.
    t, place, image = 0 * batch, 0 * batch - 1, 0 * batch
    for following in range(task.batches.size + 1):
        if place >= 0:
            if place == 0:
                begin_batch(state, sizes)
            forward(state, sizes)
            write_logits(place, image, state, sizes)
        if following < task.batches.size:
            state.finite[1 - image] = read(task.batches[following], 1 - image, task.notebook, stored, state, sizes)
        if following + 1 < task.batches.size:
            fetch(task.batches[following + 1], stored, sizes)
        if place >= 0 and task.learn:
            learn_from(place * sizes.row, task.labels[task.batches[t * batch + place]], task, state, sizes)
            for head in range(sizes.heads):
                for index in range(head * sizes.filters, (head + 1) * sizes.filters):
                    if not task.frozen:
                        kernel_gradient(index, image, state.d_logits[head], state, sizes)
                    weights_gradient(index, state.d_logits[head], task.frozen, state, sizes)
            if place == batch - 1:
                write_losses(t, state, sizes, losses)
                update(task.alphas[t], task, state, sizes)
        image, place = 1 - image, place + 1
        if place == batch:
            t, place = t + 1, 0 * batch


@inlined
def write_logits(place: int, image: int, state: Any, sizes: Any) -> None:
    """Write the heads' logits of the image in that slot, the batch's number `place`."""
    for head in range(sizes.heads):
        logit = state.finite[image] + state.bias_flat[head]
        for index in range(head * sizes.filters, (head + 1) * sizes.filters):
            logit += state.share[index]
        state.logits[place * sizes.row + head] = logit


@inlined
def learn_from(logits: int, label: int, task: Any, state: Any, sizes: Any) -> None:
    """Add the heads' losses of an image to state.totals and write the derivatives of the batch's mean losses with respect to
    its logits, which begin at that place of state.logits: its label is the number of the head whose target is 1."""
    for at in range(0, sizes.row, lanes_in(state.logits)):
        logit, target = load(state.logits, logits + at), one_at(state.logits, label - at)
        store(state.totals, at, load(state.totals, at) + loss_value(logit, target, task.squared))
        store(state.slopes, at, loss_derivative(logit, target, task.squared) / np.float64(sizes.batch))
    for head in range(sizes.heads):
        state.d_logits[head] = state.slopes[head]
        state.d_bias_flat[head] += state.d_logits[head]


@inlined
def write_losses(t: int, state: Any, sizes: Any, losses: Any) -> None:
    """Write the heads' mean losses in batch t, and begin anew."""
    for at in range(0, sizes.row, lanes_in(state.logits)):
        store(losses, t * sizes.row + at, load(state.totals, at) / np.float64(sizes.batch))
        store(state.totals, at, zeros(state.logits))


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
    """Set what the filters' feature maps are computed from: the factors of their taps and their first term, which is the bias,
    or NaN if a tap is not finite. Comparisons with NaN are false, so a NaN that only some places of a window have could
    otherwise lose against a number, and the loss look sound."""
    taps = sizes.kernel * sizes.kernel
    for index in range(sizes.heads * sizes.filters):
        combine_taps(index, state, sizes)
        state.first_term[index] = state.bias[index]
        for tap in range(index * taps, (index + 1) * taps):
            if not np.isfinite(state.kernel[tap]):
                state.first_term[index] = np.nan
