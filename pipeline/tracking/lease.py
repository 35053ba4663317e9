"""Whether the owner of a run still lives: it holds a lease, whatever its machine, its container and its process are called.

A run's tag `owner` names a lease. Its holder keeps a file of that name locked. The system lets go of the lock in the moment in
which the process ends, however it ends, and whoever has the disk sees it, under any host name and in any container.

The leases of a database lie beside it, where all who can open it find them: there, no file means nobody. A server has users who
share no disk, so its holder also writes the time into a tag of the experiment, twice a minute. Others believe the file where
they find it, in the experiments' folder, and the time where they do not.
"""

import contextlib
import glob
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..base.files import held, is_held, remove_left
from . import owner
from .address import database_of
from .store import Store

OWNER, TIME = "owner", "lease."
NAME = re.compile(r"[0-9a-f]{32}")
RENEW_SECONDS = 30.0
# Clocks differ by minutes, machines stall, servers are away for a while: a run that is called RUNNING for some minutes too long
# does less harm than a living one that is called KILLED.
LEASE_SECONDS = 300.0
FOLDER, END = Path("work") / "leases", ".lease"


class Lease:
    """The lease of one command, or of one job of it. uri: of the store. experiment: its folder, for a server's leases; None
    leaves them to the time alone."""

    def __init__(self, uri: str, experiment: Path | None = None) -> None:
        self.owner = uuid.uuid4().hex
        self._database = _database(uri)
        self._experiment = experiment
        self._file = contextlib.ExitStack()
        self._path: Path | None = None
        # When the time was last written, by this machine's clock.
        self._renewed: float | None = None

    def tags(self) -> dict[str, str]:
        """Tags of a run that is this owner's."""
        return {**owner.identity(), OWNER: self.owner}

    def is_mine(self, tags: Mapping[str, str]) -> bool:
        return tags.get(OWNER) == self.owner

    def take(self, store: Store) -> None:
        """Hold the lease, before the first run is tagged with it; again it only renews it."""
        path = self._experiment / FOLDER / self.owner if self._experiment else None
        if self._database is not None:
            path = beside(self._database, self.owner)
        if self._path is None and path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file.enter_context(held(partial(_touched, path)))
            self._path = path
        self.renew(store)

    def renew(self, store: Store) -> bool:
        """Write the time, when it is due; whether that comes so late that others may have taken this owner for dead: the
        machine slept, or the server was away."""
        before, now = self._renewed, time.time()
        # A clock that was set back makes it due, too.
        if self._database is not None or (before is not None and 0 <= now - before < RENEW_SECONDS):
            return False
        store.client.set_experiment_tag(store.experiment_id, TIME + self.owner, str(int(now)))
        self._renewed = now
        return before is not None and now - before > LEASE_SECONDS

    def release(self, store: Store) -> None:
        """The runs have ended: nobody needs to know any more."""
        self.let_go()
        if self._renewed is not None:
            # Whoever finds it later removes it.
            with contextlib.suppress(Exception):
                store.client.delete_experiment_tag(store.experiment_id, TIME + self.owner)
            self._renewed = None

    def let_go(self) -> None:
        """The same without the store, which may not answer."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._file.close()
            self._path = None

    def is_dead(self, tags: Mapping[str, str], times: Mapping[str, float]) -> bool:
        """Whether these are the tags of a run whose owner is gone. times: see `read_times`. Runs of other programs are not
        for us to judge."""
        name = tags.get(OWNER, "")
        if not NAME.fullmatch(name):
            # Earlier versions had no leases; no command of them is at work on a database that this one has opened.
            return self._database is not None and "pid" in tags
        if name == self.owner:
            return False
        for path in self._places(name):
            found = is_held(path)
            if found is not None:
                return not found
        # A time that is yet to come is that of another clock.
        return self._database is not None or time.time() - times.get(name, 0) > LEASE_SECONDS

    def clean_up(self, store: Store, experiments: Iterable[Any], times: Mapping[str, float]) -> None:
        """Remove what dead owners left, after their runs are closed."""
        for path in self._places("*"):
            remove_left(path)
        for experiment in experiments:
            for name in (tag.removeprefix(TIME) for tag in experiment.tags if tag.startswith(TIME)):
                if name != self.owner and time.time() - times.get(name, 0) > LEASE_SECONDS:
                    store.client.delete_experiment_tag(experiment.experiment_id, TIME + name)

    def _places(self, name: str) -> list[Path]:
        """The files of this name's lease, or of all."""
        if self._database is not None:
            return list(self._database.parent.glob(glob.escape(self._database.name) + f".{name}{END}"))
        return [] if self._experiment is None else list(self._experiment.parent.glob(f"*/{FOLDER}/{name}"))


def beside(database: Path, name: str) -> Path:
    """Where a database's lease of this name lies."""
    return database.with_name(f"{database.name}.{name}{END}")


def is_alive(uri: str, name: str) -> bool:
    """Whether somebody holds this lease of a database."""
    database = _database(uri)
    return database is not None and NAME.fullmatch(name) is not None and bool(is_held(beside(database, name)))


def read_times(experiments: Iterable[Any]) -> dict[str, float]:
    """When each owner last wrote its time, by its own clock, in seconds. experiments: of MLflow's, whose tags say it."""
    found = {}
    for experiment in experiments:
        for tag, value in experiment.tags.items():
            if tag.startswith(TIME):
                found[tag.removeprefix(TIME)] = float(value) if value.isascii() and value.isdigit() else 0.0
    return found


def _database(uri: str) -> Path | None:
    """The file of an embedded store; a server has none."""
    return database_of(uri) if uri.startswith("sqlite:") else None


def _touched(path: Path) -> str:
    path.touch()
    return str(path)
