"""Random command lines of every stage, and what must hold of each: refused in short lines, with nothing written."""

import contextlib
import io
import logging
import os
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from pipeline.base import console
from pipeline.base.text import LONGEST_LINE
from pipeline.cli import STAGES, dispatch
from pipeline.settings import Settings, flatten

# What would train, listen or measure for long is left to tests of its own.
LEFT_OUT = ("ui", "benchmark", "check-gradients")
ODD = (
    "", "null", "nan", "-1", "1e999", "0x10", "9" * 400, "x" * 5000, "[", "[]", "{}", "{a:1}", "[1,2", "${seed}", "${nosuch}",
    "${oc.env:HOME}", "'", '"', "\\", "a=b", "=", ",", "1,2", "range(1,3)", "choice(", "glob(*)", "interval(0,1)", "~", "..",
    "/dev/null", "/", "a/b", ".", "stüdy", "日本", "\u202e", "\x1b[31m", "\n", "true", "1.5", " ", "%s", "$(ls)", "a b", "@",
    "\ud800", "digits", "0.1", "5", "processes", "off", "notebook", "FILE.json",
)  # fmt: skip
GROUPS = ("experiment", "data", "model", "training", "compute", "hydra/launcher", "hydra/sweeper", "hydra", "nosuch", "points")
FLAGS = ("-m", "-cn", "-cd", "--config-dir", "--cfg", "--resolve", "--json", "--csv", "--markdown", "--report", "--nosuch",
         "--out", "--image", "-h", "--info", "--segments", "--delete", "--package")  # fmt: skip


def command_line(seed: int) -> list[str]:
    """A stage and one to four words, each probably wrong."""
    choice = random.Random(seed)
    keys = [*flatten(asdict(Settings())), *GROUPS, "hydra.sweeper.params", "hydra.run.dir", "hydra.job.num"]
    words = [_word(choice, keys) for _ in range(choice.randint(1, 4))]
    return [choice.choice([stage for stage in STAGES if stage not in LEFT_OUT]), *words]


def _word(choice: random.Random, keys: list[str]) -> str:
    kind = choice.random()
    if kind < 0.7:
        return choice.choice(["", "", "", "+", "++", "~"]) + choice.choice(keys) + "=" + choice.choice(ODD)
    return choice.choice(FLAGS) if kind < 0.85 else choice.choice(ODD)


def faults(seed: int, folder: Path) -> list[str]:
    """What is wrong with the answer to command line `seed`, a line each; it works in the empty `folder`."""
    words = command_line(seed)
    # What trains is few iterations of little, and stays here.
    place = [f"paths.experiments={folder / 'experiments'}", "tracking=off", "training.iterations=1"]
    code, out, error = answer([*words, *(word for word in place if word.partition("=")[0] not in str(words))], folder)
    found = [] if isinstance(code, int) else [f"raised {code!r:.200}"]
    found += [f"exit code {code}"] if isinstance(code, int) and code not in (0, 1) else []
    lines = (error if code else "").splitlines()
    found += ["traceback"] if "Traceback (most recent" in out + error else []
    found += ["said nothing"] if code == 1 and not (error + out).strip() else []
    found += [f"line of {len(line)} letters" for line in lines if len(line) > LONGEST_LINE][:1]
    found += [f"{len(lines)} lines"] if len(lines) > 12 else []
    left = [str(path.relative_to(folder)) for path in folder.rglob("*")] if code else []
    found += [f"refused, wrote {left[:3]}"] if left else []
    return [f"seed {seed}: ovrcnn {' '.join(words)!r:.300}: {fault}" for fault in found]


class Terminal(io.StringIO):
    """What is printed to a terminal."""

    def isatty(self) -> bool:
        return True


def answer(words: list[str], folder: Path, terminal: bool = False) -> tuple[int | BaseException, str, str]:
    """Exit code, or what was raised instead of one, and both streams; in this process. terminal: what stdout is."""
    out, error = Terminal() if terminal else io.StringIO(), io.StringIO()
    with _in(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        before, sys.argv = sys.argv, ["ovrcnn", *words]
        try:
            console.run(dispatch)
            code: int | BaseException = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else end
        except BaseException as raised:
            code = raised
        finally:
            sys.argv = before
    return code, out.getvalue(), error.getvalue()


@contextmanager
def _in(folder: Path) -> Iterator[None]:
    before, pipe = Path.cwd(), signal.getsignal(signal.SIGPIPE)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        # An answer leaves it so that a reader who has gone ends the process.
        signal.signal(signal.SIGPIPE, pipe)
        logger = logging.getLogger("pipeline")
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
            handler.close()
