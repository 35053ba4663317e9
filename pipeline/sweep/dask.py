"""A Dask cluster as a Pool. Imported only when it is asked for.

Only bytes, arrays and text travel, so the scheduler needs no package but Dask and NumPy, and a worker that has no ovrcnn, or
not this one, can say so. Images stay in Dask's graph: whoever holds the only copy may die, the scheduler hands out another.
"""

import asyncio
import contextlib
import hashlib
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, InvalidStateError
from functools import cache, lru_cache
from typing import Any
from uuid import uuid4

import numpy as np
from distributed import Client, LocalCluster, get_worker
from distributed.client import FutureCancelledError
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker

from ..base import project
from ..base.errors import LostWorkerError, SettingsError
from ..data.dataset import Dataset, Pictures
from ..settings import ComputeSettings
from ..training.block import Task, Trained
from .pool import Pool

log = logging.getLogger(__name__)

LOST = (CancelledError, FutureCancelledError, CommClosedError, KilledWorker)
SILENT = logging.CRITICAL + 1
# How often workers that come and go are counted.
LOOK_SECONDS = 0.5
# The sources that decide a block's numbers.
DECIDING = ("heads", "training", "data", "settings.py")
# What a worker does with a block. It is text, because a function by its name would ask the scheduler for the package too, and
# a function by its code would tie all of them to one version of Python.
BLOCK = """
try:
    from pipeline.sweep.dask import run
except Exception as error:
    from distributed import get_worker
    answer = get_worker().address, f"it cannot import the package ovrcnn ({error})"
else:
    answer = run(job, version, pictures, split)
"""


