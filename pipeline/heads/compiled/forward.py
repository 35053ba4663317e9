"""From an image to each filter's pooled values and its share in the logit."""

from typing import Any

from .compiling import inlined
from .maps import add_tap, begin_row, begin_sums, join, pool
from .registers import FEWEST_FILTERS, MOST_FILTERS, PARTS
from .vectors import fma, keep_loops, lane_sum, lanes_in, load, zeros


@inlined
def forward(image: int, state: Any, sizes: Any) -> None:
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
                pool_single(index, image, state, sizes)
        else:
            for vector in range(sizes.vectors):
                pool_block(first, count, image, vector, state, sizes)
        for index in range(first, first + count):
            state.share[index] = share_of(index, state, sizes)
        first += count


@inlined
def pool_block(first: int, count: int, image: int, vector: int, state: Any, sizes: Any) -> None:
    """A vector of pooled values of each of `count` filters. The compiler makes code for each count."""
    lanes = lanes_in(state.windows)
    start = image * sizes.image + vector * (sizes.side + 1) * lanes
    outside = load(state.outside, vector * lanes)
    to = first * sizes.vectors + vector
    terms = state.first_term
    if MOST_FILTERS == 2:
        twos = feature_maps(begin_sums(terms, first, 2, PARTS), first, start, state, sizes)
        pool(twos, outside, state.pooled, state.maxima, to, sizes.vectors)
    elif count == 3:
        threes = feature_maps(begin_sums(terms, first, 3, PARTS), first, start, state, sizes)
        pool(threes, outside, state.pooled, state.maxima, to, sizes.vectors)
    elif count == 4:
        fours = feature_maps(begin_sums(terms, first, 4, PARTS), first, start, state, sizes)
        pool(fours, outside, state.pooled, state.maxima, to, sizes.vectors)
    else:
        fives = feature_maps(begin_sums(terms, first, 5, PARTS), first, start, state, sizes)
        pool(fives, outside, state.pooled, state.maxima, to, sizes.vectors)


@inlined
def part_of_maps(sums: Any, first: int, start: int, state: Any, sizes: Any) -> Any:
    """The feature maps at the four places of each window, from the filters' first terms, for the lanes from `start` on."""
    lanes, size, taps = lanes_in(state.windows), sizes.kernel, sizes.kernel * sizes.kernel
    tap = first * taps
    for u in range(size):
        upper, lower = start + state.starts[u], start + state.starts[u + 1]
        sums = begin_row(sums, state.windows, upper, lower)
        for _ in range(size):
            upper += lanes
            lower += lanes
            sums = add_tap(sums, state.windows, upper, lower, state.kernel, tap, taps)
            tap += 1
    return sums


@inlined
def in_halves(sums: Any, first: int, start: int, state: Any, sizes: Any) -> Any:
    """The same for a whole vector, one half after the other."""
    half = lanes_in(state.windows) // 2
    low = part_of_maps(sums, first, start, state, sizes)
    return join(low, part_of_maps(sums, first, start + half, state, sizes))


@inlined
def in_quarters(sums: Any, first: int, start: int, state: Any, sizes: Any) -> Any:
    """The same for a whole vector, one quarter after the other."""
    quarter = lanes_in(state.windows) // 4
    one = part_of_maps(sums, first, start, state, sizes)
    two = join(one, part_of_maps(sums, first, start + quarter, state, sizes))
    three = part_of_maps(sums, first, start + 2 * quarter, state, sizes)
    return join(two, join(three, part_of_maps(sums, first, start + 3 * quarter, state, sizes)))


feature_maps = {1: part_of_maps, 2: in_halves, 4: in_quarters}[PARTS]


@inlined
def pool_in_pairs(index: int, image: int, state: Any, sizes: Any) -> None:
    """A single filter's pooled values, two vectors at a time, as four sums alone would wait for themselves. Of an odd number
    the last is computed twice."""
    lanes, size, taps = lanes_in(state.windows), sizes.kernel, sizes.kernel * sizes.kernel
    step = (sizes.side + 1) * lanes
    for vector in range(0, sizes.vectors, 2):
        other = min(vector + 1, sizes.vectors - 1)
        start, further = image * sizes.image + vector * step, (other - vector) * step
        one, two = begin_sums(state.first_term, index, 1, 1), begin_sums(state.first_term, index, 1, 1)
        tap = index * taps
        for u in range(size):
            upper, lower = start + state.starts[u], start + state.starts[u + 1]
            one = begin_row(one, state.windows, upper, lower)
            two = begin_row(two, state.windows, upper + further, lower + further)
            for _ in range(size):
                upper += lanes
                lower += lanes
                one = add_tap(one, state.windows, upper, lower, state.kernel, tap, taps)
                two = add_tap(two, state.windows, upper + further, lower + further, state.kernel, tap, taps)
                tap += 1
        for sums, place in ((one, vector), (two, other)):
            outside = load(state.outside, place * lanes)
            pool(sums, outside, state.pooled, state.maxima, index * sizes.vectors + place, sizes.vectors)


@inlined
def pool_whole(index: int, image: int, state: Any, sizes: Any) -> None:
    """The same in whole vectors, which are several registers."""
    lanes = lanes_in(state.windows)
    for vector in range(sizes.vectors):
        start = image * sizes.image + vector * (sizes.side + 1) * lanes
        sums = part_of_maps(begin_sums(state.first_term, index, 1, 1), index, start, state, sizes)
        outside = load(state.outside, vector * lanes)
        pool(sums, outside, state.pooled, state.maxima, index * sizes.vectors + vector, sizes.vectors)


pool_single = pool_in_pairs if PARTS == 1 else pool_whole


@inlined
def share_of(index: int, state: Any, sizes: Any) -> Any:
    """The sum of a filter's pooled values, each times its weight."""
    lanes = lanes_in(state.pooled)
    total = zeros(state.pooled)
    for vector in range(index * sizes.vectors, (index + 1) * sizes.vectors):
        total = fma(load(state.pooled, vector * lanes), load(state.weights, vector * lanes), total)
    return lane_sum(total)
