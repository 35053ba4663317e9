"""Texts that others chose: one line of letters, no markup, no formula, and back again."""

import csv
import io
import random

import pytest

from pipeline.base.files import csv_bytes
from pipeline.base.text import aligned, clean, columns, cut, fitted, guarded, in_markdown, printable, unguarded

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "'=1",
    "''=1",
    "a;=1",
    "a\t=1",
    "-",
    "+ 1",
    "-٣",
    "=",
    "-x",
]
PLAIN = ["", "a", "-1", "+1", "-1.5e-3", "1-2", "a=b", "'tis", "'", "a+b", "日本", " =1", "'-1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_spreadsheet_takes_a_text_for_a_formula(text):
    [[cell]] = csv.reader(io.StringIO(csv_bytes([text], []).decode(), newline=""))
    for part in cell.replace("\t", ";").replace("\r", ";").replace("\n", ";").split(";"):
        assert part[:1] not in ("=", "+", "-", "@"), cell
    assert cell[0] not in "\t\r" and unguarded(cell) == text


@pytest.mark.parametrize("text", PLAIN)
def test_numbers_and_other_texts_stay_as_they_are(text):
    assert guarded(text) == text == unguarded(text)


def test_every_text_comes_back():
    choice = random.Random(0)
    for _ in range(20_000):
        text = "".join(choice.choices("=+-@\t\r\n;',1e.a0", k=choice.randint(0, 7)))
        assert unguarded(guarded(text)) == text
        assert [[unguarded(cell) for cell in row] for row in read(csv_bytes(["x"], [[text, 1]]))] == [["x"], [text, "1"]]


def test_columns_of_a_terminal_line_up_whatever_the_script():
    rows = [["class", "y", "z"], ["猫", "1.0", "a"], ["ant", "0.0", "Ｗ"], ["e\u0301 한", "10.0", ""]]
    lines = aligned(rows, "rll", " ")
    assert lines == ["class y    z", "   猫 1.0  a", "  ant 0.0  Ｗ", " e\u0301 한 10.0"]
    assert [columns(text) for text in ("", "ab", "猫", "ﾈ", "e\u0301", "中 文")] == [0, 2, 2, 1, 1, 5]
    assert [fitted("中文", width) for width in (1, 2, 3, 4, 5)] == [" ", "中", "中 ", "中文", "中文 "]


def read(content):
    return csv.reader(io.StringIO(content.decode(), newline=""))


def test_numbers_of_all_signs_are_numbers():
    assert csv_bytes(["a"], [[-1, -0.5, float("-inf"), None]]) == b"a\n-1,-0.5,-inf,\n"


@pytest.mark.parametrize(
    "text", ["\x1b[31m", "\x9b1m", "\r", "\n", "\x07", "\u202e", "\u2066", "\u2028", "\ud800", "\x7f", "\0"]
)
def test_nothing_moves_a_cursor_or_turns_the_writing_round(text):
    assert printable(f"a{text}b").isprintable() and clean(f"a\n{text}").count("\n") == 1 + text.count("\n")
    assert printable("日本 é 🐜") == "日本 é 🐜"


def test_a_long_line_keeps_both_ends():
    line = cut("a" + "x" * 10_000 + "b")
    assert len(line) <= 300 and line[0] == "a" and line[-1] == "b" and cut("x" * 300) == "x" * 300


def test_markdown_shows_a_text_as_it_stands():
    shown = in_markdown("<img src=x onerror=alert(1)> ![x](javascript:a) `x`\n# x &lt;")
    assert not set("<>[]`\n") & set(shown) and "&amp;lt;" in shown
