"""From an image to each filter's pooled values and its share in the logit."""

from typing import Any

from .compiling import inlined
from .maps import add_taps, begin_sums, join, load_row, meet, pool
from .registers import FEWEST_FILTERS, MOST_FILTERS, PARTS
from .vectors import fma, keep_loops, lane_sum, lanes_in, load, zeros


@inlined
def forward(state: Any, sizes: Any) -> None:
    """Write every filter's pooled values, the places of the maxima and its share in the logit: filters of all heads side by
    side, in blocks of equal size, or nearly so. A filter's sums have one order, whatever stands beside it."""
    keep_loops()
    filters = sizes.heads * sizes.filters
    blocks = (filters + MOST_FILTERS - 1) // MOST_FILTERS
    first = 0 * filters
    for block in range(blocks):
        count = (filters - first + blocks - block - 1) // (blocks - block)
        if count < FEWEST_FILTERS:
            for index in range(first, first + count):
                pool_single(index, state, sizes)
        else:
            for vector in range(sizes.vectors):
                pool_block(first, count, vector, state, sizes)
        for index in range(first, first + count):
            state.share[index] = share_of(index, state, sizes)
        first += count


@inlined
def pool_block(first: int, count: int, vector: int, state: Any, sizes: Any) -> None:
    """A vector of pooled values of each of `count` filters. The compiler makes code for each count."""
    terms = state.first_term
    if MOST_FILTERS == 2:
        [twos] = feature_maps(begin_sums(terms, first, 2, 1, PARTS), first, vector, 0, state, sizes)
        pool_at(twos, first, vector, state, sizes)
    elif count == 3:
        [threes] = feature_maps(begin_sums(terms, first, 3, 1, PARTS), first, vector, 0, state, sizes)
        pool_at(threes, first, vector, state, sizes)
    elif count == 4:
        [fours] = feature_maps(begin_sums(terms, first, 4, 1, PARTS), first, vector, 0, state, sizes)
        pool_at(fours, first, vector, state, sizes)
    else:
        [fives] = feature_maps(begin_sums(terms, first, 5, 1, PARTS), first, vector, 0, state, sizes)
        pool_at(fives, first, vector, state, sizes)


@inlined
def pool_in_pairs(index: int, state: Any, sizes: Any) -> None:
    """A single filter's pooled values, two vectors at a time, as four sums alone would wait for themselves. Of an odd number
    the last is computed twice."""
    for vector in range(0, sizes.vectors, 2):
        other = min(vector + 1, sizes.vectors - 1)
        sums = begin_sums(state.first_term, index, 1, 2, PARTS)
        both = feature_maps(sums, index, vector, other - vector, state, sizes)
        pool_at(both[0], index, vector, state, sizes)
        pool_at(both[1], index, other, state, sizes)


@inlined
def pool_at(sums: Any, first: int, vector: int, state: Any, sizes: Any) -> None:
    """That vector of pooled values of one or several filters, from their feature maps."""
    outside = load(state.outside, vector * lanes_in(state.outside))
    pool(sums, outside, state.pooled, state.maxima, first * sizes.vectors + vector, sizes.vectors)


@inlined
def pool_whole(index: int, state: Any, sizes: Any) -> None:
    """The same a vector at a time, each of which is several registers."""
    for vector in range(sizes.vectors):
        [sums] = feature_maps(begin_sums(state.first_term, index, 1, 1, PARTS), index, vector, 0, state, sizes)
        pool_at(sums, index, vector, state, sizes)


pool_single = pool_in_pairs if PARTS == 1 else pool_whole


@inlined
def feature_maps(sums: Any, first: int, vector: int, further: int, state: Any, sizes: Any) -> Any:
    """The feature maps at the four places of each window, from the filters' first terms, for that vector of pooled values and
    the one `further` on."""
    keep_loops()
    step = sizes.terms * lanes_in(state.combined)
    return in_parts(sums, first, vector * step, further * step, state, sizes)


@inlined
def in_one_part(sums: Any, first: int, start: int, further: int, state: Any, sizes: Any) -> Any:
    """The same for the lanes from state.combined[start] on."""
    keep_loops()
    lanes, size = lanes_in(state.combined), sizes.kernel
    tap = first * size * sizes.terms
    sums = add_pairs(sums, sizes.minuses, start, further, tap, state, sizes)
    start += 2 * sizes.minuses * lanes
    tap += 2 * sizes.minuses * size
    if sizes.ones > sizes.minuses:
        sums = add_single(sums, start, further, tap, state, sizes)
        start += lanes
        tap += size
    return add_pairs(meet(sums), sizes.ends, start, further, tap, state, sizes)


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


in_parts = {1: in_one_part, 2: in_halves, 4: in_quarters}[PARTS]


@inlined
def add_pairs(sums: Any, pairs: int, start: int, further: int, tap: int, state: Any, sizes: Any) -> Any:
    """Add the products of so many pairs of columns, for one and minus or for zero and infinity. A tap's lower row is the upper
    one of the next."""
    lanes = lanes_in(state.combined)
    for _ in range(pairs):
        upper = load_row(sums, state.combined, start + state.combined_starts[0], lanes, further, 2)
        for u in range(sizes.kernel):
            lower = load_row(sums, state.combined, start + state.combined_starts[u + 1], lanes, further, 2)
            sums = add_taps(sums, upper, lower, state.factors, tap, sizes.kernel * sizes.terms)
            upper = lower
            tap += 2
        start += 2 * lanes
    return sums


@inlined
def add_single(sums: Any, start: int, further: int, tap: int, state: Any, sizes: Any) -> Any:
    """Add the products of a column for one that has none for minus beside it."""
    upper = load_row(sums, state.combined, start + state.combined_starts[0], 0, further, 1)
    for u in range(sizes.kernel):
        lower = load_row(sums, state.combined, start + state.combined_starts[u + 1], 0, further, 1)
        sums = add_taps(sums, upper, lower, state.factors, tap, sizes.kernel * sizes.terms)
        upper = lower
        tap += 1
    return sums


@inlined
def share_of(index: int, state: Any, sizes: Any) -> Any:
    """The sum of a filter's pooled values, each times its weight."""
    lanes = lanes_in(state.pooled)
    total = zeros(state.pooled)
    for vector in range(index * sizes.vectors, (index + 1) * sizes.vectors):
        total = fma(load(state.pooled, vector * lanes), load(state.weights, vector * lanes), total)
    return lane_sum(total)
