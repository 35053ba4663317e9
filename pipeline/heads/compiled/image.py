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

from .pixels import load_columns, load_pixels
from .scalars import inlined
from .vectors import broadcast, fma, lane_sum, lanes_below, lanes_in, load, select, store, zeros


@inlined
def read(number: int, image: int, stored: Any, state: Any, sizes: Any) -> Any:
    """Write image `number` to state.padded, whose border is 0, and its windows to half `image` of state.windows. Returns 0, or
    NaN if a pixel is not finite.

    Rows are written top down, each in whole vectors: the zeros after a row's end fall on the border and on the start of the
    next row, which is written later."""
    padded, half, lanes = state.padded, sizes.kernel // 2, lanes_in(state.padded)
    rows, columns = min(sizes.height, 2 * sizes.rows + half), min(sizes.width, 2 * sizes.columns + half)
    first = number * sizes.height * sizes.width
    copied = stored.images.size - (stored.last.size - lanes)
    at_end = first >= copied
    first = first - copied if at_end else first
    start = half * (sizes.pitch + 1)
    factor, nothing = broadcast(stored.factor), zeros(padded)
    finite = nothing
    for row in range(rows):
        for column in range(0, columns, lanes):
            pixels = load_pixels(stored.images, stored.last, at_end, first + row * sizes.width + column, factor)
            pixels = select(lanes_below(padded, columns - column), pixels, nothing)
            finite = fma(nothing, pixels, finite)
            store(padded, start + row * sizes.pitch + column, pixels)
    write_windows(image * sizes.image, state, sizes)
    return lane_sum(finite)


@inlined
def blank(number: int, image: int, stored: Any, state: Any, sizes: Any) -> None:
    """The same with the image's first row and column 0, for the notebook's kernel gradient."""
    read(number, image, stored, state, sizes)
    start = sizes.kernel // 2 * (sizes.pitch + 1)
    for at in range(start, start + sizes.width):
        state.padded[at] = 0
    for row in range(sizes.height):
        state.padded[start + row * sizes.pitch] = 0
    write_windows(image * sizes.image, state, sizes)


@inlined
def write_windows(image: int, state: Any, sizes: Any) -> None:
    """Write the windows of the padded image, from number `image` of state.windows on."""
    lanes, many = lanes_in(state.padded), sizes.side + 1
    if sizes.packed:
        write_planes(state, sizes)
        for a in range(sizes.kernel + 1):
            for b in range(sizes.kernel + 1):
                at = (a % 2 * many + b) * sizes.plane + a // 2 * sizes.stride
                to = image + state.starts[a] + b * lanes
                for vector in range(sizes.vectors):
                    store(state.windows, to + vector * many * lanes, load(state.planes, at + vector * lanes))
        return
    for y in range(2 * sizes.rows + sizes.kernel - 1):
        to = image + state.starts[y % 2] + y // 2 * sizes.stride * many
        for column in range(0, sizes.columns, lanes):
            for b in range(0, sizes.kernel + 1, 2):
                even, odd = load_columns(state.padded, y * sizes.pitch + b + 2 * column)
                store(state.windows, to + b * lanes, even)
                store(state.windows, to + (b + 1) * lanes, odd)
            to += many * lanes


@inlined
def write_planes(state: Any, sizes: Any) -> None:
    """Write pixels (2i + a, 2j + b) for a = 0, 1 and all b, each such plane packed row behind row, to state.planes. Again what
    is written beyond a row's end is written over by the next row."""
    lanes, many = lanes_in(state.padded), sizes.side + 1
    for y in range(2 * sizes.rows + sizes.kernel - 1):
        to = y % 2 * many * sizes.plane + y // 2 * sizes.stride
        for b in range(0, sizes.kernel + 1, 2):
            for column in range(0, sizes.columns, lanes):
                even, odd = load_columns(state.padded, y * sizes.pitch + b + 2 * column)
                store(state.planes, to + b * sizes.plane + column, even)
                store(state.planes, to + (b + 1) * sizes.plane + column, odd)
