"""Who computes, and with what: tags that say so."""

import getpass
import os
import platform
import socket
from collections.abc import Callable
from functools import cache
from importlib.metadata import version

from ..base.checkout import git
from .trouble import shown

# A diff can hold whole data files.
LONGEST_DIFF = 1_000_000
PACKAGES = ("numpy", "numba", "joblib", "hydra-core", "mlflow", "pandas")


def identity() -> dict[str, str]:
    """Tags that say who computes and with what."""
    return {**_machine(), "pid": str(os.getpid())}


@cache
def _machine() -> dict[str, str]:
    tags = {
        "mlflow.user": _user(),
        "mlflow.source.name": "ovrcnn",
        "mlflow.source.type": "LOCAL",
        "host": socket.gethostname(),
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
