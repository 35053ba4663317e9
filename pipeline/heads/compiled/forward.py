"""From an image to each filter's pooled values and its share in the logit."""

from typing import Any

from .compiling import inlined
from .maps import add_taps, begin_sums, join, load_row, meet, pool
from .registers import AT_ONCE, ENOUGH, PARTS
from .vectors import fma, keep_loops, lane_sum, lanes_in, load, zeros


@inlined
def forward(state: Any, sizes: Any) -> None:
    """Write every filter's pooled values, the places of the maxima and its share in the logit: filters of all heads side by
    side, AT_ONCE at a time. If the last are ENOUGH, some before them are computed again with them, else they are taken one by
    one. A filter's sums have one order, whatever stands beside it."""
    keep_loops()
    filters = sizes.heads * sizes.filters
    for first in range(0, filters, AT_ONCE):
        end = min(first + AT_ONCE, filters)
        if filters >= AT_ONCE and end - first >= ENOUGH:
            for vector in range(sizes.vectors):
                pool_at_once(end - AT_ONCE, vector, state, sizes)
        else:
            for index in range(first, end):
                pool_single(index, state, sizes)
        for index in range(first, end):
            state.share[index] = share_of(index, state, sizes)


@inlined
def pool_at_once(first: int, vector: int, state: Any, sizes: Any) -> None:
    """A vector of pooled values of each of AT_ONCE filters."""
    start, outside = vector * sizes.terms * lanes_in(state.combined), load(state.outside, vector * lanes_in(state.outside))
    [sums] = feature_maps(begin_sums(state.first_term, first, AT_ONCE, 1, PARTS), first, start, 0, state, sizes)
    pool(sums, outside, state.pooled, state.maxima, first * sizes.vectors + vector, sizes.vectors)


@inlined
def pool_in_pairs(index: int, state: Any, sizes: Any) -> None:
    """A single filter's pooled values, two vectors at a time, as four sums alone would wait for themselves. Of an odd number
    the last is computed twice."""
    step = sizes.terms * lanes_in(state.combined)
    for vector in range(0, sizes.vectors, 2):
        other = min(vector + 1, sizes.vectors - 1)
        sums = begin_sums(state.first_term, index, 1, 2, PARTS)
        both = feature_maps(sums, index, vector * step, (other - vector) * step, state, sizes)
        for pooled, place in ((both[0], vector), (both[1], other)):
            outside = load(state.outside, place * lanes_in(state.outside))
            pool(pooled, outside, state.pooled, state.maxima, index * sizes.vectors + place, sizes.vectors)


@inlined
def pool_whole(index: int, state: Any, sizes: Any) -> None:
    """The same a vector at a time, each of which is several registers."""
    step = sizes.terms * lanes_in(state.combined)
    for vector in range(sizes.vectors):
        [sums] = feature_maps(begin_sums(state.first_term, index, 1, 1, PARTS), index, vector * step, 0, state, sizes)
        outside = load(state.outside, vector * lanes_in(state.outside))
        pool(sums, outside, state.pooled, state.maxima, index * sizes.vectors + vector, sizes.vectors)


pool_single = pool_in_pairs if PARTS == 1 else pool_whole


@inlined
def in_one_part(sums: Any, first: int, start: int, further: int, state: Any, sizes: Any) -> Any:
    """The feature maps at the four places of each window, from the filters' first terms, for the lanes from
    state.combined[start] on, and for those `further` on. A tap's lower row is the upper one of the next."""
    keep_loops()
    lanes, size, taps = lanes_in(state.combined), sizes.kernel, sizes.kernel * sizes.terms
    tap = first * taps
    sums, start, tap = add_pairs(sums, sizes.minuses, start, further, tap, state, sizes)
    if sizes.ones > sizes.minuses:
        # A piece of two taps has no product for minus beside the one for one.
        upper = load_row(sums, state.combined, start + state.combined_starts[0], 0, further, 1)
        for u in range(size):
            lower = load_row(sums, state.combined, start + state.combined_starts[u + 1], 0, further, 1)
            sums = add_taps(sums, upper, lower, state.factors, tap + u, taps)
            upper = lower
        start += lanes
        tap += size
    sums, start, tap = add_pairs(meet(sums), sizes.ends, start, further, tap, state, sizes)
    return sums


@inlined
def in_halves(sums: Any, first: int, start: int, further: int, state: Any, sizes: Any) -> Any:
    """The same, one half of each vector after the other."""
    keep_loops()
    half = lanes_in(state.combined) // 2
    low = in_one_part(sums, first, start, further, state, sizes)
    return join(low, in_one_part(sums, first, start + half, further, state, sizes))


@inlined
def in_quarters(sums: Any, first: int, start: int, further: int, state: Any, sizes: Any) -> Any:
    """The same, one quarter of each vector after the other."""
    keep_loops()
    quarter = lanes_in(state.combined) // 4
    one = in_one_part(sums, first, start, further, state, sizes)
    two = join(one, in_one_part(sums, first, start + quarter, further, state, sizes))
    three = in_one_part(sums, first, start + 2 * quarter, further, state, sizes)
    return join(two, join(three, in_one_part(sums, first, start + 3 * quarter, further, state, sizes)))


feature_maps = {1: in_one_part, 2: in_halves, 4: in_quarters}[PARTS]


@inlined
def add_pairs(sums: Any, pairs: int, start: int, further: int, tap: int, state: Any, sizes: Any) -> Any:
    """Add the products of so many pairs of columns, for one and minus or for zero and infinity. Returns the sums, and where the
    next columns and their factors begin."""
    lanes = lanes_in(state.combined)
    for _ in range(pairs):
        upper = load_row(sums, state.combined, start + state.combined_starts[0], lanes, further, 2)
        for u in range(sizes.kernel):
            lower = load_row(sums, state.combined, start + state.combined_starts[u + 1], lanes, further, 2)
            sums = add_taps(sums, upper, lower, state.factors, tap, sizes.kernel * sizes.terms)
            upper = lower
            tap += 2
        start += 2 * lanes
    return sums, start, tap


@inlined
def share_of(index: int, state: Any, sizes: Any) -> Any:
    """The sum of a filter's pooled values, each times its weight."""
    lanes = lanes_in(state.pooled)
    total = zeros(state.pooled)
    for vector in range(index * sizes.vectors, (index + 1) * sizes.vectors):
        total = fma(load(state.pooled, vector * lanes), load(state.weights, vector * lanes), total)
    return lane_sum(total)
