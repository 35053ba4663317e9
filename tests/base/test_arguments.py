"""Command lines: what cannot be used is refused in one line, and a number is whole and in range, or none."""

import pytest

from pipeline.base.arguments import new_parser, whole_number
from pipeline.base.errors import SettingsError


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("007", 7), ("4294967295", 2**32 - 1), (None, None)])
def test_digits_in_range_are_a_whole_number(text, number):
    faults = []
    assert whole_number("--seed", text, 0, 2**32 - 1, faults) == number and faults == []


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", " 1", "1_0", "٣", "²", "4294967296", "0" * 20 + "9" * 20, "9" * 5000])
def test_every_other_text_is_a_line_of_faults(text):
    faults = []
    assert whole_number("--seed", text, 0, 2**32 - 1, faults) is None
    [fault] = faults
    assert fault.startswith("--seed: must be a whole number from 0 to 4294967295, not '") and len(fault) < 150


@pytest.mark.parametrize("words", [["--nosuch"], ["--image"], ["--im", "3"]])
def test_what_a_parser_does_not_know_is_refused_in_one_line_and_nothing_is_shortened(words):
    parser = new_parser("ovrcnn stage", "Do it.", "POINT")
    parser.add_argument("--image")
    with pytest.raises(SettingsError, match=r"^command line: .*; --help lists what there is$"):
        parser.parse_args(words)


def test_the_usage_says_what_is_taken_before_options():
    assert new_parser("ovrcnn stage", "Do it.", "POINT").format_usage() == "usage: ovrcnn stage POINT [options]\n"
    assert "[-h]" in new_parser("ovrcnn stage", "Do it.").format_usage()
