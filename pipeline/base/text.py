"""Texts that others chose, as names of classes, files and experiments are: in a terminal, in Markdown, in a spreadsheet."""

import re
import unicodedata
from collections.abc import Sequence

# Longer lines are cut in the middle: what is wrong stands at their beginning, what would be right at their end.
LONGEST_LINE = 300
MARKDOWN = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "[": "&#91;", "]": "&#93;", "`": "&#96;", "\n": " "}
# Where a spreadsheet may see a cell begin, also one that takes ; or a tab for the comma; what begins a formula there; and what
# is a number after all.
BEGINS, FORMULA, NUMBER = r"(?:\A|(?<=[;\t\r\n]))", r"'*[=+\-@\t\r]", r"'*[+\-]?\d+(?:\.\d+)?(?:[eE][+\-]?\d+)?\Z"
TO_GUARD = re.compile(f"{BEGINS}(?={FORMULA})(?!{NUMBER})", re.ASCII)
GUARDED = re.compile(f"{BEGINS}'(?={FORMULA})(?!{NUMBER})", re.ASCII)


def printable(text: str) -> str:
    """Letters that would break the line, move the cursor, turn the writing round or are none, as their escapes."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def quoted_if_blank(name: str) -> str:
    """A name that can be seen: one of nothing, or of blanks, in quotes."""
    return name if name.strip() else f'"{name}"'


def clean(text: str) -> str:
    """A text of lines, each printable."""
    return "\n".join(map(printable, text.split("\n")))


def shortened(text: str, most: int) -> str:
    """The text, at most so many letters long: a long one loses its middle."""
    kept = most - 1
    return text if len(text) <= most else f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: wide letters, as Chinese ones are, two each, accents of others none."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in ("W", "F") else 1


def padded(text: str, width: int, left: bool = True) -> str:
    """The text with as many blanks as make it so many columns wide, at its end, or before it."""
    blanks = " " * (width - columns(text))
    return text + blanks if left else blanks + text


def aligned(rows: Sequence[Sequence[str]], sides: str, gap: str = "  ") -> list[str]:
    """Lines of a table; sides: l or r a column."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    cells = ((padded(cell, w, side == "l") for cell, w, side in zip(row, widths, sides, strict=True)) for row in rows)
    return [gap.join(row).rstrip() for row in cells]


def fitted(text: str, width: int) -> str:
    """As much of the text as has place in so many columns, and blanks for what is left of them."""
    kept = text[:width]
    while columns(kept) > width:
        kept = kept[:-1]
    return padded(kept, width)


def cut(line: str) -> str:
    """The line, at most LONGEST_LINE letters long."""
    half = LONGEST_LINE // 2 - 3
    return line if len(line) <= LONGEST_LINE else f"{line[:half]} ... {line[-half:]}"


def in_markdown(text: object) -> str:
    """A text that a description shows as it stands: no HTML, no links, no end of a quotation."""
    return "".join(MARKDOWN.get(letter, letter) for letter in str(text))


def guarded(text: str) -> str:
    """A cell's text that no spreadsheet takes for a formula: an apostrophe stands before what could begin one."""
    return TO_GUARD.sub("'", text)


def unguarded(cell: str) -> str:
    """The text that was guarded."""
    return GUARDED.sub("", cell)
