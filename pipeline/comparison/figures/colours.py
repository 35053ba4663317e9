"""Colours that the colour-blind can tell apart, as tables of 256. No matplotlib."""

import numpy as np
from numpy.typing import NDArray

from ...heads.head import Array

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]
BLACK, GREY, PALE, WHITE = (0, 0, 0), (110, 110, 110), (225, 225, 225), (255, 255, 255)
# Okabe and Ito's vermilion, for the one thing that a picture points at.
VERMILION = (213, 94, 0)
# ColorBrewer's RdBu from blue to red; white is no light taken and none let through.
RED_BLUE_STOPS = (
    (5, 48, 97), (33, 102, 172), (67, 147, 195), (146, 197, 222), (209, 229, 240), (247, 247, 247),
    (253, 219, 199), (244, 165, 130), (214, 96, 77), (178, 24, 43), (103, 0, 31),
)  # fmt: skip
# matplotlib's viridis at every sixteenth: from dark to light for every eye.
VIRIDIS_STOPS = (
    (68, 1, 84), (72, 24, 106), (71, 45, 123), (66, 64, 134), (59, 82, 139), (51, 99, 141), (44, 114, 142), (38, 130, 142),
    (33, 145, 140), (31, 160, 136), (40, 174, 128), (63, 188, 115), (94, 201, 98), (132, 212, 75), (173, 220, 48),
    (216, 226, 25), (253, 231, 37),
)  # fmt: skip
# ColorBrewer's Oranges, from white.
ORANGE_STOPS = ((255, 255, 255), (254, 230, 206), (253, 174, 107), (241, 105, 19), (166, 54, 3))
# Beyond it viridis is too pale for a line on white.
DARKEST_PART = 0.78


def red_blue() -> Pixels:
    """(256, 3): from blue over white to red."""
    return _between(RED_BLUE_STOPS)


def viridis() -> Pixels:
    """(256, 3): from dark blue to yellow."""
    return _between(VIRIDIS_STOPS)


def oranges() -> Pixels:
    """(256, 3): from white to brown."""
    return _between(ORANGE_STOPS)


def coloured(values: Array, low: float, high: float, colours: Pixels) -> Pixels:
    """(..., 3): each value in the colour of its place between low and high; white where there is none."""
    # Rounded: a last bit that differs between machines must not decide between two colours.
    place = np.clip(np.round((values - low) / (high - low) * 256, 6), 0, 255)
    return np.where(np.isnan(values)[..., None], np.uint8(255), colours[np.nan_to_num(place).astype(np.intp)])


def ordered(count: int) -> list[Colour]:
    """Colours of lines whose values have an order, dark to light."""
    table = viridis()
    return [as_colour(table[round(255 * DARKEST_PART * i / max(count - 1, 1))]) for i in range(count)]


def as_colour(pixel: Pixels) -> Colour:
    red, green, blue = (int(part) for part in pixel)
    return red, green, blue


def ink(ground: Pixels) -> Colour:
    """Black or white, whichever is read on this ground."""
    red, green, blue = as_colour(ground)
    return BLACK if 299 * red + 587 * green + 114 * blue > 128_000 else WHITE


def _between(stops: tuple[Colour, ...]) -> Pixels:
    place = np.linspace(0, len(stops) - 1, 256)
    columns = np.array(stops, float).T
    table = np.stack([np.interp(place, np.arange(len(stops)), column) for column in columns], axis=1)
    return np.round(table).astype(np.uint8)
