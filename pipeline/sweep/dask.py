"""A Dask cluster as a Pool. Imported only when it is asked for."""

import logging
import warnings
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

from distributed import Client, LocalCluster
from distributed.client import FutureCancelledError
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker

from ..base.errors import SettingsError
from ..data.dataset import Dataset
from ..settings import ComputeSettings
from .executors import Pool
from .point import Point

LOST = (CancelledError, FutureCancelledError, CommClosedError, KilledWorker)


def dask_pool(compute: ComputeSettings, count: int, seconds: int) -> Pool:
    """A pool on `compute.scheduler`, or on `count` workers of this machine. SettingsError when no scheduler answers."""
    # Dask tells of every worker that comes or goes, at length; the driver says what matters.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    cluster = None
    if compute.scheduler is None:
        cluster = LocalCluster(n_workers=count, threads_per_worker=1, host="127.0.0.1", dashboard_address=None)
    try:
        client = Client(cluster or compute.scheduler, timeout=seconds, set_as_default=False)
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise SettingsError([f"compute.scheduler: no Dask scheduler answers at {compute.scheduler} ({reason})"]) from None
    what = "Dask workers of this machine" if cluster else f"the workers of {compute.scheduler}"

    def close() -> None:
        client.close(timeout=1)
        if cluster:
            cluster.close(timeout=1)

    return Pool(what, lambda: client.get_executor(pure=False), _threads_of(client), _sharing(client), False, 2.0, LOST, close)


def _threads_of(client: Client) -> Callable[[], int]:
    """How many blocks its workers run at once; a worker that joins late counts from then on."""
    return lambda: max(1, sum(client.nthreads().values()))


def _sharing(client: Client) -> Callable[[Point], Any]:
    """A data set as a task of its own: it reaches a worker once, from the scheduler or from another worker, and is made
    again from what the scheduler keeps when the workers that held it died."""
    futures: dict[str, Any] = {}

    def share(point: Point) -> Any:
        digest = point.dataset.digest
        if digest not in futures or futures[digest].status in ("cancelled", "lost", "error"):
            with warnings.catch_warnings():
                # It is meant to be in the graph: nothing else brings it back.
                warnings.filterwarnings("ignore", message="Sending large graph")
                futures[digest] = client.submit(_received, point.dataset, key=f"data-{digest}", pure=True)
        return futures[digest]

    return share


def _received(dataset: Dataset) -> Dataset:
    return dataset
