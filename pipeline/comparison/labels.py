"""Names as a picture can bear them: printable, not endless, and measured before anything is drawn."""

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

# Letters of a name in a picture; the tables have all of it.
MOST_LETTERS = 70
# The same for the name of a class, or a setting's value, which stands at a row or column.
SHORT = 24
# Pixels that level names may take side by side.
WIDEST_LEVEL = 800


def printable(name: str) -> str:
    """Letters that would break a line, or are none, as their escapes."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def label(name: object, most: int = MOST_LETTERS) -> str:
    """The name on one line; a long one loses its middle."""
    text = printable(str(name))
    kept = most - 1
    return text if len(text) <= most else f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def setting(value: Any) -> str:
    """A setting's value as it would be typed; long numbers of a search are cut to what tells them apart."""
    return "null" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)


@cache
def font(pixels: int) -> "FreeTypeFont":
    """matplotlib's own DejaVu Sans, found without importing matplotlib: Pillow's font has no é and no Ж. Laid out by
    Pillow itself, so that a picture's bytes do not depend on what else is installed."""
    # Imported here: a point's outcome is printed with `printable` and draws nothing.
    from PIL import ImageFont

    package = find_spec("matplotlib")
    assert package is not None and package.origin is not None
    path = Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(path), pixels, layout_engine=ImageFont.Layout.BASIC)


def widest(texts: Iterable[str], pixels: int) -> int:
    """The width in pixels of the widest text, 0 for none."""
    return round(max((font(pixels).getlength(text) for text in texts), default=0.0))


def column_width(names: Iterable[str], pixels: int, count: int, least: int) -> tuple[int, bool]:
    """How wide each of `count` columns is with the widest of these names, and whether names stand upright: where level ones
    would take too much."""
    level = widest(names, pixels) + 8
    if level <= least or level * count <= WIDEST_LEVEL:
        return max(level, least), False
    return least, True
