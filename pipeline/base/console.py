"""What a person sees in the terminal: one line for an error, lines that do not tear a progress bar, honest exit codes.

Nothing else of the project prints: names that others chose reach a terminal as letters alone, and no line is endless.
"""

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from numbers import Integral
from pathlib import Path
from typing import Any, TextIO

from .errors import MendableError
from .stops import Killed, stops_as_exceptions
from .text import clean, cut, printable

CLEAR_LINE = "\r\x1b[K"
# With this, Hydra's users ask to see where an error comes from.
FULL_ERROR = "HYDRA_FULL_ERROR"


def run(stage: Callable[[list[str]], int]) -> None:
    """Run a stage on the command line's arguments and exit: 1 with a line for each fault of the input, 130 on Ctrl-C."""
    # A command may be started without one: nobody reads, and no file of ours may take its number.
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    with stops_as_exceptions():
        try:
            code = stage(sys.argv[1:])
        except (MendableError, OSError) as error:
            if os.environ.get(FULL_ERROR) == "1":
                raise
            say(explain_error(error), error=True)
            code = 1
        except (KeyboardInterrupt, Killed) as stop:
            say("; ".join(["stopped", *getattr(stop, "__notes__", [])]), error=True)
            leave(130 if isinstance(stop, KeyboardInterrupt) else stop.code)
    sys.exit(code)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w")


def leave(code: int) -> None:
    """End this process now: a stop does not wait for blocks that are still computed."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def explain_error(error: Exception) -> str:
    """An error of the input or of the system, without its traceback."""
    if isinstance(error, OSError):
        return printable(f"{error.filename or 'system'}: {error.strerror or error}")
    return str(error)


def number(value: Any) -> str:
    """A number for people: whole ones as they are, else four decimals; where these would be nought, three digits."""
    if value is None or value != value:
        return "-"
    if isinstance(value, Integral):
        return str(value)
    return f"{value:.4f}" if value == 0 or abs(value) >= 0.0005 else f"{value:.2e}"


class CleanFormatter(logging.Formatter):
    """As it is set, with no letter that moves the cursor of whoever reads the file."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record))


class LineHandler(logging.Handler):
    """Prints each message on its own line, above a progress bar that may be there."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            say(self.format(record), error=record.levelno >= logging.WARNING)
        except Exception:
            self.handleError(record)


def say(text: str, error: bool = False) -> None:
    """Print a line, or several, above the progress bar if there is one; see `base/text` for what becomes of odd letters and of
    long lines."""
    stream = sys.stderr if error else sys.stdout
    text = _in_letters_of(stream, "\n".join(map(cut, clean(text).split("\n"))))
    # A reader who has gone must not end a sweep.
    with contextlib.suppress(BrokenPipeError):
        print((CLEAR_LINE if sys.stderr.isatty() and stream.isatty() else "") + text, file=stream, flush=True)


def answer(text: str, raw: bool = False) -> None:
    """Print what a command was asked for, at its end: a reader who has seen enough, as `head` has, ends it without a word.

    raw: as it is, since it holds colours of ours and no name that was not cleaned.
    """
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        sys.stdout.write(_in_letters_of(sys.stdout, text if raw else clean(text)))
        sys.stdout.flush()
    finally:
        signal.signal(signal.SIGPIPE, before)


def _in_letters_of(stream: TextIO, text: str) -> str:
    """The text with what the stream's encoding has no letters for, as ASCII has none for é, as escapes."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def answer_data(text: str) -> None:
    """The same of data: a pipe gets every letter as it is, a terminal does not."""
    answer(text, raw=not sys.stdout.isatty())


def configure_logging(file: Path | None = None) -> None:
    """Send the project's log to the terminal and, with dates, to `file`. Calling it again changes the file."""
    logger = logging.getLogger("pipeline")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = [LineHandler()]
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(file, encoding="utf-8", errors="backslashreplace"))
        handlers[-1].setFormatter(CleanFormatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    handlers[0].setLevel(logging.INFO)
    for handler in handlers:
        logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
