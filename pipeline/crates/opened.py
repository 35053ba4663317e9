"""A crate that somebody sent, a zip or a folder, opened without trust: its files by their paths, none of them outside of it.

Sizes are bounded by headers before anything is unpacked; links, duplicates and paths that lead elsewhere are refused.
"""

import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..base.errors import FileError
from ..base.files import first_line, most_unpacked

# The list of a zip of 20,000 points.
LARGEST_LIST = 2**25
MOST_FILES = 1_000_000


@dataclass(frozen=True)
class Opened:
    """sizes: of the files, in bytes, by path. stream: opens one to be read; a zip's own checksum is held at its end."""

    path: Path
    sizes: dict[str, int]
    stream: Callable[[str], IO[bytes]]

    def read(self, path: str, largest: int) -> bytes:
        """A file's bytes. FileError when it is missing, too large or damaged."""
        if path not in self.sizes:
            raise FileError(f"{self.path}: has no {path} at its top; it is no crate of `ovrcnn export`")
        return b"".join(self.chunks(path, largest))

    def chunks(self, path: str, largest: int) -> Iterator[bytes]:
        """The same, in pieces."""
        if self.sizes[path] > largest:
            raise FileError(f"{self.path}: {path} has {self.sizes[path]} bytes; at most {largest} are taken")
        try:
            with self.stream(path) as file:
                left = self.sizes[path]
                while chunk := file.read(2**20):
                    left -= len(chunk)
                    if left < 0:
                        break
                    yield chunk
        except FileError:
            raise
        except Exception as error:
            # The unpackers raise a dozen kinds of errors on damaged bytes.
            raise FileError(f"{self.path}: {path} cannot be read ({first_line(error)})") from None
        if left:
            raise FileError(f"{self.path}: {path} promises {self.sizes[path]} bytes and holds another number")


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """FileError, one line, for what is no crate or is not to be trusted."""
    if path.is_dir():
        yield Opened(path, _below(path), lambda name: (path / name).open("rb"))
        return
    if not path.exists():
        raise FileError(f"{path}: no such file or folder")
    if not path.is_file():
        raise FileError(f"{path}: is no file that ends, but a pipe, a socket or a device; a zip or a folder is needed")
    with _Bounded(path, "rb") as file, _unpacked(path, file) as archive:
        yield Opened(path, _listed(path, archive), archive.open)


def _unpacked(path: Path, file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except FileError:
        raise
    except Exception as error:
        raise FileError(f"{path}: is not a readable zip ({first_line(error)})") from None


class _Bounded(io.FileIO):
    """A zip whose list is read whole by zipfile, however long it says it is."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > LARGEST_LIST:
            raise FileError(f"{self.name}: its list of files has {size} bytes; at most {LARGEST_LIST} are read")
        return super().read(size) or b""


def _listed(path: Path, archive: zipfile.ZipFile) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for entry in archive.infolist():
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if not (entry.is_dir() or kind in (0, stat.S_IFREG)) or (entry.is_dir() and kind not in (0, stat.S_IFDIR)):
            raise FileError(f"{path}: {entry.filename!r:.80} is a link or a device; a crate has files only")
        _check_path(path, entry.orig_filename.rstrip("/"))
        if entry.is_dir():
            continue
        if entry.filename in sizes:
            raise FileError(f"{path}: has {entry.filename!r:.80} twice")
        if entry.flag_bits & 1:
            raise FileError(f"{path}: {entry.filename!r:.80} is encrypted")
        sizes[entry.filename] = entry.file_size
    size, held = sum(sizes.values()), path.stat().st_size
    if size > most_unpacked(held):
        raise FileError(f"{path}: its {held} bytes unpack to {size}; no crate does")
    return sizes


def _below(folder: Path) -> dict[str, int]:
    sizes: dict[str, int] = {}
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        with os.scandir(folder / inside) as entries:
            for entry in entries:
                name = f"{inside}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                    continue
                if not entry.is_file(follow_symlinks=False):
                    raise FileError(f"{folder}: {name!r:.80} is a link or a device; a crate has files only")
                sizes[name] = entry.stat(follow_symlinks=False).st_size
                if len(sizes) > MOST_FILES:
                    raise FileError(f"{folder}: has more than {MOST_FILES} files; no crate does")
    return sizes


def _check_path(path: Path, name: str) -> None:
    parts = name.split("/")
    if "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise FileError(f"{path}: {name!r:.80} leads out of the crate, or is no plain path")
