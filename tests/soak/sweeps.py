"""Sweeps to attack: the real command in a folder of its own, and what an undisturbed run of it leaves."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.helpers.commands import ROOT, contents

NAME = "soak"
# Two sizes, two rates, three points on the way of each: twelve points on four trajectories, a second or two of training.
GRID = ("model.kernel_size=3,5", "training.alpha=0.1,0.5", "training.iterations=40,4000,12000", "training.batch_size=64")
# How a mark of its own tells a round's processes from all others.
MARK = "SOAK_ROUND"
# No command takes so long, whatever is done to it.
PATIENCE = 240.0


@dataclass(frozen=True)
class Sweep:
    """A kind of sweep. words: its settings beside the grid. tracked: whether MLflow is told."""

    name: str
    words: tuple[str, ...]
    tracked: bool

    def arguments(self) -> list[str]:
        return ["-m", *GRID, f"name={NAME}", "paths.experiments=experiments", *self.words, *self._tracking()]

    def _tracking(self) -> list[str]:
        return [] if self.tracked else ["tracking=off"]


SWEEPS = (
    Sweep("threads", ("compute.n_jobs=2",), True),
    Sweep("threads, not tracked", ("compute.n_jobs=2",), False),
    Sweep("processes", ("compute=processes", "compute.n_jobs=2"), True),
    Sweep("dask", ("compute=dask", "compute.n_jobs=2"), False),
    Sweep("joblib", ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"), True),
)


@dataclass
class Place:
    """A round's folder. mark: in the environment of all its processes. said: what each of its commands printed as errors."""

    folder: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    said: list[str] = field(default_factory=list)

    @property
    def experiment(self) -> Path:
        return self.folder / "experiments" / NAME

    @property
    def database(self) -> Path:
        return self.folder / "mlflow.db"

    @contextmanager
    def started(self, sweep: Sweep, file_size: int | None = None) -> Iterator[subprocess.Popen[str]]:
        """The command, running; what is left of it is killed in the end. file_size: bytes that no file may exceed."""
        limit = [] if file_size is None else ["prlimit", f"--fsize={file_size}"]
        with self._running(["train", *sweep.arguments()], limit) as process:
            yield process

    @contextmanager
    def _running(self, arguments: Sequence[str], before: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
        self.folder.mkdir(parents=True, exist_ok=True)
        own = {"PYTHONPATH": str(ROOT), "COLUMNS": "120", MARK: self.mark, "MLFLOW_TRACKING_URI": f"sqlite:///{self.database}"}
        # No shell can type half a letter, and no program is called with one.
        given = [word.encode(errors="replace") for word in arguments]
        words = [*map(os.fsencode, before), os.fsencode(Path(sys.executable).with_name("ovrcnn")), *given]
        with subprocess.Popen(
            words, cwd=self.folder, env={**os.environ, **own}, text=True, errors="replace", stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def finish(self, process: subprocess.Popen[str]) -> int:
        """Wait for a command's end; its exit code."""
        _, errors = process.communicate(timeout=PATIENCE)
        self.said.append(errors)
        return process.returncode

    def run(self, sweep: Sweep, file_size: int | None = None) -> int:
        """A command from its beginning to its end; its exit code."""
        with self.started(sweep, file_size) as process:
            return self.finish(process)

    def answer(self, arguments: Sequence[str]) -> int:
        """Any command of ovrcnn from its beginning to its end; its exit code."""
        with self._running(arguments) as process:
            return self.finish(process)

    def processes(self) -> list[psutil.Process]:
        """The processes of this round that are still there."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found


@dataclass(frozen=True)
class Straight:
    """An undisturbed run: what it left, how long it took in seconds, and where."""

    place: Place
    points: dict[str, bytes]
    tables: dict[str, bytes]
    seconds: float


TABLES = ("points.csv", "summary.csv", "y_hat.csv", "metrics.json", "config.yaml")


def tables(experiment: Path) -> dict[str, bytes]:
    """What a sweep leaves beside its points."""
    return {name: (experiment / name).read_bytes() for name in TABLES if (experiment / name).is_file()}


def straight(sweep: Sweep, folder: Path) -> Straight:
    """Run a sweep once without any attack; RuntimeError when that fails."""
    place, began = Place(folder), time.monotonic()
    if place.run(sweep) != 0:
        raise RuntimeError(f"{sweep.name}: the undisturbed run failed: {place.said[-1]}")
    seconds = time.monotonic() - began
    return Straight(place, contents(place.experiment / "points"), tables(place.experiment), seconds)
