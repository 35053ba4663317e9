"""From the derivative of a logit to the gradients of one filter."""

from typing import Any

from .scalars import inlined
from .tiles import add_tile, no_tile, route, starts_of
from .vectors import bits_at, broadcast, fma, greater, lanes_in, load, select, store, zeros


@inlined
def backward(index: int, image: int, d_logit: Any, frozen: bool, state: Any, sizes: Any) -> None:
    """Add the image's gradient of filter `index`; that of a frozen kernel is not needed.

    The kernel's is summed without the factor d_logit, which comes last: so the processor begins before it is known."""
    lanes = lanes_in(state.pooled)
    factor, zero = broadcast(d_logit), zeros(state.pooled)
    if not frozen:
        kernel_gradient(index, image, factor, state, sizes)
    d_bias = load(state.d_bias, index * lanes)
    for vector in range(index * sizes.vectors, (index + 1) * sizes.vectors):
        at = vector * lanes
        pooled = load(state.pooled, at)
        d_bias = fma(factor, select(greater(pooled, zero), load(state.weights, at), zero), d_bias)
        store(state.d_weights, at, fma(factor, pooled, load(state.d_weights, at)))
    store(state.d_bias, index * lanes, d_bias)


@inlined
def kernel_gradient(index: int, image: int, factor: Any, state: Any, sizes: Any) -> None:
    """The kernel's, in tiles whose sums stay in registers. Those of a kernel of more than seven rows may reach beyond it."""
    size, windows = sizes.kernel, state.windows
    if size == 1:
        tile(no_tile(windows, 1, 1), index, image, (0, 0), factor, state, sizes)
    elif size == 5:
        tile(no_tile(windows, 5, 3), index, image, (0, 0), factor, state, sizes)
        tile(no_tile(windows, 5, 2), index, image, (0, 3), factor, state, sizes)
    elif size == 7:
        tile(no_tile(windows, 7, 3), index, image, (0, 0), factor, state, sizes)
        tile(no_tile(windows, 7, 2), index, image, (0, 3), factor, state, sizes)
        tile(no_tile(windows, 7, 2), index, image, (0, 5), factor, state, sizes)
    else:
        for row in range(0, size, 3):
            for column in range(0, size, 3):
                tile(no_tile(windows, 3, 3), index, image, (row, column), factor, state, sizes)


@inlined
def tile(sums: Any, index: int, image: int, corner: Any, factor: Any, state: Any, sizes: Any) -> None:
    """Add the gradient of as many taps as `sums` is for. corner: kernel row and column of the first."""
    row, column = corner
    lanes, zero = lanes_in(state.pooled), zeros(state.pooled)
    rows = starts_of(sums, state.starts, row, image * sizes.image + column * lanes)
    step = (sizes.side + 1) * lanes
    place = 0 * step
    for vector in range(index * sizes.vectors, (index + 1) * sizes.vectors):
        active = greater(load(state.pooled, vector * lanes), zero)
        weight = select(active, load(state.weights, vector * lanes), zero)
        lower, right = bits_at(state.maxima, 2 * vector, weight), bits_at(state.maxima, 2 * vector + 1, weight)
        sums = route(sums, state.windows, rows, place, weight, lower, right)
        place += step
    add_tile(state.d_kernel, ((index * sizes.side + row) * sizes.side + column) * lanes, sizes.side * lanes, factor, sums)
