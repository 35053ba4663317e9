"""Files that are never half written, and npz archives that are read without trust. Knows nothing of what is in them."""

import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

# Larger than any data set this project is meant for; a bound on what a hostile header can make us allocate.
LARGEST_ARRAY = 16 * 2**30


class FileError(ValueError):
    """A file cannot be used; the message is one line that names it."""


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """A binary file that appears under `path` whole, with its bytes on disk, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    """Write `text` atomically; a file that already holds it is left alone, time stamp and all."""
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        return
    with atomic_write(path) as file:
        file.write(content)


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to disk: a rename is durable only after this."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays as an uncompressed npz: the same arrays give the same bytes (NumPy stamps entries with 1980)."""
    with atomic_write(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_npz(path: Path, names: list[str] | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of an npz, all or those named. FileError when it is not one, lacks a name, or a header promises too much.

    Pickles are refused. Arrays that lie uncompressed in the file are mapped into memory, read-only, and shared by all
    processes that read them; compressed ones are read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {i.filename.removesuffix(".npy"): i for i in archive.infolist() if i.filename.endswith(".npy")}
            missing = sorted(set(names or []) - set(members))
            if missing:
                held = ", ".join(sorted(members)) or "nothing"
                raise FileError(f"{path}: has no array {' and no array '.join(missing)}; it holds {held}")
            return {name: _read_member(path, archive, members[name]) for name in names or members}
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise FileError(f"{path}: is a folder, an .npz file is needed") from None
    except FileError:
        raise
    except Exception as error:
        # The parsers below raise a dozen kinds of errors on damaged bytes; to the caller they are all one.
        raise FileError(f"{path}: is not a readable .npz file ({_first_line(error)})") from None


def _read_member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(info) as stream:
        version = npy.read_magic(stream)
        reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = reader(stream)
        start = stream.tell()
        size = int(np.prod([int(n) for n in shape], dtype=object)) * dtype.itemsize
        if dtype.hasobject:
            raise FileError(f"{path}: array {info.filename} holds Python objects; numbers or strings are needed")
        if min(shape, default=0) < 0 or size > min(info.file_size - start, LARGEST_ARRAY):
            raise FileError(f"{path}: array {info.filename} promises {size} bytes and holds {info.file_size - start}")
        if info.compress_type == zipfile.ZIP_STORED and size and shape and not fortran:
            return np.memmap(path, dtype, "r", offset=_data_offset(path, info) + start, shape=shape)
        buffer = np.frombuffer(stream.read(size), dtype)
        return buffer.reshape(shape, order="F" if fortran else "C")


def _data_offset(path: Path, info: zipfile.ZipInfo) -> int:
    """Where a stored member's bytes begin: after the local header and its two fields of variable length."""
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)
        lengths = file.read(4)
    return info.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
