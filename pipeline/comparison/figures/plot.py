"""Axes on paper: a frame, ticks, and where a value lies in pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw

from ..labels import widest
from .colours import BLACK, GREY, PALE
from .paper import GAP, LETTERS, SMALL_LETTERS, Box, blank, head_width, write, write_title, write_upright
from .scales import Scale, Tick

# From the frame to a number beside it, and the room below a frame for ticks and the axis's name.
TICK, BELOW = 5, SMALL_LETTERS + LETTERS + 3 * GAP
# Room above a frame for its title.
ABOVE = LETTERS + GAP


@dataclass(frozen=True)
class Frame:
    """left, top, width, height: of its inside, in pixels of the canvas. across, up: the scales of its axes."""

    left: int
    top: int
    width: int
    height: int
    across: Scale
    up: Scale

    @property
    def box(self) -> Box:
        return self.left, self.top, self.left + self.width, self.top + self.height

    def x(self, values: ArrayLike) -> list[float]:
        """Pixels from the frame's left side."""
        return [float(place) for place in np.atleast_1d(self.across.place(values)) * (self.width - 1)]

    def y(self, values: ArrayLike) -> list[float]:
        """Pixels from the frame's upper side."""
        return [float(place) for place in (1 - np.atleast_1d(self.up.place(values))) * (self.height - 1)]


@dataclass(frozen=True)
class Panels:
    """Frames of one size side by side and below each other. inside: width and height of each. left: room beside the first for
    numbers and the axis's name; right: beside each for labels. head: room above all."""

    count: int
    columns: int
    inside: tuple[int, int]
    left: int
    right: int
    head: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole."""
        (width, height), rows = self.inside, -(-self.count // self.columns)
        return self.left + self.columns * (width + self.right), self.head + rows * (ABOVE + height + BELOW)

    def corner(self, index: int) -> tuple[int, int]:
        """Left and top of a frame's inside."""
        row, column = divmod(index, self.columns)
        width, height = self.inside
        return self.left + column * (width + self.right), self.head + ABOVE + row * (ABOVE + height + BELOW)

    def frame(self, index: int, across: Scale, up: Scale) -> Frame:
        return Frame(*self.corner(index), *self.inside, across, up)

    def is_first(self, index: int) -> bool:
        """Whether it stands at the left, where the numbers are."""
        return index % self.columns == 0

    def canvas(self, title: str, below: str) -> Image.Image:
        """Paper for all of them with a head."""
        width, height = self.size
        canvas = blank(max(width, head_width(title, below)), height)
        write_title(canvas, title, below)
        return canvas


def draw_frame(canvas: Image.Image, frame: Frame, title: str) -> None:
    left, top, right, bottom = frame.box
    ImageDraw.Draw(canvas).rectangle((left - 1, top - 1, right, bottom), outline=GREY)
    write(canvas, (left, top - GAP // 2), title, LETTERS, "ld")


def tick_up(canvas: Image.Image, frame: Frame, ticks: Sequence[Tick], named: bool) -> None:
    """Lines across the frame at these values, with their texts beside it when `named`."""
    draw = ImageDraw.Draw(canvas)
    for place, (_, text) in zip(frame.y([value for value, _ in ticks]), ticks, strict=True):
        at = frame.top + round(place)
        draw.line((frame.left, at, frame.left + frame.width - 1, at), PALE)
        if named:
            write(canvas, (frame.left - TICK, at), text, SMALL_LETTERS, "rm")


def tick_across(canvas: Image.Image, frame: Frame, ticks: Sequence[Tick]) -> None:
    """Short lines below the frame at these values, with their texts where there is room."""
    draw, bottom, end = ImageDraw.Draw(canvas), frame.top + frame.height, -GAP
    for place, (_, text) in zip(frame.x([value for value, _ in ticks]), ticks, strict=True):
        at, half = frame.left + round(place), widest([text], SMALL_LETTERS) // 2
        draw.line((at, bottom, at, bottom + TICK - 1), BLACK)
        if at - half >= end:
            write(canvas, (at, bottom + TICK + 1), text, SMALL_LETTERS, "ma")
            end = at + half + GAP


def name_across(canvas: Image.Image, frame: Frame, name: str) -> None:
    place = (frame.left + frame.width // 2, frame.top + frame.height + SMALL_LETTERS + 2 * GAP)
    write(canvas, place, name, LETTERS, "ma")


def name_up(canvas: Image.Image, frame: Frame, name: str) -> None:
    """At the canvas's left side."""
    write_upright(canvas, (GAP + LETTERS // 2, frame.top + frame.height // 2), name, LETTERS, "middle")
