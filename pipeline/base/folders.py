"""Folders that are never half written."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .files import UMASK, UNFINISHED, held, naming, sync_folder


def write_folder(folder: Path, contents: Mapping[str, bytes], work: Path) -> None:
    """A folder of files, on disk, that appears under its name in one rename, or not at all; one that is there is replaced.

    work: where it is put together; a kill leaves its pieces there.
    """
    with atomic_folder(folder, work) as temporary:
        for name, content in contents.items():
            write_durably(temporary / name, content)


def write_durably(path: Path, content: bytes) -> None:
    """A file whose bytes are on disk; its name is when its folder is."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def temporary_folder(work: Path, name: str) -> Iterator[Path]:
    """A folder in `work` that is gone afterwards; what a kill leaves of it is removed by `clean_up`."""
    work.mkdir(parents=True, exist_ok=True)
    with held(lambda: tempfile.mkdtemp(UNFINISHED, f"{name}.", work)) as temporary:
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def atomic_folder(folder: Path, work: Path) -> Iterator[Path]:
    """What `write_folder` writes, filled by the caller."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    work.mkdir(parents=True, exist_ok=True)
    with naming(folder), held(lambda: tempfile.mkdtemp(UNFINISHED, f".{folder.name[:100]}.", work)) as temporary:
        earlier = temporary.with_name(f"earlier.{temporary.name}")
        try:
            yield temporary
            temporary.chmod(0o777 & ~UMASK)
            sync_folder(temporary)
            if folder.exists():
                # Moved away whole: whoever reads it meets one folder or the other, not half of one.
                folder.rename(earlier)
            temporary.rename(folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        finally:
            shutil.rmtree(earlier, ignore_errors=True)
    sync_folder(folder.parent)
