"""Keeps points/ to the current grid, so that its bytes depend on the grid alone; other points wait on a shelf beside it."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from .record import is_finished

SHELF = Path("work") / "shelf"


def bring_back(experiment: Path, wanted: Iterable[Path]) -> None:
    """Move wanted points (folders points/<trajectory>/<iterations>) that an earlier grid left on the shelf to their place."""
    for folder in wanted:
        shelved = experiment / SHELF / folder.parent.name / folder.name
        if is_finished(shelved) and not is_finished(folder):
            _move(shelved, folder)


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
