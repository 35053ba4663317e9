"""Kernels in the terminal: every tap's colour, or its number, and what is left out is said."""

import io
import re

import numpy as np
import pytest

from pipeline.comparison.figures.colours import coloured, red_blue
from pipeline.comparison.terminal import (
    BLUE_TO_RED,
    MOST_FILTERS,
    MOST_HEADS,
    Colours,
    colours_of,
    kernel_lines,
    terminal_width,
)

COLOUR = r"2;\d+;\d+;\d+|5;\d+"
CELL = re.compile(rf"\x1b\[38;({COLOUR});(48;(?:{COLOUR})|49)m▀")


def kernels(heads=2, filters=1, size=3) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return list(random.uniform(-1, 1, (heads, filters, size, size)).astype(np.float32))


def pixels(lines: list[str], heads: int) -> np.ndarray:
    """The colours that a terminal would show, (rows, columns) of escape codes, of a head after the other."""
    found = []
    for line in lines:
        cells = CELL.findall(line)
        found.append([above for above, _ in cells])
        below = [under.removeprefix("48;") for _, under in cells if under != "49"]
        found += [below] if below else []
    return np.concatenate(np.split(np.array(found), heads, axis=1))


@pytest.mark.parametrize("size", [3, 5, 11])
def test_every_tap_has_its_colour_two_in_a_letter(size):
    given = kernels(size=size)
    scale, names, *rows = kernel_lines(given, ["ant", "bee"], Colours.ALL, 100)
    zoom = -(-9 // size)
    limit = float(max(np.abs(kernel).max() for kernel in given))
    assert scale.startswith(f"{-limit:.4g} \x1b[48;2;5;48;97m ") and scale.endswith(f"\x1b[0m {limit:.4g}")
    assert names.split() == ["ant", "bee"]
    taps = np.concatenate([kernel[0] for kernel in given]).astype(float)
    wanted = coloured(taps, -limit, limit, red_blue()).repeat(zoom, axis=0).repeat(zoom, axis=1)
    shown = pixels(rows, 2)
    assert shown.tolist() == [[f"2;{r};{g};{b}" for r, g, b in row] for row in wanted.tolist()]


def test_256_colours_go_from_blue_over_white_to_red():
    given = [np.linspace(-1, 1, 9).reshape(1, 3, 3), np.zeros((1, 3, 3))]
    shown = pixels(kernel_lines(given, "ab", Colours.FEW, 100)[2:], 2)
    numbers = [int(code.removeprefix("5;")) for code in shown[::3, ::3].ravel()]
    assert numbers == [*BLUE_TO_RED[::2], *[231] * 9]


def test_without_colours_taps_are_ninths():
    given = [np.array([[[9.0, -9.0, 0.0], [1.0, -2.0, 4.4], [0.4, 8.0, -0.6]]])]
    assert kernel_lines(given, ["a long name"], Colours.NONE, 100) == [
        "+9 is 9, -9 is -9", "a long n", "+9 -9  0", "+1 -2 +4", " 0 +8 -1",
    ]  # fmt: skip
    assert kernel_lines([np.zeros((1, 1, 1))], "a", Colours.NONE, 20) == ["+9 is 1, -9 is -1", "a", " 0"]


def test_many_heads_are_wrapped_and_what_is_left_out_is_said():
    lines = kernel_lines(kernels(MOST_HEADS + 3, MOST_FILTERS + 1), [f"c{i}" for i in range(30)], Colours.NONE, 50)
    assert max(map(len, lines[:-1])) <= 50 and lines[1].split() == [f"c{i}" for i in range(5)]
    assert lines[-1] == "... and 3 more heads and 1 more kernels a head in checkpoint.npz"
    assert sum(line.startswith("c") for line in lines) == 4


def test_what_a_terminal_can_show(monkeypatch):
    class Screen(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    screen = Screen(io.BytesIO(), encoding="utf-8")
    assert colours_of(screen) is Colours.FEW
    assert colours_of(Screen(io.BytesIO(), encoding="latin-1")) is Colours.NONE
    assert colours_of(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")) is Colours.NONE
    monkeypatch.setenv("COLORTERM", "truecolor")
    assert colours_of(screen) is Colours.ALL
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as one:
            one.setenv(name, value)
            assert colours_of(screen) is Colours.NONE
    monkeypatch.setenv("COLUMNS", "57")
    assert terminal_width() == 57