def dask_pool(compute: ComputeSettings, count: int, seconds: int) -> Pool:
    """A pool on `compute.scheduler`, or on `count` workers of this machine. SettingsError when no scheduler answers."""
    # Dask tells of every worker that comes or goes, at length; the driver says what matters.
    for name in ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio"):
        logging.getLogger(name).setLevel(SILENT)
    # Data is meant to be in the graph, see above; other versions of Dask are told of by whatever fails.
    for message in ("Sending large graph", "Mismatched versions"):
        warnings.filterwarnings("ignore", message=message)
    here = start_here(count) if compute.scheduler is None else None
    address = compute.scheduler or _address_of(here)
    try:
        client = Client(address, timeout=seconds, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError([f"compute.scheduler: no Dask scheduler answers at {address} ({reason})"]) from None
    cluster = Cluster(client, compute.scheduler or "this machine")

    def close() -> None:
        # Whoever stops does not wait for what has gone.
        with contextlib.suppress(Exception):
            client.close(timeout=1)
        if here and here.poll() is None:
            # All of its group, its workers included.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(here.pid, signal.SIGKILL)
            here.communicate()

    what = f"{count} Dask workers of this machine" if here else f"the Dask workers of {address}"
    return Pool(what, lambda: cluster, cluster.threads, lambda point: point.dataset, False, 2.0, LOST, close, bool(here))


def start_here(count: int) -> "subprocess.Popen[str]":
    """A scheduler and workers on this machine, in a group of processes of their own: they hear no Ctrl-C, and Dask's servers do
    not share this process's threads, where their garbage collection can swallow one."""
    paths = [str(project.PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.sweep.dask", str(count)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def serve(count: int) -> None:
    """What `start_here` starts: until whoever started it dies, however that happens, which closes the pipe."""

    def end() -> None:
        sys.stdin.read()
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=end, daemon=True).start()
    cluster = LocalCluster(n_workers=count, threads_per_worker=1, host="127.0.0.1", dashboard_address=None)
    print(cluster.scheduler_address, flush=True)
    threading.Event().wait()


def _address_of(here: "subprocess.Popen[str] | None") -> str:
    address = here.stdout.readline().strip() if here and here.stdout else ""
    if not address:
        raise SettingsError(["compute: Dask's workers do not start on this machine; dask worker --help shows whether it can"])
    return address


class Cluster(Executor):
    """Blocks on the workers of a scheduler, `where`. All but `submit` and `threads` happens in the client's event loop."""

    def __init__(self, client: Client, where: str) -> None:
        self._client, self._where = client, where
        # Threads by worker; why workers get no blocks; data on the cluster by its digest.
        self._workers: dict[str, int] = dict(client.nthreads())
        self._unfit: dict[str, str] = {}
        self._data: dict[str, Any] = {}
        self._gone = False
        # Every 2 s it would take the images away from workers that have no block just now, and bring them again.
        client.amm.stop()
        self._say_if_alone()
        client.loop.add_callback(self._look)

    def threads(self) -> int:
        """How many blocks run at once; a worker that joins late counts from then on. At least one, which may wait."""
        return max(1, sum(self._fit().values()))

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **_: Any) -> Future[Any]:
        """`function(task, dataset)`; the dataset reaches a worker once."""
        task, dataset = arguments
        outcome: Future[Any] = Future()
        self._client.loop.add_callback(self._run, outcome, pickle.dumps((function, task)), dataset)
        return outcome

    async def _run(self, outcome: Future[Any], job: bytes, dataset: Dataset) -> None:
        """A block's outcome, from a worker that can compute it."""
        try:
            result = await self._result(job, dataset)
        except (Exception, FutureCancelledError) as error:
            self._gone = self._gone or self._client.status != "running"
            problem = self._problem(error)
            with contextlib.suppress(InvalidStateError):
                outcome.set_exception(problem)
        else:
            with contextlib.suppress(InvalidStateError):
                outcome.set_result(result)

    async def _result(self, job: bytes, dataset: Dataset) -> Any:
        while True:
            if self._gone:
                raise LostWorkerError("")
            if self._workers and not self._fit():
                raise LostWorkerError(f"no worker of {self._where} can be used: {next(iter(self._unfit.values()))}")
            # Others only when these have died: so nothing waits for a worker that never comes back.
            choice = {"workers": list(self._fit()), "allow_other_workers": True} if self._unfit else {}
            values = {"block": BLOCK, "job": job, "version": version(), **self._shared(dataset)}
            key = f"block-{uuid4()}"
            answer = await self._client.submit(eval, "exec(block) or answer", values, key=key, pure=False, **choice)
            if isinstance(answer, bytes):
                return pickle.loads(answer)
            address, reason = answer
            if address not in self._unfit:
                log.warning("worker %s gets no blocks: %s", address, reason)
            self._unfit[address] = reason
            # Dask may offer that worker once more, since it looks so free.
            await asyncio.sleep(LOOK_SECONDS)

    def _problem(self, error: BaseException) -> BaseException:
        """An error as the driver is to see it: lost workers, what a person can mend, or what training itself raised."""
        if self._gone:
            return LostWorkerError(f"the Dask scheduler {self._where} is gone; once it is back, the same command goes on")
        if isinstance(error, RuntimeError) and "deserialization of the task graph" in str(error):
            return LostWorkerError(
                f"the Dask scheduler {self._where} cannot read blocks; it needs NumPy and this version of Dask"
            )
        return error

    def _shared(self, dataset: Dataset) -> dict[str, Any]:
        """A data set as two tasks, which reach a worker once, from the scheduler or from another worker. Splits of the same
        images share them."""
        pictures, split = dataset.pictures, (dataset.name, dataset.split, dataset.scale, dataset.digest)
        # As a plain array: a map of a file travels as a copy of a copy.
        arrays = (np.asarray(pictures.images), pictures.labels, pictures.classes)
        return {
            "pictures": self._held("pictures", pictures.digest, arrays),
            "split": self._held("split", dataset.digest, split),
        }

    def _held(self, kind: str, digest: str, values: tuple[Any, ...]) -> Any:
        name = f"{kind}-{digest}"
        if name not in self._data or self._data[name].status in ("cancelled", "lost", "error"):
            # The key is new each time, because Dask would remember what became of the old one.
            self._data[name] = self._client.submit(tuple, list(values), key=f"{name}-{uuid4()}", pure=False)
        return self._data[name]

    async def _look(self) -> None:
        """Count the workers from now on, and say when some have gone."""
        while self._client.status == "running":
            await asyncio.sleep(LOOK_SECONDS)
            try:
                now = dict(await self._client.nthreads(asynchronous=True))
            except (Exception, FutureCancelledError):
                continue
            before, self._workers = self._workers, now
            self._unfit = {address: reason for address, reason in self._unfit.items() if address in now}
            gone = len(before.keys() - now.keys())
            if gone:
                log.warning("%d of %d workers of %s died; their blocks are given out again", gone, len(before), self._where)
                self._say_if_alone()
        self._gone = True

    def _say_if_alone(self) -> None:
        if not self._workers:
            log.warning("no worker is at %s; waiting for one", self._where)

    def _fit(self) -> dict[str, int]:
        return {address: threads for address, threads in self._workers.items() if address not in self._unfit}

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """The pool closes the client."""


def run(job: bytes, driver: str, pictures: tuple[Any, ...], split: tuple[Any, ...]) -> bytes | tuple[str, str]:
    """On a worker: a block's outcome, or, when its bits could be others than the driver's, this worker's address and why."""
    if version() != driver:
        return str(get_worker().address), "its ovrcnn is another version than this one"
    function, task = pickle.loads(job)
    name, parts, scale, digest = split
    dataset = Dataset(name, Pictures(*pictures), parts, scale)
    # It came from these very arrays; hashing again would cost every block.
    dataset.__dict__["digest"] = digest
    try:
        warm_up(task, dataset)
    except Exception as error:
        return str(get_worker().address), f"it cannot compile the engine ({error})"
    trained: Trained = function(task, dataset)
    return pickle.dumps(trained)


@lru_cache(maxsize=1)
def version() -> str:
    """What of this package decides a block's numbers, as installed here."""
    digest = hashlib.sha256()
    for part in DECIDING:
        place = project.PACKAGE / part
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(f"{path.relative_to(project.PACKAGE).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def warm_up(task: Task, dataset: Dataset) -> None:
    """Compile the engine for a block before its time is taken. A worker does it once, where nothing is compiled yet."""
    if task.settings.compute.engine == "numba":
        _compile(task.heads[0].dtype.name, dataset.images.dtype.name)


@cache
def _compile(dtype: str, stored: str) -> None:
    from ..heads.compiled import engine

    engine.warm_up(dtype, stored)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
