"""Commands of ours as a user types them: each a process in a folder of its own, watched line by line."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..tracking.address import address_of

# Where the package lies: a command's working folder is not the project's.
HOME = Path(__file__).resolve().parents[2]
# Everything that is wrong ends with its reason, in the last line.
LAST_LETTERS = 200
POLL_SECONDS = 0.02


class CommandError(RuntimeError):
    """A command failed; the message is its own last line."""


@dataclass(frozen=True)
class Line:
    """A line that a command printed, `seconds` after its start. memory: its peak so far in MB, files: those it has open;
    NaN for lines that are of no point, and where /proc does not tell."""

    text: str
    seconds: float
    memory: float = float("nan")
    files: float = float("nan")


@dataclass(frozen=True)
class Ran:
    """A command that ended well. memory: its largest resident set in MB (of 10^6 bytes); NaN where /proc does not tell."""

    seconds: float
    lines: tuple[Line, ...]
    memory: float

    @property
    def points(self) -> list[Line]:
        """The lines of points, in the order in which they ended."""
        return [line for line in self.lines if line.text.startswith("point ")]

    def until(self, words: str) -> float:
        """Seconds until the last line that starts so; NaN when there is none."""
        return max((line.seconds for line in self.lines if line.text.startswith(words)), default=float("nan"))


@dataclass(frozen=True)
class Place:
    """A folder in which commands leave everything that they write."""

    folder: Path

    @property
    def experiments(self) -> Path:
        return self.folder / "experiments"

    @property
    def database(self) -> Path:
        return self.folder / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        return self.folder / "mlartifacts"

    def run(self, stage: str, *arguments: str, tracked: bool = False, environment: Mapping[str, str] | None = None) -> Ran:
        """Run python -m pipeline.<stage>. CommandError when it fails, or when MLflow was not told all: less would be timed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        tracking = f"tracking.uri='{address_of(self.database)}'" if tracked else "tracking=off"
        words = [*arguments, f"paths.experiments='{self.experiments}'", tracking]
        ran = run([sys.executable, "-m", f"pipeline.{stage}", *words], self.folder, environment or {})
        if trouble := [line.text for line in ran.lines if line.text.startswith("MLflow: ")]:
            raise CommandError(trouble[-1][:LAST_LETTERS])
        return ran


def run(command: list[str], folder: Path, environment: Mapping[str, str]) -> Ran:
    """Run any command in a folder. CommandError when it fails."""
    settings = {**os.environ, "PYTHONPATH": str(HOME), **environment}
    begin, lines = time.perf_counter(), list[Line]()
    pipe, also = subprocess.PIPE, subprocess.STDOUT
    started = subprocess.Popen(command, cwd=folder, env=settings, text=True, stdout=pipe, stderr=also)
    with started as process, _peak_of(process.pid) as peak:
        assert process.stdout is not None
        for text in process.stdout:
            seconds = time.perf_counter() - begin
            lines.append(Line(text.rstrip(), seconds))
            if text.startswith("point "):
                lines[-1] = replace(lines[-1], memory=peak_megabytes(process.pid), files=open_files(process.pid))
        code = process.wait()
        seconds = time.perf_counter() - begin
    if code:
        last = next((line.text for line in reversed(lines) if line.text), "it says nothing")
        raise CommandError(f"exit code {code}: {last[:LAST_LETTERS]}")
    return Ran(seconds, tuple(lines), peak())


@contextmanager
def _peak_of(pid: int) -> Iterator[Callable[[], float]]:
    """The largest resident set of a process that runs meanwhile. Asked again and again, because a process that has ended no
    longer says; a peak cannot be missed but in its last moments, for the system keeps it. (What wait4 tells is no better:
    a new process inherits the peak of the one that started it.)"""
    found, ended = [float("nan")], threading.Event()

    def watch() -> None:
        while not ended.wait(POLL_SECONDS):
            now = peak_megabytes(pid)
            found[0] = now if now == now else found[0]

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: found[0]
    finally:
        ended.set()
        thread.join()


def peak_megabytes(pid: int) -> float:
    """The largest resident set of a process so far; NaN when there is no telling."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return float("nan")


def open_files(pid: int) -> float:
    """How many files, sockets and pipes a process has open; NaN when there is no telling."""
    try:
        return float(sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return float("nan")
