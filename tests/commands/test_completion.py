"""Tab completion: what fits, on one stream, and never a word that would stand in the prompt."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.base import project
from tests.helpers.command_lines import answer


@pytest.fixture
def offered(tmp_path, monkeypatch):
    """What is offered for a line, in a project with three experiments, one of an odd name."""
    for name in ("scratch", "digits", "$(touch odd)", "empty"):
        folder = tmp_path / "experiments" / name
        folder.mkdir(parents=True)
        (folder / ("README.md" if name == "empty" else "config.yaml")).touch()
    monkeypatch.setattr(project, "root", lambda: tmp_path)

    def offers(line: str) -> list[str]:
        monkeypatch.setenv("COMP_LINE", line)
        monkeypatch.setenv("COMP_POINT", str(len(line)))
        code, out, error = answer(["-sc", "query=bash"], tmp_path)
        assert code == 0 and error == ""
        return out.split()

    return offers


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("ovrcnn sh", ["show"]),
        ("ovrcnn show sc", ["scratch"]),
        ("ovrcnn verify di", ["digits"]),
        ("ovrcnn export ", ["digits", "scratch"]),
        ("ovrcnn show scratch ker", ["kernel_size="]),
        (
            "ovrcnn compare scratch mod",
            ["model.kernel_size=", "model.filters=", "model.init=", "model.gradient=", "model.dtype="],
        ),
        ("ovrcnn compare scratch di", ["digits"]),
        ("ovrcnn predict --", ["--help", "--json", "--out"]),
        ("ovrcnn track --", ["--help"]),
        ("ovrcnn gc n", ["name=digits", "name=scratch"]),
        ("ovrcnn plan --j", ["--json"]),
        ("ovrcnn plan --json model.ker", ["model.kernel_size="]),
        ("ovrcnn train --multi", ["--multirun"]),
    ],
)
def test_what_fits_is_offered(offered, line, wanted):
    assert offered(line) == wanted


@pytest.mark.parametrize(
    "line",
    ["ovrcnn predict scratch ", "ovrcnn train scratch ", "ovrcnn nosuch ", "ovrcnn show nosuch", "ovrcnn", "", "ovrcnn ui "],
)
def test_where_nothing_fits_nothing_is_said(offered, line):
    assert set(offered(line)) <= {"ovrcnn"}


def test_a_stop_ends_it_without_a_word():
    stopped = "cli._offers = lambda words: os.kill(os.getpid(), signal.SIGINT)"
    code = f"import os, signal; from pipeline import cli; {stopped}; cli.main()"
    environment = {**os.environ, "COMP_LINE": "ovrcnn show "}
    words = [sys.executable, "-c", code, "-sc", "query=bash"]
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")
