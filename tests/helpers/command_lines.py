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
LEFT_OUT = ("ui", "benchmark")
# Stages that take no settings.
ALONE = ("check-gradients",)
ODD = (
    "", "null", "nan", "-1", "1e999", "0x10", "9" * 400, "x" * 5000, "[", "[]", "{}", "{a:1}", "[1,2", "${seed}", "${nosuch}",
    "${oc.env:HOME}", "'", '"', "\\", "a=b", "=", ",", "1,2", "range(1,3)", "choice(", "glob(*)", "interval(0,1)", "~", "..",
    "/dev/null", "/", "a/b", ".", "stüdy", "日本", "\u202e", "\x1b[31m", "\n", "true", "1.5", " ", "%s", "$(ls)", "a b", "@",
    "\ud800", "digits", "0.1", "5", "processes", "off", "notebook", "FILE.json",
)  # fmt: skip
GROUPS = ("experiment", "data", "model", "training", "compute", "hydra/launcher", "hydra/sweeper", "hydra", "nosuch", "points")
FLAGS = ("-m", "-cn", "-cd", "--config-dir", "--cfg", "--resolve", "--json", "--csv", "--markdown", "--report", "--nosuch",
         "--out", "--image", "-h", "--info", "--segments", "--delete", "--package")  # fmt: skip
# What a stage takes beside settings; odd values follow.
OWN = {
    "plan": ("--json", "experiment=digits", "-m"),
    "verify": ("--segments", "--seed", "--against", "--json", "scratch", "best"),
    "gc": ("--delete", "name=scratch", "experiment=digits"),
    "track": ("tracking.uri=http://127.0.0.1:1", "tracking=server", "tracking.uri=sqlite:////nosuch/x.db", "name=scratch"),
    "explain": ("--image", "--image=0", "--out", "--out=x.png", "scratch", "best"),
    "predict": ("--out", "--json", "scratch", "best", "/dev/null", "/dev/zero", "alpha<0.5", "FILE.npz", "0123456789abcdef/5"),
    "show": ("scratch", "best", "0123456789abcdef/5", "models:/x@champion", "0" * 32, "kernel_size=3,5"),
    "compare": ("--csv", "--json", "--markdown", "--report", "--y-hat", "--csv=/dev/full", "scratch", "alpha<0.5", "best"),
    "export": ("x.zip", "out/", "scratch", "x.txt"),
    "import": ("FILE.zip", "/dev/null", "/dev/zero", "."),
    "check-gradients": ("--image-shape", "--kernel-size", "--filters", "--loss", "--draws", "--seed", "--engine"),
}
# Gradients of little, unless odd words ask for other sizes: those are refused or are as small.
LITTLE = ("--image-shape=4x4", "--kernel-size=3", "--draws=1", "--engine=numpy", "--loss=half_squared_error")


def command_line(seed: int) -> list[str]:
    """A stage and one to four words, each probably wrong."""
    choice = random.Random(seed)
    keys = [*flatten(asdict(Settings())), *GROUPS, "hydra.sweeper.params", "hydra.run.dir", "hydra.job.num"]
    words = [_word(choice, keys) for _ in range(choice.randint(1, 4))]
    return [choice.choice([stage for stage in STAGES if stage not in LEFT_OUT]), *words]


def own_line(seed: int) -> list[str]:
    """A stage that takes more than settings, and up to five words of its own and of odd ones."""
    choice = random.Random(seed)
    stage = choice.choice(list(OWN))
    words = choice.choices((*OWN[stage], *choice.choices(ODD, k=4)), k=choice.randint(0, 5))
    joined = [f"{word}={choice.choice(ODD)}" if word.startswith("--") and choice.random() < 0.4 else word for word in words]
    known = ["scratch"] if "scratch" in OWN[stage] and choice.random() < 0.6 else []
    return [stage, *(LITTLE if stage == "check-gradients" else ()), *known, *joined]


def _word(choice: random.Random, keys: list[str]) -> str:
    kind = choice.random()
    if kind < 0.7:
        return choice.choice(["", "", "", "+", "++", "~"]) + choice.choice(keys) + "=" + choice.choice(ODD)
    return choice.choice(FLAGS) if kind < 0.85 else choice.choice(ODD)


def faults(words: list[str], folder: Path) -> list[str]:
    """What is wrong with the answer to a command line, a line each; it works in `folder`, which may hold experiments."""
    before = set(folder.rglob("*"))
    # What trains is few iterations of little, and stays here.
    place = [f"paths.experiments={folder / 'experiments'}", "tracking=off", "training.iterations=1"]
    more = [word for word in place if word.partition("=")[0] not in str(words) and words[0] not in ALONE]
    code, out, error = answer([*words, *more], folder)
    found = [] if isinstance(code, int) else [f"raised {code!r:.200}"]
    found += [f"exit code {code}"] if isinstance(code, int) and code not in (0, 1) else []
    lines = (error if code else "").split("\n")
    found += ["traceback"] if "Traceback (most recent" in out + error else []
    found += ["said nothing"] if code == 1 and not (error + out).strip() else []
    found += [f"line of {len(line)} letters" for line in lines if len(line) > LONGEST_LINE][:1]
    found += ["letters that move the cursor" for line in (out + error).split("\n") if not line.isprintable()][:1]
    found += [f"{len(lines)} lines"] if len(lines) > 12 else []
    left = [str(path.relative_to(folder)) for path in {*folder.rglob("*")} - before] if code else []
    found += [f"refused, wrote {left[:3]}"] if left else []
    return [f"ovrcnn {words!r:.300}: {fault}" for fault in found]


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
        # Optuna's handler, as ours, would go on writing to the stream of this answer.
        for logger in map(logging.getLogger, ("pipeline", "optuna")):
            for handler in list(logger.handlers):
                logger.removeHandler(handler)
                handler.close()
