"""Folders of logs: a command's own is marked for as long as it runs, and those that killed commands left are removed."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..base.files import held, is_held, remove_left

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
        if not mark.parent.is_symlink():
            remove_left(mark, mark.parent)


def is_at_work(experiment: Path) -> bool:
    """Whether some command has its folder here now."""
    return any(is_held(mark) for mark in experiment.glob(f"{LOGS}/*/{RUNNING}"))


def _made(mark: Path) -> str:
    while not mark.exists():
        mark.parent.mkdir(parents=True, exist_ok=True)
        # Between the two somebody may remove the folder, whom an earlier mark told that its command was dead.
        with suppress(FileNotFoundError):
            mark.touch()
    return str(mark.absolute())
