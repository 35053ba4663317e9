"""Who computes: tags that say so, and whether the process they name is still there."""

import getpass
import os
import platform
import socket
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from ..base.checkout import git
from .trouble import shown

# A diff can hold whole data files.
LONGEST_DIFF = 1_000_000
PACKAGES = ("numpy", "numba", "joblib", "hydra-core", "mlflow", "pandas")


def identity() -> dict[str, str]:
    """Tags that say who computes and with what."""
    return {**_machine(), "pid": _pid()}


def is_mine(tags: Mapping[str, str]) -> bool:
    """Whether these are the tags of a run of this process."""
    mine = _machine()
    return all(tags.get(key) == mine[key] for key in ("host", "boot")) and tags.get("pid") == _pid()


def is_dead(tags: Mapping[str, str]) -> bool:
    """Whether the process that owned a run was on this machine and is gone."""
    mine = _machine()
    return tags.get("host") == mine["host"] and not _is_alive(tags.get("pid", ""), tags.get("boot", ""), mine["boot"])


def _pid() -> str:
    return f"{os.getpid()}@{_start_time(os.getpid())}"


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


@cache
def _machine() -> dict[str, str]:
    boot = Path("/proc/sys/kernel/random/boot_id")
    tags = {
        "mlflow.user": _user(),
        "mlflow.source.name": "ovrcnn",
        "mlflow.source.type": "LOCAL",
        "host": socket.gethostname(),
        "boot": boot.read_text().strip() if boot.exists() else "",
        "versions": ", ".join([f"python {platform.python_version()}", *(f"{p} {v}" for p, v in _versions())]),
    }
    return tags | provenance(git)


def provenance(ask: Callable[..., str]) -> dict[str, str]:
    """Tags of the checkout that computes, by MLflow's names; none where there is no checkout. ask: what git prints."""
    said = ask("status", "--porcelain=v2", "--branch", "--untracked-files=no").splitlines()
    known = dict(line.removeprefix("# branch.").split(" ", 1) for line in said if line.startswith("# branch."))
    if known.get("oid", "(").startswith("("):
        return {}
    tags = {"commit": known["oid"], "dirty": str(any(not line.startswith("#") for line in said)).lower()}
    if not known["head"].startswith("("):
        tags["branch"] = known["head"]
    url = ask("remote", "get-url", "origin").strip()
    if url:
        tags["repoURL"] = shown(url)
    return {f"mlflow.source.git.{name}": value for name, value in tags.items()}


@cache
def diff() -> str:
    """How the checkout that computes differs from its commit; empty when it does not, or where there is none."""
    text = git("diff", "HEAD", "--no-ext-diff", "--no-color") if _machine().get("mlflow.source.git.dirty") == "true" else ""
    return text if len(text) <= LONGEST_DIFF else f"{text[:LONGEST_DIFF]}\n... cut after {LONGEST_DIFF} letters\n"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run under a number that has no name.
        return str(os.getuid())


def _versions() -> list[tuple[str, str]]:
    found = []
    for package in PACKAGES:
        try:
            found.append((package, version(package)))
        except ImportError:
            continue
    return found
