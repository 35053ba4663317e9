"""The checkout that this package runs from, as git knows it."""

import subprocess
from dataclasses import dataclass
from functools import cache

from . import project

# What decides numbers: tables and figures may change beside it.
CODE = ("pipeline", "pyproject.toml", "constraints.txt")


@dataclass(frozen=True)
class Code:
    """commit: of the checkout. changed: whether its code differs from that commit."""

    commit: str
    changed: bool


@cache
def code() -> Code | None:
    """The code that computes; None outside a checkout with a commit. Git is asked once in a process's life."""
    if not project.is_checkout():
        return None
    said = git("status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", *CODE).splitlines()
    commit = next((line.removeprefix("# branch.oid ") for line in said if line.startswith("# branch.oid ")), "(")
    return None if commit.startswith("(") else Code(commit, any(not line.startswith("#") for line in said))


def git(*arguments: str) -> str:
    """What git prints of the project's checkout; nothing where it fails or is not there."""
    try:
        asked = subprocess.run(
            ["git", "-C", str(project.root()), *arguments], capture_output=True, text=True, errors="replace", timeout=10
        )
        return asked.stdout if asked.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired):
        return ""
