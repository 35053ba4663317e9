"""Runs that tell the truth: who runs them, how they ended, and what became of those whose owner died."""

import getpass
import os
import platform
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path

from ..base import project
from ..base.stops import undisturbed
from .store import Store

PACKAGES = ("numpy", "numba", "joblib", "hydra-core", "mlflow", "pandas")
PARENT = "mlflow.parentRunId"


@contextmanager
def run(store: Store, name: str, parent: str | None = None, tags: dict[str, str] | None = None) -> Iterator[str]:
    """An MLflow run while the block runs, by its id. It ends FINISHED; FAILED on an exception; KILLED on a stop."""
    parents = {PARENT: parent} if parent else {}
    run_id = start(store, name, {**parents, **(tags or {})})
    status = "FINISHED"
    try:
        yield run_id
    except (KeyboardInterrupt, SystemExit):
        status = "KILLED"
        raise
    except BaseException:
        status = "FAILED"
        raise
    finally:
        end(store, run_id, status)


def start(store: Store, name: str, tags: dict[str, str]) -> str:
    """Create a run with the tags of this process; its id."""
    with undisturbed():
        created = store.client.create_run(store.experiment_id, run_name=name, tags={**identity(), **tags})
    return str(created.info.run_id)


def end(store: Store, run_id: str, status: str) -> None:
    """Close a run as FINISHED, FAILED or KILLED."""
    with undisturbed():
        store.client.set_terminated(run_id, status)


def end_children(store: Store, parent: str, status: str) -> None:
    """Close the runs under `parent` that still say RUNNING, once no worker is left that could."""
    for run_id in _running(store, f"tags.`{PARENT}` = '{parent}'"):
        end(store, run_id, status)


def reap(store: Store) -> int:
    """Mark runs of this machine as KILLED when the process that owned them is gone; how many there were."""
    mine = identity()
    dead = 0
    for entry in store.client.search_runs([store.experiment_id], "attributes.status = 'RUNNING'", max_results=1000):
        tags = entry.data.tags
        if tags.get("host") == mine["host"] and not _is_alive(tags.get("pid", ""), tags.get("boot", ""), mine["boot"]):
            store.client.set_terminated(entry.info.run_id, "KILLED")
            dead += 1
    return dead


def _running(store: Store, condition: str) -> list[str]:
    found = store.client.search_runs([store.experiment_id], f"attributes.status = 'RUNNING' and {condition}", max_results=1000)
    return [entry.info.run_id for entry in found]


def _is_alive(pid: str, boot: str, this_boot: str) -> bool:
    """A process is known by its id and start time: ids are used again, also within one boot."""
    number, _, started = pid.partition("@")
    return boot == this_boot and number.isdigit() and _start_time(int(number)) == started


def _start_time(pid: int) -> str | None:
    """When a process of this machine started, in clock ticks; None when there is none, "" where /proc does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""


def identity() -> dict[str, str]:
    """Tags that say who computed and with what."""
    return {**_machine(), "pid": f"{os.getpid()}@{_start_time(os.getpid())}"}


@cache
def _machine() -> dict[str, str]:
    boot = Path("/proc/sys/kernel/random/boot_id")
    tags = {
        "mlflow.user": getpass.getuser(),
        "mlflow.source.name": "ovrcnn",
        "mlflow.source.type": "LOCAL",
        "host": socket.gethostname(),
        "boot": boot.read_text().strip() if boot.exists() else "",
        "versions": ", ".join([f"python {platform.python_version()}", *(f"{p} {v}" for p, v in _versions())]),
    }
    commit = _git("rev-parse", "HEAD")
    if commit:
        dirty = bool(_git("status", "--porcelain", "--untracked-files=no"))
        tags |= {"mlflow.source.git.commit": commit, "git.dirty": str(dirty).lower()}
    return tags


def _versions() -> list[tuple[str, str]]:
    found = []
    for package in PACKAGES:
        try:
            found.append((package, version(package)))
        except ImportError:
            continue
    return found


def _git(*arguments: str) -> str:
    try:
        asked = subprocess.run(["git", "-C", str(project.root()), *arguments], capture_output=True, text=True, timeout=10)
        return asked.stdout.strip() if asked.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired):
        return ""
