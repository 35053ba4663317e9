"""What a person sees in the terminal: one line for an error, lines that do not tear a progress bar, honest exit codes."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path

from ..data.dataset import DataError
from ..heads.one_vs_rest import NonFiniteError
from ..settings import SettingsError
from .files import FileError
from .stops import terminated_as_exception

CLEAR_LINE = "\r\x1b[K"
INPUT_ERRORS = (SettingsError, DataError, FileError, NonFiniteError)


def run(stage: Callable[[list[str]], int]) -> None:
    """Run a stage on the command line's arguments and exit: 1 with a line for each fault of the input, 130 on Ctrl-C."""
    with terminated_as_exception():
        try:
            code = stage(sys.argv[1:])
        except (*INPUT_ERRORS, OSError) as error:
            print(explain_error(error), file=sys.stderr)
            code = 1
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            code = 130
    sys.exit(code)


def explain_error(error: Exception) -> str:
    """An error of the input or of the system, without its traceback."""
    return f"{error.filename or 'system'}: {error.strerror or error}" if isinstance(error, OSError) else str(error)


class LineHandler(logging.Handler):
    """Prints each message on its own line, also when another process of this run has drawn a progress bar there."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            say(self.format(record), error=record.levelno >= logging.WARNING)
        except Exception:
            self.handleError(record)


def say(text: str, error: bool = False) -> None:
    """Print a line, above the progress bar if there is one."""
    stream = sys.stderr if error else sys.stdout
    print((CLEAR_LINE if sys.stderr.isatty() and stream.isatty() else "") + text, file=stream, flush=True)


def configure_logging(file: Path | None = None) -> None:
    """Send the project's log to the terminal and, with dates, to `file`. Calling it again changes the file."""
    logger = logging.getLogger("pipeline")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = [LineHandler()]
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(file))
        handlers[-1].setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    handlers[0].setLevel(logging.INFO)
    for handler in handlers:
        logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
