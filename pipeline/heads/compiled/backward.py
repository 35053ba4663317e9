"""From the derivative of a logit to the gradients of one filter."""

from typing import Any

from .compiling import inlined
from .registers import PARTS, REGISTERS
from .tiles import add_tile, load_part, no_tile, part_of_bits, route, starts_of, zero_part
from .vectors import broadcast, fma, greater, lanes_in, load, select, store, zeros


@inlined
def tile(sums: Any, index: int, image: int, corner: Any, d_logit: Any, state: Any, sizes: Any) -> None:
    """Add the gradient of as many taps as `sums`, which are 0, is for. corner: kernel row and column of the first.

    It is summed without the factor d_logit, which comes last: so the processor begins before it is known."""
    row, column = corner
    lanes = lanes_in(state.pooled)
    for part in range(0, lanes, lanes // PARTS):
        rows = starts_of(sums, state.starts, row, image * sizes.image + column * lanes + part)
        total = sums
        for vector in range(index * sizes.vectors, (index + 1) * sizes.vectors):
            at = vector * lanes + part
            active = greater(load_part(state.pooled, at), zero_part(state.pooled))
            weight = select(active, load_part(state.weights, at), zero_part(state.pooled))
            lower = part_of_bits(state.maxima, 2 * vector, part, weight)
            right = part_of_bits(state.maxima, 2 * vector + 1, part, weight)
            place = (vector - index * sizes.vectors) * (sizes.side + 1) * lanes
            total = route(total, state.windows, rows, place, weight, lower, right)
        first = ((index * sizes.side + row) * sizes.side + column) * lanes + part
        add_tile(state.d_kernel, first, sizes.side * lanes, d_logit, total)


@inlined
def wide_tiles(index: int, image: int, d_logit: Any, state: Any, sizes: Any) -> None:
    """Add the image's gradient of filter `index`'s kernel, with 32 registers: neighbouring columns share pixels."""
    size, windows = sizes.kernel, state.windows
    if size == 1:
        tile(no_tile(windows, 1, 1), index, image, (0, 0), d_logit, state, sizes)
    elif size == 5:
        tile(no_tile(windows, 5, 3), index, image, (0, 0), d_logit, state, sizes)
        tile(no_tile(windows, 5, 2), index, image, (0, 3), d_logit, state, sizes)
    elif size == 7:
        tile(no_tile(windows, 4, 4), index, image, (0, 0), d_logit, state, sizes)
        tile(no_tile(windows, 3, 4), index, image, (4, 0), d_logit, state, sizes)
        tile(no_tile(windows, 7, 3), index, image, (0, 4), d_logit, state, sizes)
    else:
        for row in range(0, size, 3):
            for column in range(0, size, 3):
                tile(no_tile(windows, 3, 3), index, image, (row, column), d_logit, state, sizes)


@inlined
def narrow_tiles(index: int, image: int, d_logit: Any, state: Any, sizes: Any) -> None:
    """The same with 16 registers: a column after the other."""
    size, windows = sizes.kernel, state.windows
    for column in range(size):
        if size == 1:
            tile(no_tile(windows, 1, 1), index, image, (0, column), d_logit, state, sizes)
        elif size == 5:
            tile(no_tile(windows, 5, 1), index, image, (0, column), d_logit, state, sizes)
        elif size == 7:
            tile(no_tile(windows, 7, 1), index, image, (0, column), d_logit, state, sizes)
        else:
            for row in range(0, size, 3):
                tile(no_tile(windows, 3, 1), index, image, (row, column), d_logit, state, sizes)


# Tiles whose sums stay in registers. Those of a kernel of more than seven rows may reach beyond it.
kernel_gradient = wide_tiles if REGISTERS == 32 else narrow_tiles


@inlined
def weights_gradient(index: int, d_logit: Any, frozen: bool, state: Any, sizes: Any) -> None:
    """Add the image's gradients of filter `index`'s weights and bias; a frozen bias needs none."""
    lanes, factor, zero = lanes_in(state.pooled), broadcast(d_logit), zeros(state.pooled)
    d_bias = load(state.d_bias, index * lanes)
    for vector in range(index * sizes.vectors, (index + 1) * sizes.vectors):
        at = vector * lanes
        pooled = load(state.pooled, at)
        if not frozen:
            d_bias = fma(factor, select(greater(pooled, zero), load(state.weights, at), zero), d_bias)
        store(state.d_weights, at, fma(factor, pooled, load(state.d_weights, at)))
    store(state.d_bias, index * lanes, d_bias)
