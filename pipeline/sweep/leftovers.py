"""What no experiment wants: points on the shelf, damaged files, old logs, checkpoints of trajectories that no grid has."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ..base import console
from ..base.errors import DataError, FileError
from ..base.files import DAMAGED
from ..data import prepared
from ..records.fingerprint import trajectory
from ..records.shelf import SHELF
from .grid import read_grid
from .locks import is_trained
from .logs import is_at_work

# A trajectory's checkpoints, by its name: what else lies there is nobody's to remove.
WAYS = f"work/{'[0-9a-f]' * 16}.npz"
# A log is old after so long.
OLD_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Leftover:
    """A file or folder that may go. what: why. size: bytes."""

    path: Path
    what: str
    size: int


def wanted(experiments: Path) -> set[str] | None:
    """The trajectories of all grids and of all points in their places; None, and a line, when some grid's cannot be told."""
    found = {path.name for path in experiments.glob("*/points/*")}
    for config in sorted(experiments.glob("*/config.yaml")):
        # Where nothing was ever trained there is nothing to keep, and often no data: an experiment as a clone has it.
        if not (config.parent / "work").is_dir():
            continue
        try:
            for settings in read_grid(config.parent).points:
                found.add(trajectory(settings, prepared.read(prepared.prepared_path(settings)).digest))
        except (FileError, DataError) as error:
            what = "so points on the shelf, checkpoints and runs stay: they may be this grid's"
            console.say(f"{config.parent.name}: {console.explain_error(error)}; {what}", error=True)
            return None
    return found


def leftovers(folder: Path, keep: set[str] | None) -> list[Leftover]:
    """Those of one experiment. keep: the trajectories that are wanted (what lies on them spares work); None keeps all."""
    ways = [] if keep is None else [path for path in folder.glob(WAYS) if path.stem not in keep]
    # Many sweeps of scratch may run at once, and its grid is the last one's.
    ways = [path for path in ways if not is_trained(folder, path.stem)]
    shelved = [] if keep is None else [path for path in (folder / SHELF).glob("*/*") if path.parent.name not in keep]
    # Any that is younger may be that of a command which runs; the newest is looked at most.
    logs = [path for path in sorted(folder.glob("logs/*"))[:-1] if time.time() - path.stat().st_mtime > OLD_SECONDS]
    found = {
        "a point on the shelf, of a trajectory that no grid has": sorted(shelved),
        "damaged": sorted((folder / DAMAGED).glob("*")),
        "checkpoints of a trajectory that no grid has": sorted(ways),
        "an old log": logs,
    }
    return [Leftover(path, what, size(path)) for what, paths in found.items() for path in paths]


def remove(found: list[Leftover]) -> None:
    """Remove them; what a link points to stays."""
    for each in found:
        if each.path.is_dir() and not each.path.is_symlink():
            shutil.rmtree(each.path)
        else:
            each.path.unlink(missing_ok=True)


@contextmanager
def left_alone(folder: Path) -> Iterator[bool]:
    """Whether no sweep of this experiment runs; of a named one none starts in the meantime."""
    if not (folder / "work").is_dir():
        yield True
        return
    lock = FileLock(folder / "work" / "sweep.lock")
    with suppress(Timeout):
        lock.acquire(timeout=0)
    # Scratch's sweeps take no lock: a trajectory that one of them has yet to begin is known by its log alone.
    alone = lock.is_locked and not is_at_work(folder)
    if not alone:
        console.say(f"a sweep of {folder.name} is running; nothing of it is removed", error=True)
    try:
        yield alone
    finally:
        lock.release()


def size(path: Path) -> int:
    """The bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() and not path.is_symlink() else [path]
    return sum(file.lstat().st_size for file in files if file.is_symlink() or file.is_file())
