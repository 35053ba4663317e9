"""Pictures, letters and a colour bar on a white Pillow image. Imports no matplotlib."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from .labels import font, widest

Pixels = NDArray[np.uint8]
GAP = 8
LETTERS, SMALL_LETTERS = 12, 11
# Room for a colour bar with its numbers and its name.
COLOUR_BAR = 90


def blank(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), "white")


def paste(canvas: Image.Image, picture: Pixels, x: int, y: int) -> None:
    canvas.paste(Image.fromarray(picture), (x, y))


def write(canvas: Image.Image, place: tuple[int, int], text: str, pixels: int, anchor: str) -> None:
    """anchor: which part of the text stands at the place, as Pillow names it."""
    ImageDraw.Draw(canvas).text(place, text, "black", font(pixels), anchor=anchor)


def write_upright(canvas: Image.Image, place: tuple[int, int], text: str, pixels: int, part: str) -> None:
    """Text that reads upwards; its `part`, top, middle or bottom, stands at the place."""
    strip = blank(widest([text], pixels) + 2, pixels + 4)
    write(strip, (1, strip.height // 2), text, pixels, "lm")
    turned = strip.transpose(Image.Transpose.ROTATE_90)
    x, y = place[0] - turned.width // 2, place[1] - turned.height * ("top", "middle", "bottom").index(part) // 2
    canvas.paste(turned, (x, y))


def write_head(canvas: Image.Image, place: tuple[int, int], text: str, upright: bool, above: bool) -> None:
    """The name of a column: above the place or below it, level or upright."""
    if upright:
        write_upright(canvas, place, text, SMALL_LETTERS, "bottom" if above else "top")
    else:
        write(canvas, place, text, SMALL_LETTERS, "md" if above else "ma")


def colour_bar(canvas: Image.Image, corner: tuple[int, int], height: int, colours: Pixels, name: str) -> None:
    """What the colours from 0 to 1 stand for."""
    x, y = corner
    shades = colours[np.linspace(255, 0, height).astype(np.intp)][:, None].repeat(16, axis=1)
    paste(canvas, shades, x, y)
    for tenth in range(0, 11, 2):
        at = y + round((height - 1) * (1 - tenth / 10))
        ImageDraw.Draw(canvas).line((x + 16, at, x + 20, at), "black")
        write(canvas, (x + 24, at), f"{tenth / 10:.1f}", SMALL_LETTERS, "lm")
    write_upright(canvas, (x + 62, y + height // 2), name, LETTERS, "middle")


def png_bytes(canvas: Image.Image) -> bytes:
    """The same picture gives the same bytes."""
    file = io.BytesIO()
    canvas.save(file, "PNG", compress_level=4)
    return file.getvalue()
