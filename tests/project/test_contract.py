"""docs/resume.md: each sentence that promises something names the tests that show it, and they are there."""

import re

from tests.helpers.commands import ROOT


def test_each_promise_names_tests_that_exist():
    promised = (ROOT / "docs" / "resume.md").read_text().partition("## Promised")[2].partition("## Not promised")[0]
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    sentences = re.findall(r"^- .+?(?=\n- |\n\n|\Z)", promised, re.MULTILINE | re.DOTALL)
    assert len(sentences) >= 20
    for sentence in sentences:
        named = re.findall(r"`(test_\w+)`", sentence)
        assert named and set(named) <= there, sentence
