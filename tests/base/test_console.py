"""What a terminal or a log cannot write is escaped, and nothing ends for it."""

import io
import logging
import sys

from pipeline.base.console import answer, configure_logging, say


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
