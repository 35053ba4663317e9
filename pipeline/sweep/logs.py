"""Folders of logs: a command's own is marked for as long as it runs, and those that killed commands left are removed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..base.files import held, is_held

LOGS, RUNNING = "logs", ".running"


@contextmanager
def marked(output: Path, experiment: Path) -> Iterator[None]:
    """While a command uses its folder. One that a person chose is theirs, and is not marked."""
    if output.parent != (experiment / LOGS).resolve():
        yield
        return
    with held(lambda: _made(output / RUNNING)) as mark:
        try:
            yield
        finally:
            mark.unlink(missing_ok=True)


def clean_logs(experiment: Path) -> None:
    """Remove the folders of commands that were killed; those that ended or were stopped, and those at work, stay."""
    for mark in experiment.glob(f"{LOGS}/*/{RUNNING}"):
        if not mark.parent.is_symlink() and is_held(mark) is False:
            shutil.rmtree(mark.parent, ignore_errors=True)


def _made(mark: Path) -> str:
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return str(mark.absolute())
