"""Keeps points/ to the current grid, so that its bytes depend on the grid alone; other points wait on a shelf beside it."""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from ..base.errors import FileError
from ..base.files import DAMAGED, keep_damaged
from .earlier import bring_up, is_earlier
from .record import is_finished

SHELF = Path("work") / "shelf"

log = logging.getLogger(__name__)


def bring_back(experiment: Path, wanted: Iterable[Path]) -> None:
    """Move wanted points (folders points/<trajectory>/<iterations>) that an earlier grid left on the shelf to their place."""
    if not (experiment / SHELF).is_dir():
        return
    for folder in wanted:
        shelved = experiment / SHELF / folder.parent.name / folder.name
        if shelved.is_dir() and not is_finished(folder):
            _move(shelved, folder)


def bring_up_to_date(experiment: Path, wanted: Iterable[Path]) -> list[str]:
    """Bring wanted points of an earlier layout to today's; those that are damaged are set aside. What to say, a line each."""
    brought, said = 0, []
    for folder in wanted:
        if not is_earlier(folder):
            continue
        try:
            bring_up(folder, experiment / "work")
            brought += 1
        except FileError as error:
            said.append(_put_aside(folder, error))
    return [*said, *([f"{brought} records of an earlier layout were brought to today's"] if brought else [])]


def set_damaged_aside(folder: Path, error: FileError) -> None:
    """Keep a damaged record, points/<trajectory>/<iterations>, where it is in nobody's way, and say so."""
    log.warning("%s", _put_aside(folder, error))


def _put_aside(folder: Path, error: FileError) -> str:
    kept = keep_damaged(folder, folder.parents[2] / DAMAGED, f"{folder.parent.name}-{folder.name}")
    return f"{error}; it was moved to {kept} and is computed again"


def set_aside(experiment: Path, wanted: Iterable[Path]) -> None:
    """Move every point that is not wanted to the shelf, where a later grid finds it."""
    kept = {folder.resolve() for folder in wanted}
    for folder in sorted((experiment / "points").glob("*/*")):
        if folder.resolve() not in kept:
            _move(folder, experiment / SHELF / folder.parent.name / folder.name)
    for trajectory in (experiment / "points").iterdir() if (experiment / "points").is_dir() else []:
        if trajectory.is_dir() and not any(trajectory.iterdir()):
            trajectory.rmdir()


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(target)
    source.rename(target)
