"""Two neighbours of a feature map at once, with fewer products than taps.

A row of three taps g gives two neighbours y from four windows' pixels d by four products instead of six, which is Winograd's
F(2, 3) (S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms for Convolutional
Neural Networks, 2016). Named after the points at which it evaluates polynomials:

    one = (d1 + d2) (g0 + g1 + g2) / 2      zero = (d0 - d2) g0         y0 = one + minus + zero
    minus = (d2 - d1) (g0 - g1 + g2) / 2    infinity = (d3 - d1) g2     y1 = one - minus + infinity

A kernel's row is cut into threes. A rest of two taps takes three products, one = d1 (g0 + g1), zero = (d0 - d1) g0 and
infinity = (d2 - d1) g1; a rest of one two, zero = d0 g0 and infinity = d1 g0. The products for one and for minus are summed
over all pieces and rows of the kernel; then y0 and y1 begin as their sum and their difference, to which all others are added.
Where the pixels of y0 and y1 are equal, so are they, to the last bit: of equal values the first stays the maximum.

What the products take of the pixels is computed once an image, what they take of the taps once a batch.
"""

from typing import Any

import numpy as np

from .compiling import inlined
from .vectors import lanes_in, load, store


@inlined
def combine_windows(first: int, state: Any, sizes: Any) -> None:
    """Write what the products take of an image's windows, which begin at state.windows[first], to state.combined: for each
    vector of pooled values and each row of windows `terms` vectors, first those of each piece for one and minus side by side,
    then of each for zero and infinity."""
    lanes = lanes_in(state.windows)
    pieces, rest = sizes.kernel // 3, sizes.kernel % 3
    one = 0 * first
    for at in range(first, first + sizes.image, (sizes.side + 1) * lanes):
        zero, piece = one + (sizes.minuses + sizes.ones) * lanes, at
        for _ in range(pieces):
            d0, d1 = load(state.windows, piece), load(state.windows, piece + lanes)
            d2, d3 = load(state.windows, piece + 2 * lanes), load(state.windows, piece + 3 * lanes)
            store(state.combined, one, d1 + d2)
            store(state.combined, one + lanes, d2 - d1)
            store(state.combined, zero, d0 - d2)
            store(state.combined, zero + lanes, d3 - d1)
            one += 2 * lanes
            zero += 2 * lanes
            piece += 3 * lanes
        if rest:
            d0, d1 = load(state.windows, piece), load(state.windows, piece + lanes)
            if rest == 1:
                store(state.combined, zero, d0)
                store(state.combined, zero + lanes, d1)
            else:
                store(state.combined, one, d1)
                store(state.combined, zero, d0 - d1)
                store(state.combined, zero + lanes, load(state.windows, piece + 2 * lanes) - d1)
            zero += 2 * lanes
        one = zero


@inlined
def combine_taps(index: int, state: Any, sizes: Any) -> None:
    """Write what the products take of filter `index`'s taps to state.factors, in the same order, of each piece one row of the
    kernel after the other. Rounded once, from float64."""
    size = sizes.kernel
    first = index * size * sizes.terms
    ends = first + (sizes.minuses + sizes.ones) * size
    for u in range(size):
        one, zero, tap = first + 2 * u, ends + 2 * u, (index * size + u) * size
        last = tap + size - 1
        for piece in range(sizes.ends):
            g0, g1 = np.float64(state.kernel[tap]), np.float64(state.kernel[min(tap + 1, last)])
            # The piece's last: g2, but of a rest g1 or g0.
            end = np.float64(state.kernel[min(tap + 2, last)])
            state.factors[zero] = g0
            state.factors[zero + 1] = end
            if piece < sizes.minuses:
                state.factors[one] = 0.5 * (g0 + end + g1)
                state.factors[one + 1] = 0.5 * (g0 + end - g1)
            elif piece < sizes.ones:
                state.factors[one - u] = g0 + g1
            one += 2 * size
            zero += 2 * size
            tap += 3
