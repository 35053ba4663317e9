"""Where the user's files lie: data.path, and what a folder holds."""

import os
from pathlib import Path

from ..base.errors import DataError


def source_path(path: str) -> Path:
    """data.path as a Path, with ~ filled in. DataError when no file can be called so."""
    try:
        found = Path(path).expanduser()
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
