"""Names as a picture can bear them: printable, not endless, and measured before anything is drawn."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.project import expanded
from ..base.text import printable, quoted_if_blank, shortened

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

# Letters of a name in a picture; the tables have all of it.
MOST_LETTERS = 70
# The same for the name of a class, or a setting's value, which stands at a row or column.
SHORT = 24
# Pixels that level names may take side by side.
WIDEST_LEVEL = 800
# Where systems keep their fonts.
FONT_FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts",
    "/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
# Fonts with many scripts are asked first, and no more than so many.
WIDE_FONTS = re.compile("cjk|hiragino|pingfang|msyh|meiryo|malgun|nanum|wqy|droidsansfallback|unifont|unicode", re.I)
MOST_FONTS = 300


def label(name: object, most: int = MOST_LETTERS) -> str:
    """The name on one line, letters that no font here has as their escapes, a blank one in quotes; a long one loses its
    middle."""
    return heading(quoted_if_blank(printable(str(name))), most)


def heading(text: str, most: int = MOST_LETTERS) -> str:
    """The same of words that may be none."""
    return shortened("".join(c if has_glyph(None, c) or font_of(c) else ascii(c)[1:-1] for c in printable(text)), most)


def one_line(name: object, most: int = MOST_LETTERS) -> str:
    """The name for a terminal, which has fonts of its own: on one line, a blank one quoted, a long one without its middle."""
    return shortened(quoted_if_blank(printable(str(name))), most)


def setting(value: Any) -> str:
    """A setting's value as it would be typed; long numbers of a search are cut to what tells them apart."""
    return "null" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)


@cache
def own_font() -> str:
    """matplotlib's own DejaVu Sans, found without importing matplotlib: Pillow's font has no é and no Ж."""
    package = find_spec("matplotlib")
    assert package is not None and package.origin is not None
    return str(Path(package.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf")


@cache
def font(pixels: int, path: str | None = None) -> "FreeTypeFont":
    """DejaVu Sans, or the font of a file. Laid out by Pillow itself, so that a picture's bytes do not depend on what else is
    installed. OSError for what is no font."""
    # Imported here: a point's outcome is printed with `printable` and draws nothing.
    from PIL import ImageFont

    return ImageFont.truetype(path or own_font(), pixels, layout_engine=ImageFont.Layout.BASIC)


@cache
def has_glyph(path: str | None, character: str) -> bool:
    """Whether the font (None: DejaVu Sans) has the character: what it lacks it draws as it draws U+10FFFF, which is none."""
    if path is None and " " <= character <= "~":
        return True
    try:
        face = font(16, path)
        return bytes(face.getmask(character)) != bytes(face.getmask("\U0010ffff"))
    except OSError:
        return False


@cache
def font_of(character: str) -> str | None:
    """The file of a font of this machine that has the character; None when there is none."""
    return next((path for path in machine_fonts() if has_glyph(path, character)), None)


@cache
def machine_fonts() -> tuple[str, ...]:
    """The machine's font files, those with many scripts first."""
    folders = map(expanded, FONT_FOLDERS)
    files = {str(path) for folder in folders for path in folder.rglob("*") if path.suffix.lower() in (".ttf", ".otf", ".ttc")}
    return tuple(sorted(files, key=lambda path: (not WIDE_FONTS.search(path), path))[:MOST_FONTS])


def runs(text: str) -> list[tuple[str | None, str]]:
    """A label in parts of one font each: DejaVu Sans (None) for the letters it has, a font of this machine, by its file, for
    others such as Chinese. Pictures with such letters, and no others, differ between machines."""
    parts: list[tuple[str | None, str]] = []
    for character in text:
        path = None if has_glyph(None, character) else font_of(character)
        if parts and parts[-1][0] == path:
            parts[-1] = (path, parts[-1][1] + character)
        else:
            parts.append((path, character))
    return parts or [(None, "")]


def width(text: str, pixels: int) -> float:
    """In pixels."""
    return sum(font(pixels, path).getlength(part) for path, part in runs(text))


def widest(texts: Iterable[str], pixels: int) -> int:
    """The width in pixels of the widest text, 0 for none."""
    return round(max((width(text, pixels) for text in texts), default=0.0))


def column_width(names: Iterable[str], pixels: int, count: int, least: int) -> tuple[int, bool]:
    """How wide each of `count` columns is with the widest of these names, and whether names stand upright: where level ones
    would take too much."""
    level = widest(names, pixels) + 8
    if level <= least or level * count <= WIDEST_LEVEL:
        return max(level, least), False
    return least, True
