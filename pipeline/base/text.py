"""Texts that others chose, as names of classes, files and experiments are: in a terminal, in Markdown, in a spreadsheet."""

import re

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


def clean(text: str) -> str:
    """A text of lines, each printable."""
    return "\n".join(map(printable, text.split("\n")))


def shortened(text: str, most: int) -> str:
    """The text, at most so many letters long: a long one loses its middle."""
    kept = most - 1
    return text if len(text) <= most else f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


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
