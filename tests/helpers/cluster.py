"""A real Dask cluster: a scheduler and workers, each a process of its own that knows neither the project nor its data."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from distributed import Client

from pipeline.sweep.point import Point
from tests.helpers.commands import until
from tests.helpers.data import prepare
from tests.helpers.records import Recorder, point_of, small_settings, with_training


class DaskCluster:
    """Its processes start in an empty folder; a `path` is from where they import the package."""

    def __init__(self, folder: Path, scheduler_path: Path) -> None:
        self.folder, self.log = folder / "empty", folder / "log.txt"
        self.folder.mkdir(parents=True)
        self.workers: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        self.scheduler = self._start(scheduler_path, "scheduler", "--port", "0", "--scheduler-file", str(file))
        until(file.exists)
        self.client = Client(scheduler_file=str(file), set_as_default=False)
        self.address = self.client.scheduler.address

    def add(self, *paths: Path) -> list[subprocess.Popen[bytes]]:
        """More workers, once the scheduler knows them."""
        first = len(self.workers)
        for number, path in enumerate(paths, first):
            options = ["--nthreads", "1", "--no-nanny", "--name", str(number)]
            self.workers.append(self._start(path, "worker", self.address, *options))
        until(lambda: set(range(first, len(self.workers))) <= set(self.names().values()))
        return self.workers[first:]

    def names(self) -> dict[str, int]:
        """Which of `workers` they are, by their addresses."""
        found = self.client.scheduler_info(n_workers=-1)["workers"]
        return {address: int(worker["name"]) for address, worker in found.items()}

    def busy(self) -> list[subprocess.Popen[bytes]]:
        """The workers that have a block."""
        names, processing = self.names(), self.client.processing()
        return [self.workers[names[a]] for a, keys in processing.items() if a in names and any("block" in str(k) for k in keys)]

    def arrivals(self, kind: str) -> dict[int, int]:
        """How many results and data sets of a kind came into each worker's memory."""

        def count(kind: str, dask_worker: object = None) -> int:
            log = dask_worker.state.log  # type: ignore[attr-defined]  # Dask gives its own
            return sum(1 for entry in log if entry[1] == "put-in-memory" and str(entry[0]).startswith(kind))

        # By its code: what is asked must not need this package.
        count.__module__ = "__main__"
        counts = self.client.run(count, kind)
        return {number: counts[address] for address, number in self.names().items() if address in counts}

    def kill(self, *processes: subprocess.Popen[bytes]) -> None:
        """As kill -9 does; returns when the scheduler has noticed."""
        for process in processes:
            process.kill()
            process.wait()
        dead = {self.workers.index(process) for process in processes}
        until(lambda: not dead & set(self.names().values()))

    def close(self) -> None:
        self.client.close(timeout=1)
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()

    def _start(self, path: Path, what: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONPATH": str(path)}
        line = [sys.executable, "-m", "dask", what, "--host", "127.0.0.1", "--no-dashboard", *arguments]
        with self.log.open("ab") as log:
            return subprocess.Popen(line, cwd=self.folder, env=environment, stdout=log, stderr=log)


def without_the_package(folder: Path) -> Path:
    """A path from which ovrcnn cannot be imported, though this environment has it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pipeline.py").write_text("raise ModuleNotFoundError(\"No module named 'pipeline'\", name='pipeline')\n")
    return folder


def points_of_digits(folder: Path, executor: str, scheduler: str | None = None) -> list[Point]:
    """Three trajectories on handwritten digits, of two points each: a second or two of training, so that whoever meddles finds
    somebody at work."""
    points = []
    for alpha in (0.5, 0.25, 0.125):
        settings = small_settings(folder, 5000, alpha=alpha, batch_size=64)
        compute = replace(settings.compute, executor=executor, scheduler=scheduler, n_jobs=2)
        settings = replace(settings, model=replace(settings.model, kernel_size=5, filters=8), compute=compute)
        dataset = prepare(settings)
        points += [point_of(with_training(settings, iterations=n), dataset) for n in (40, 5000)]
    return points


class Meddler(Recorder):
    """An observer that does something, once and beside the driver, when some trajectory is on its way."""

    def __init__(self, deed: Callable[[], object]) -> None:
        super().__init__(self._when)
        self.thread = threading.Thread(target=deed)

    def _when(self, iteration: int) -> None:
        if iteration > 40 and not self.thread.ident:
            self.thread.start()
