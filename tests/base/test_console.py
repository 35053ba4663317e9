"""What a terminal or a log cannot write is escaped, and nothing ends for it."""

import io
import logging
import subprocess
import sys

import pytest

from pipeline.base.console import answer, configure_logging, say
from tests.helpers.commands import ROOT


def test_letters_that_the_terminal_has_not_are_escapes(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    say("stüdy 猫")
    answer("é\n")
    assert stream.buffer.getvalue() == b"st\\xfcdy \\u732b\n\\xe9\n"


def test_a_log_is_utf_8_whatever_the_locale_and_takes_any_path(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "ascii")
    configure_logging(tmp_path / "train.log")
    logging.getLogger("pipeline").info("猫 a\udcffb")
    assert "猫 a\\udcffb" in (tmp_path / "train.log").read_text("utf-8")
    assert capsys.readouterr().err == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("closed", "code", "said"), [(">&-", 0, ""), (">&- 2>&-", 1, ""), (">&-", 1, "nobody: is no experiment")]
)
def test_a_command_that_was_started_without_a_terminal_or_pipe_ends_as_with_one(tmp_path, closed, code, said):
    words = f"plan seed=1 paths.experiments={tmp_path}" if code == 0 else f"show nobody paths.experiments={tmp_path}"
    line = f"{sys.executable} -m pipeline.{words} {closed}"
    ended = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == code and ended.stdout == ""
    assert ended.stderr.startswith(said) and ended.stderr.count("\n") == (said != "")
