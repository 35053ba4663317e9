"""Where blocks run: threads, processes, the workers of a Dask cluster. Anything that is a concurrent.futures.Executor fits.

A new executor is a function that returns a Pool, and a line in POOLS.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from joblib.externals.loky import cpu_count

from ..base import console
from ..base.errors import SettingsError
from ..settings import ComputeSettings
from .pool import Pool

# How long a client waits for a scheduler, and an orphan until it notices.
SCHEDULER_SECONDS = 10
ORPHAN_SECONDS = 0.5
# Killed workers are gone sooner, on a busy machine too.
KILL_SECONDS = 2.0


def pool(compute: ComputeSettings) -> Pool:
    """The pool of these settings. SettingsError when it cannot be had."""
    return POOLS[compute.executor](compute)


def cores(compute: ComputeSettings) -> int:
    """How many of this machine's cores these settings may use: never more than there are."""
    # Not joblib's own, which says 1 where there can be no processes.
    there = int(cpu_count())
    return there if compute.n_jobs == -1 else min(compute.n_jobs, there)


def threads(compute: ComputeSettings) -> Pool:
    """Threads of this process: the engine computes without Python's lock, and all of them share one copy of the images."""
    count = cores(compute)
    make = lambda: ThreadPoolExecutor(count, thread_name_prefix="block")  # noqa: E731  a Pool holds functions
    return Pool(f"{count} threads", make, lambda: count, lambda point: point.dataset, True, 0.3)


def processes(compute: ComputeSettings) -> Pool:
    """Processes of this machine; they map the prepared file into memory, so one copy of the images serves all."""
    if not can_start_processes():
        console.say("compute=processes: threads compute instead, to the same bytes; processes need a /dev/shm to write to")
        return threads(compute)
    count = cores(compute)
    return Pool(f"{count} processes", lambda: Processes(count), lambda: count, lambda point: point.data, True, 0.6)


def can_start_processes() -> bool:
    """Whether this machine has what they wait for each other by: semaphores, which Linux keeps in /dev/shm."""
    with _deaf():
        try:
            multiprocessing.get_context("spawn").Lock()
        except OSError:
            return False
    return True


class Processes(ProcessPoolExecutor):
    """Processes that end with this one and leave Ctrl-C to it from their first moment; `shutdown(wait=False)` kills them."""

    def __init__(self, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        with _deaf():
            super().__init__(count, mp_context=context, initializer=follow_parent, initargs=(os.getpid(),))

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        with _deaf():
            return super().submit(function, *arguments, **keywords)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        workers: dict[int, Any] = dict(self._processes or {})
        thread: Any = self._executor_manager_thread
        if not wait:
            for worker in workers.values():
                worker.kill()
        super().shutdown(wait, cancel_futures=cancel_futures)
        if thread and not wait:
            # With it go the semaphores; Python would complain of those that are left.
            thread.join(KILL_SECONDS)


@contextmanager
def _deaf() -> Iterator[None]:
    """A process that is started here does not hear what a terminal sends to all: Python's tracker of semaphores would die of
    it and complain, a worker would print where in its imports it was stopped. They end with their parent."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGQUIT, signal.SIGHUP])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def follow_parent(parent: int) -> None:
    """Let this worker end with its parent, however that ends, and leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def follow() -> None:
        while os.getppid() == parent:
            time.sleep(ORPHAN_SECONDS)
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def dask(compute: ComputeSettings) -> Pool:
    """The workers of a Dask cluster, this machine's or others'. They share no disk: data reaches each of them once."""
    try:
        from .dask import dask_pool
    except ImportError:
        raise SettingsError(["compute: dask is not installed; pip install 'ovrcnn[dask]' brings it"]) from None
    return dask_pool(compute, cores(compute), SCHEDULER_SECONDS)


POOLS: dict[str, Callable[[ComputeSettings], Pool]] = {"threads": threads, "processes": processes, "dask": dask}
