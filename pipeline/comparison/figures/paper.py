"""A white Pillow image: pictures, letters, smooth lines, a colour bar. No matplotlib, which takes a third of a second."""

import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from ..labels import font, runs, widest
from .colours import BLACK, GREY, WHITE, Colour, Pixels
from .scales import Scale

GAP = 8
TITLE, LETTERS, SMALL_LETTERS = 15, 12, 11
# Height of a figure's head: its title and a line below it.
HEAD = TITLE + SMALL_LETTERS + 4 * GAP
# Room for a colour bar with its numbers and its name.
COLOUR_BAR = 98
# No figure is taller: a screen.
MOST_TALL = 1000
# Lines are drawn this much larger and made small again, which makes them smooth.
FINE = 4
Box = tuple[int, int, int, int]


def blank(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), WHITE)


def paste(canvas: Image.Image, picture: Pixels, x: int, y: int) -> None:
    canvas.paste(Image.fromarray(picture), (x, y))


def write(canvas: Image.Image, place: tuple[int, int], text: str, pixels: int, anchor: str, colour: Colour = BLACK) -> None:
    """anchor: which part of the text stands at the place, as Pillow names it."""
    draw = ImageDraw.Draw(canvas)
    parts = runs(text)
    if len(parts) == 1:
        draw.text(place, text, colour, font(pixels, parts[0][0]), anchor=anchor)
        return
    x = place[0] - {"l": 0, "m": widest([text], pixels) / 2, "r": widest([text], pixels)}[anchor[0]]
    ascent, descent = font(pixels).getmetrics()
    # Of several fonts the baselines are what must agree.
    base = place[1] + {"a": ascent, "m": (ascent - descent) / 2, "d": -descent, "s": 0}[anchor[1]]
    for path, part in parts:
        draw.text((x, base), part, colour, font(pixels, path), anchor="ls")
        x += font(pixels, path).getlength(part)


def write_upright(canvas: Image.Image, place: tuple[int, int], text: str, pixels: int, part: str) -> None:
    """Text that reads upwards; its `part`, top, middle or bottom, stands at the place."""
    strip = blank(widest([text], pixels) + 2, pixels + 5)
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


def head_width(title: str, below: str) -> int:
    """What a figure's head needs."""
    return max(widest([title], TITLE), widest([below], SMALL_LETTERS)) + 2 * GAP


def write_title(canvas: Image.Image, title: str, below: str = "") -> None:
    """A figure's head: what is asked, and how it is drawn."""
    write(canvas, (GAP, GAP), title, TITLE, "la")
    write(canvas, (GAP, 2 * GAP + TITLE), below, SMALL_LETTERS, "la", GREY)


def smoothly(canvas: Image.Image, box: Box, paint: Callable[[ImageDraw.ImageDraw, int], None]) -> None:
    """Paint inside the box (left, top, right, bottom) with smooth edges: `paint` gets a drawing whose corner is the box's,
    and how many of its pixels make one."""
    part = canvas.crop(box)
    fine = part.resize((part.width * FINE, part.height * FINE), Image.Resampling.NEAREST)
    paint(ImageDraw.Draw(fine, "RGBA"), FINE)
    canvas.paste(fine.reduce(FINE), box[:2])


def colour_bar(canvas: Image.Image, corner: tuple[int, int], height: int, colours: Pixels, scale: Scale, name: str) -> None:
    """What the colours of a scale, low at the bottom, stand for."""
    x, y = corner
    shades = colours[np.linspace(255, 0, height).astype(np.intp)][:, None].repeat(16, axis=1)
    paste(canvas, shades, x, y)
    ticks = scale.ticks(max(2, height // 28))
    for place, (_, text) in zip(scale.place([value for value, _ in ticks]), ticks, strict=True):
        at = y + round((height - 1) * (1 - float(place)))
        ImageDraw.Draw(canvas).line((x + 16, at, x + 20, at), BLACK)
        write(canvas, (x + 24, at), text, SMALL_LETTERS, "lm")
    write_upright(canvas, (x + 32 + widest((text for _, text in ticks), SMALL_LETTERS) + LETTERS // 2, y + height // 2),
                  name, LETTERS, "middle")  # fmt: skip


def star(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour) -> None:
    """A star with five points, edged in white so that it is seen on every colour."""
    for size, shade in ((radius * 1.45, WHITE), (radius, colour)):
        turns = np.arange(10) * np.pi / 5
        lengths = np.where(np.arange(10) % 2, 0.42, 1.0) * size
        corners = zip(x + lengths * np.sin(turns), y - lengths * np.cos(turns), strict=True)
        draw.polygon([(float(a), float(b)) for a, b in corners], fill=shade)


def disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour | tuple[int, int, int, int]) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def line(draw: ImageDraw.ImageDraw, places: Sequence[tuple[float, float]], colour: Colour, width: float) -> None:
    draw.line(list(places), fill=colour, width=round(width), joint="curve")


def png_bytes(canvas: Image.Image) -> bytes:
    """The same picture gives the same bytes."""
    file = io.BytesIO()
    canvas.save(file, "PNG", compress_level=4)
    return file.getvalue()
