"""Kernels as a picture in the terminal: half blocks in colours, or numbers where colours or blocks cannot be shown."""

import os
import sys
from collections.abc import Sequence
from enum import Enum
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from ..base.text import fitted, printable, quoted_if_blank
from ..heads.head import Array
from .figures.colours import coloured, red_blue

# A picture's kernels are at least so many letters wide where there is room.
LEAST_WIDTH = 9
GAP = 2
MOST_HEADS, MOST_FILTERS = 20, 8
ESCAPE, RESET = "\x1b[", "\x1b[0m"
# From blue over white to red in the palette of 256, whose nearest colours to those of the pictures have other hues.
BLUE_TO_RED = (17, 18, 25, 32, 75, 117, 153, 189, 231, 224, 217, 210, 203, 160, 124, 88, 52)


class Colours(Enum):
    """What a terminal can show."""

    NONE = "none"
    FEW = "256"
    ALL = "24-bit"


def colours_of(stream: TextIO) -> Colours:
    """None for a pipe, a terminal that says it is dumb, letters that are not UTF-8, and whoever sets NO_COLOR."""
    dumb = os.environ.get("TERM", "dumb") == "dumb" or bool(os.environ.get("NO_COLOR"))
    if dumb or not stream.isatty() or "utf" not in (stream.encoding or "").lower():
        return Colours.NONE
    return Colours.ALL if os.environ.get("COLORTERM") in ("truecolor", "24bit") else Colours.FEW


def kernel_lines(kernels: Sequence[Array], classes: Sequence[str], colours: Colours, width: int) -> list[str]:
    """Heads side by side, their (F, k, k) kernels one below the other, all on one scale; in at most `width` columns."""
    shown = [kernel[:MOST_FILTERS] for kernel in kernels[:MOST_HEADS]]
    limit = max(float(np.abs(kernel).max()) for kernel in shown) or 1.0
    tiles = [_numbers(kernel, limit) if colours is Colours.NONE else _blocks(kernel, limit, colours) for kernel in shown]
    names = [quoted_if_blank(printable(name)) for name in classes[: len(shown)]]
    across = tiles[0][0]
    columns = max(1, (width + GAP) // (across + GAP))
    lines = [_scale(limit, colours)]
    for first in range(0, len(shown), columns):
        part = range(first, min(first + columns, len(shown)))
        lines.append((" " * GAP).join(fitted(names[i], across) for i in part).rstrip())
        rows = zip(*(tiles[i][1] for i in part), strict=True)
        lines += [(" " * GAP).join(row).rstrip() for row in rows]
    left = [f"{len(kernels) - MOST_HEADS} more heads"] if len(kernels) > MOST_HEADS else []
    left += [f"{len(kernels[0]) - MOST_FILTERS} more kernels a head"] if len(kernels[0]) > MOST_FILTERS else []
    return [*lines, *([f"... and {' and '.join(left)} in checkpoint.npz"] if left else [])]


def _scale(limit: float, colours: Colours) -> str:
    if colours is Colours.NONE:
        return f"+9 is {limit:.4g}, -9 is {-limit:.4g}"
    codes = _codes(np.linspace(-limit, limit, len(BLUE_TO_RED)), limit, colours)
    return f"{-limit:.4g} {''.join(f'{ESCAPE}48;{code}m ' for code in codes)}{RESET} {limit:.4g}"


def _numbers(kernel: Array, limit: float) -> tuple[int, list[str]]:
    """Every tap as a digit with its sign, in ninths of the limit."""
    ninths = np.rint(kernel / limit * 9).astype(int)
    lines: list[str] = []
    for number, one in enumerate(ninths):
        lines += [""] if number else []
        lines += [" ".join(f"{tap:+d}" if tap else " 0" for tap in row) for row in one.tolist()]
    across = 3 * kernel.shape[2] - 1
    return across, [line.ljust(across) for line in lines]


def _blocks(kernel: Array, limit: float, colours: Colours) -> tuple[int, list[str]]:
    """Two pixels in a letter: the upper one its own colour, the lower one the colour behind it."""
    zoom = max(1, -(-LEAST_WIDTH // kernel.shape[2]))
    lines: list[str] = []
    for number, one in enumerate(kernel):
        picture = _codes(one, limit, colours).repeat(zoom, axis=0).repeat(zoom, axis=1)
        lines += [" " * picture.shape[1]] if number else []
        for y in range(0, len(picture), 2):
            below = [f"48;{code}" for code in picture[y + 1]] if y + 1 < len(picture) else ["49"] * picture.shape[1]
            cells = (f"{ESCAPE}38;{code};{under}m▀" for code, under in zip(picture[y], below, strict=True))
            lines.append("".join(cells) + RESET)
    return zoom * kernel.shape[2], lines


def _codes(values: Array, limit: float, colours: Colours) -> NDArray[np.str_]:
    """The colour of each value between -limit and limit, as an escape sequence names it."""
    if colours is Colours.ALL:
        found = coloured(np.asarray(values, float), -limit, limit, red_blue())
        return np.array([f"2;{r};{g};{b}" for r, g, b in found.reshape(-1, 3).tolist()]).reshape(values.shape)
    place = np.rint((np.asarray(values, float) / limit + 1) / 2 * (len(BLUE_TO_RED) - 1)).astype(int)
    return np.asarray(np.array([f"5;{number}" for number in BLUE_TO_RED])[place])


def terminal_width() -> int:
    """Columns of the terminal, or of $COLUMNS; 100 for a pipe."""
    if os.environ.get("COLUMNS", "").isdecimal():
        return max(20, int(os.environ["COLUMNS"]))
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 100
    except (OSError, ValueError):
        return 100
