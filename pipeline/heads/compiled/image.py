"""From a stored image to the pixels that the heads' windows meet.

Pooled value (i, j) comes from the four feature map values at rows 2i + p and columns 2j + q, p and q being 0 or 1, and those
read padded pixels (2i + p + u, 2j + q + v). With a = p + u and b = q + v that is pixel (2i + a, 2j + b): from the (k + 1)^2
vectors of them, over neighbouring pooled values, follows everything, the feature map as well as the kernel's gradient.

`state.windows` holds these vectors so that a load crosses no cache line. The pixels of row a begin at `starts[a]`: for one
vector of pooled values after the other the k + 1 vectors for b = 0, 1, ..., k. Pooled rows are whole vectors, so rows a and
a + 2 are the same numbers, a pooled row apart. Where that would leave many lanes empty, pooled rows are packed one behind the
other, and every row a has vectors of its own.
"""

from typing import Any

from .compiling import inlined
from .pixels import clear, copy, load_columns, load_pixels, numbers_in_line, numbers_in_piece, prefetch
from .vectors import broadcast, fma, lane_sum, lanes_in, load, store, zeros
from .winograd import combine_windows


@inlined
def read(number: int, slot: int, notebook: bool, stored: Any, state: Any, sizes: Any) -> Any:
    """Write image `number` to state.padded, whose border is 0, its windows to that slot of state.windows, and what is combined
    of them to state.combined. The notebook's kernel gradient does not see an image's first row and column: for it the windows
    are then written again, with 0 for these. Returns 0, or NaN if a pixel is not finite.

    Rows are copied top down, each in whole pieces: what is written after a row's end is cleared, and both fall on the border
    and on the next rows, which are copied later."""
    padded, half, piece = state.padded, sizes.kernel // 2, numbers_in_piece(state.padded)
    rows, columns = min(sizes.height, 2 * sizes.rows + half), min(sizes.width, 2 * sizes.columns + half)
    first = number * sizes.height * sizes.width
    copied = stored.images.size - (stored.last.size - piece)
    at_end = first >= copied
    first = first - copied if at_end else first
    start, factor = half * (sizes.pitch + 1), broadcast(stored.factor)
    for row in range(rows):
        at, to = first + row * sizes.width, start + row * sizes.pitch
        for column in range(0, columns, piece):
            copy(padded, to + column, stored.images, stored.last, at_end, at + column)
        clear(padded, to + columns)
    finite = zeros(state.windows)
    if not stored.finite:
        for at in range(start, start + rows * sizes.pitch, lanes_in(state.windows)):
            finite = fma(zeros(state.windows), load_pixels(padded, at, factor), finite)
    for blank in range(2 if notebook else 1):
        if blank:
            for at in range(start, start + sizes.width):
                padded[at] = 0
            for row in range(sizes.height):
                padded[start + row * sizes.pitch] = 0
        write_windows(slot * sizes.image, factor, state, sizes)
        if not blank:
            combine_windows(slot * sizes.image, state, sizes)
    return lane_sum(finite)


@inlined
def write_windows(image: int, factor: Any, state: Any, sizes: Any) -> None:
    """Write the windows of the padded image, from number `image` of state.windows on."""
    lanes, many = lanes_in(state.windows), sizes.side + 1
    if sizes.packed:
        write_planes(factor, state, sizes)
        for a in range(sizes.kernel + 1):
            for b in range(sizes.kernel + 1):
                at = (a % 2 * many + b) * sizes.plane + a // 2 * sizes.stride
                to = image + state.starts[a] + b * lanes
                for vector in range(sizes.vectors):
                    store(state.windows, to + vector * many * lanes, load(state.planes, at + vector * lanes))
        return
    pairs, parts = sizes.kernel // 2 + 1, sizes.stride // lanes
    at, upper, lower = 0 * pairs, image + state.starts[0], image + state.starts[1]
    # Two rows at a time, of either parity.
    for _ in range(sizes.rows + sizes.kernel // 2):
        for part in range(parts):
            for pair in range(pairs):
                place, b = at + 2 * (part * lanes + pair), 2 * pair * lanes
                even, odd = load_columns(state.padded, place, factor)
                store(state.windows, upper + b, even)
                store(state.windows, upper + b + lanes, odd)
                even, odd = load_columns(state.padded, place + sizes.pitch, factor)
                store(state.windows, lower + b, even)
                store(state.windows, lower + b + lanes, odd)
            upper += many * lanes
            lower += many * lanes
        at += 2 * sizes.pitch


@inlined
def write_planes(factor: Any, state: Any, sizes: Any) -> None:
    """Write pixels (2i + a, 2j + b) for a = 0, 1 and all b, each such plane packed row behind row, to state.planes. Again what
    is written beyond a row's end is written over by the next row."""
    lanes, many = lanes_in(state.windows), sizes.side + 1
    pairs, parts = sizes.kernel // 2 + 1, (sizes.columns + lanes - 1) // lanes
    at, upper, lower = 0 * pairs, 0 * pairs, many * sizes.plane
    for _ in range(sizes.rows + sizes.kernel // 2):
        for pair in range(pairs):
            for part in range(parts):
                place, to = at + 2 * (part * lanes + pair), 2 * pair * sizes.plane + part * lanes
                even, odd = load_columns(state.padded, place, factor)
                store(state.planes, upper + to, even)
                store(state.planes, upper + to + sizes.plane, odd)
                even, odd = load_columns(state.padded, place + sizes.pitch, factor)
                store(state.planes, lower + to, even)
                store(state.planes, lower + to + sizes.plane, odd)
        at += 2 * sizes.pitch
        upper += sizes.stride
        lower += sizes.stride


@inlined
def fetch(number: int, stored: Any, sizes: Any) -> None:
    """Ask for image `number`, which is read soon: of many images most are far away, in the machine's memory."""
    pixels = sizes.height * sizes.width
    for at in range(number * pixels, (number + 1) * pixels, numbers_in_line(stored.images)):
        prefetch(stored.images, at)
