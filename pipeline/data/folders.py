"""Where the user's files lie: data.path, and what a folder holds."""

import os
from pathlib import Path

from ..base import project
from ..base.errors import DataError


def stored_path(path: str, here: Path) -> str:
    """data.path, typed in the folder `here`, as settings keep it for commands in other folders: relative to the project when it
    lies there, which is the same on every machine, else absolute. One that begins with ~ stays."""
    if path.startswith("~"):
        return path
    whole = Path(os.path.normpath(here / path))
    return whole.relative_to(project.root()).as_posix() if whole.is_relative_to(project.root()) else str(whole)


def source_path(path: str) -> Path:
    """A stored data.path as an absolute Path, with ~ filled in. DataError when no file can be called so."""
    try:
        found = project.root() / project.expanded(path)
        os.path.realpath(found)
        found.exists()
    except (RuntimeError, ValueError, OSError) as error:
        raise DataError(f"data.path: {path} is not a usable path ({error})") from None
    return found


def check_folder(folder: Path) -> None:
    """DataError unless there is such a folder."""
    if not folder.is_dir():
        raise DataError(f"{folder}: {'is a file, a folder is needed' if folder.exists() else 'no such folder'}")


def visible(folder: Path) -> list[Path]:
    """What a folder holds, by name; without hidden files."""
    return sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=lambda path: path.name)
