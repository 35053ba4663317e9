"""A crate written as a folder or as a zip: whole, or not at all; the same records give the same bytes."""

import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ..base.errors import FileError
from ..base.files import atomic_write, clean_up
from ..base.folders import atomic_folder, write_durably
from .contents import Contents, read_part
from .metadata import METADATA

# The earliest that a zip can tell.
EPOCH = (1980, 1, 1, 0, 0, 0)
ZIP = ".zip"


def check_new(out: Path) -> None:
    """FileError unless something new can be written there."""
    if out.exists() or out.is_symlink():
        raise FileError(f"{out}: is there already; remove it, or name another file (.zip) or folder")
    if not out.absolute().parent.is_dir():
        raise FileError(f"{out}: there is no folder {out.parent}; make it first")


def pack(held: Contents, described: bytes, out: Path, moved: Callable[[], object]) -> None:
    """Write the crate to `out`. moved: called after each file. FileError when a record changes meanwhile."""
    clean_up(out.absolute().parent)
    if out.suffix == ZIP:
        with atomic_write(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for path, content in _members(held, described):
                archive.writestr(_entry(path), content)
                moved()
    else:
        with atomic_folder(out, out.absolute().parent) as folder:
            for path, content in _members(held, described):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                write_durably(folder / path, content)
                moved()


def _members(held: Contents, described: bytes) -> Iterator[tuple[str, bytes]]:
    """The description first: whoever streams a crate knows what comes."""
    yield METADATA, described
    for part in held.files:
        yield part.path, read_part(part)


def _entry(path: str) -> zipfile.ZipInfo:
    """Stored as it is: what a packer makes of the same bytes depends on its version."""
    entry = zipfile.ZipInfo(path, EPOCH)
    entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
    return entry
