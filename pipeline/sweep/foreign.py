"""Points run by another launcher or sweeper of Hydra's: each of its jobs is one point, by the same functions as everywhere.

Jobs may run in other processes or on other machines that share the disk, so what they were asked for comes back as files.
"""

import logging
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import yaml
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from ..base import console
from ..base.errors import DataError, FileError, FullDiskError, MendableError
from ..base.files import write_text
from ..base.plain_yaml import read_yaml
from ..base.stops import stops_as_exceptions
from ..data.unused import check_used
from ..records.record import Record
from ..settings import Settings, parse
from .driver import drive
from .executors import pool
from .grid import Grid, deciding
from .hydra import register_resolver
from .jobs import at_home
from .point import Observer
from .points import points_of
from .progress import Lines, Observers

log = logging.getLogger(__name__)
ASKED = "asked"


class Watcher(Observer, Protocol):
    """An observer that has to be closed; it says what it could not do."""

    def close(self, status: str) -> list[str]: ...


@dataclass(frozen=True)
class Job:
    """What Hydra calls for each point. output: the sweep's folder. swept: what names a point. driver: the process that waits.

    watch: opens the watcher of a job. experiments: absolute, since a job may start in another folder. keys: the sweep's points,
    empty for a search: a job reads its data itself, and in mid-sweep that may have become other data.
    """

    output: Path
    swept: tuple[str, ...]
    driver: int
    watch: Callable[[], Watcher] | None
    experiments: str
    keys: frozenset[str]

    def __call__(self, config: DictConfig) -> float:
        """Train one point; what a search is to make large, or nan when the point failed."""
        console.configure_logging(self.output / "train.log")
        register_resolver()
        number = int(HydraConfig.get().job.num)
        # Its own process's signals are the launcher's; here only the driver's process hears them already.
        if os.getpid() == self.driver:
            return self._run(config, number)
        with stops_as_exceptions():
            return self._run(config, number)

    def _run(self, config: DictConfig, number: int) -> float:
        try:
            settings = self._settings(config)
            grid = Grid((settings,), self.swept)
            [point] = points_of(grid)
            if self.keys and point.key not in self.keys:
                raise DataError(f"{point.dataset.name}: is other data than when the sweep began; run the same command again")
        except (MendableError, OSError) as error:
            log.error("point %s failed: %s", number + 1, console.explain_error(error))
            return math.nan
        write_text(self.output / ASKED / f"{number:06d}.yaml", yaml.safe_dump(deciding(settings)))
        seen = Seen()
        watcher = self.watch() if self.watch else None
        status = "KILLED"
        try:
            observers: list[Observer] = [Lines(None, number), seen, *([watcher] if watcher else [])]
            outcome = drive([point], pool(settings.compute), Observers(tuple(observers)))
            status = "FAILED" if outcome.failed else "FINISHED"
        except FullDiskError as error:
            # How many points are recorded is the sweep's to say.
            status = "FAILED"
            log.error("point %s failed: %s", number + 1, error.where)
        finally:
            for line in watcher.close(status) if watcher else []:
                log.warning("%s", line)
        return seen.value

    def _settings(self, config: DictConfig) -> Settings:
        """A job's settings. A launcher that runs jobs in other processes has them share the machine: one core for each."""
        job = config.copy()
        OmegaConf.set_struct(job, False)
        with open_dict(job):
            job.pop("hydra", None)
        settings = at_home(parse(job), Path(HydraConfig.get().runtime.cwd))
        if not self.keys:
            # The sweep has looked at all that it knows.
            check_used([settings.data])
        compute = settings.compute
        if os.getpid() != self.driver:
            compute = replace(compute, executor="threads", n_jobs=1)
        return replace(settings, compute=compute, paths=replace(settings.paths, experiments=self.experiments))


class Seen:
    """Keeps what the one point of a job came to."""

    def __init__(self) -> None:
        self.value = math.nan

    def started(self, *_: Any) -> None:
        """Nothing is kept."""

    advanced = failed = started

    def finished(self, _point: Any, record: Record, _known: bool) -> None:
        self.value = float(record.result.criterion[1])


def asked_for(output: Path, experiments: str) -> list[Settings]:
    """The settings of all points that jobs were asked for, in their order. FileError when one cannot be read."""
    found = []
    for path in sorted((output / ASKED).glob("*.yaml")):
        try:
            found.append(parse({**read_yaml(path.read_bytes()), "paths": {"experiments": experiments}}))
        except (OSError, ValueError, TypeError) as error:
            raise FileError(f"{path}: is not a point ({error})") from None
    return found
