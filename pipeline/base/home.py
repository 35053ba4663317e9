"""Where libraries may keep what they make, such as compiled code and lists of fonts, whoever runs this and wherever it lies.

A container may run under a number that has no name and no home, in a checkout that it may only read.
"""

import contextlib
import os
import stat
import sys
import tempfile
from pathlib import Path

# Where Numba, matplotlib and this project look for caches; where matplotlib keeps a little more; what MLflow wants at import.
CACHE, MATPLOTLIB, HOME = "XDG_CACHE_HOME", "MPLCONFIGDIR", "HOME"
# Without it there are no semaphores, and joblib would say in two lines of every command what it does then.
SHARED, JOBLIB = Path("/dev/shm"), "JOBLIB_MULTIPROCESSING"
NAME = f"ovrcnn-{os.getuid()}"


def settle() -> None:
    """Lead all that asks for a cache to a private folder where the usual one cannot be written.

    To be called before any library is imported: they look once. Child processes inherit it.
    """
    if sys.platform == "linux" and not os.access(SHARED, os.W_OK):
        os.environ.setdefault(JOBLIB, "0")
    with contextlib.suppress(OSError):
        if os.path.expanduser("~") == "~":  # noqa: PTH111  Path.home() raises where this says that there is none
            os.environ[HOME] = str(private())
        if not is_writable(_folder(CACHE, ".cache")):
            os.environ[CACHE] = str(private())
        if MATPLOTLIB not in os.environ and not is_writable(_folder("XDG_CONFIG_HOME", ".config")):
            os.environ[MATPLOTLIB] = str(private() / "matplotlib")


def is_private() -> bool:
    """Whether caches are led to a private folder, by this process or the one that started it."""
    return any(Path(os.environ.get(name, "")).name.startswith(NAME) for name in (CACHE, HOME))


def private() -> Path:
    """A folder below the temporary one that nobody else can read or write. OSError when there is none."""
    folder = Path(tempfile.gettempdir()) / NAME
    with contextlib.suppress(FileExistsError):
        folder.mkdir(0o700)
    held = folder.lstat()
    if stat.S_ISDIR(held.st_mode) and held.st_uid == os.getuid() and not held.st_mode & 0o077:
        return folder
    # Somebody was there first; what is in it would be run.
    return Path(tempfile.mkdtemp(prefix=f"{NAME}-"))


def is_writable(folder: Path) -> bool:
    """Whether the folder is there and takes files, or can be made."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _folder(variable: str, usual: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / usual)
