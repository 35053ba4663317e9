"""Arrays in files: .npy and .npz, which have the same bytes whoever writes them, and are read without trust and pickles."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from .errors import FileError
from .files import MOST_UNPACKED, atomic_write, first_line, most_unpacked

# Larger than any data set this project is meant for; a bound on what a hostile header can make us allocate.
LARGEST_ARRAY = 16 * 2**30
# The version of the zip format that has sizes of 64 bits.
ZIP64_VERSION = 45


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]], durable: bool = True) -> None:
    """Write arrays as an uncompressed npz: the same arrays give the same bytes."""
    with atomic_write(path, durable) as file:
        _save_npz(file, arrays)


def npz_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """What `write_npz` writes."""
    file = io.BytesIO()
    _save_npz(file, arrays)
    return file.getvalue()


class _Entry(zipfile.ZipInfo):
    """A member of an npz, stamped with 1980. The header before its bytes is the one that Python writes from 3.11.4 on: earlier
    ones put the sizes where it has all ones, and another version."""

    def FileHeader(self, zip64: bool | None = None) -> bytes:  # noqa: N802  # zipfile's own name
        header = super().FileHeader(zip64)
        self.create_version = self.extract_version = ZIP64_VERSION
        return header[:4] + bytes([ZIP64_VERSION]) + header[5:18] + b"\xff" * 8 + header[26:]


def _save_npz(file: IO[bytes], arrays: Mapping[str, NDArray[Any]]) -> None:
    """What `numpy.savez` does, with entries of our own."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(_Entry(f"{name}.npy"), "w", force_zip64=True) as member:
                npy.write_array(member, np.asanyarray(array), allow_pickle=False)


def npy_bytes(array: NDArray[Any]) -> bytes:
    """One array as an .npy file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def read_npy(path: Path, content: bytes) -> NDArray[Any]:
    """The array of an .npy file that holds `content`. FileError when it is none, or not as long as its header promises; pickles
    are refused."""
    file = io.BytesIO(content)
    try:
        array = np.asarray(np.load(file, allow_pickle=False))
        if file.read(1):
            raise ValueError("it is longer than its header promises")
        return array
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise FileError(f"{path}: is not a readable .npy file ({first_line(error)})") from None


def read_npz(
    path: Path, names: list[str] | None = None, mapped: tuple[str, ...] = (), checked: bool = True
) -> dict[str, NDArray[Any]]:
    """The arrays of an npz, all or those named. FileError when it is not one, lacks a name, or a header promises too much.

    Pickles are refused. Arrays are held against the file's own checksums. Those in `mapped`, where they lie uncompressed, are
    mapped into memory, read-only, and shared by all processes; unless `checked`, whoever asks for that checks them.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise FileError(f"{path}: is no file that ends, but a pipe, a socket or a device; an .npz file is needed")
    try:
        with zipfile.ZipFile(path) as archive:
            members = {i.filename.removesuffix(".npy"): i for i in archive.infolist() if i.filename.endswith(".npy")}
            missing = sorted(set(names or []) - set(members))
            if missing:
                held = ", ".join(sorted(members)) or "nothing"
                raise FileError(f"{path}: has no array {' and no array '.join(missing)}; it holds {held}")
            chosen = names or list(members)
            _check_unpacked(path, [members[name] for name in chosen])
            return {name: _read_member(path, archive, members[name], name in mapped, checked) for name in chosen}
    except FileNotFoundError:
        raise FileError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise FileError(f"{path}: is a folder, an .npz file is needed") from None
    except FileError:
        raise
    except Exception as error:
        # The parsers below raise a dozen kinds of errors on damaged bytes; to the caller they are all one.
        raise FileError(f"{path}: is not a readable .npz file ({first_line(error)})") from None


def _check_unpacked(path: Path, members: list[zipfile.ZipInfo]) -> None:
    size, held = sum(member.file_size for member in members), path.stat().st_size
    if size > most_unpacked(held):
        raise FileError(f"{path}: its {held} bytes unpack to {size}; more than {MOST_UNPACKED} times as many are not read")


def _read_member(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, mapped: bool, checked: bool) -> NDArray[Any]:
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
        if mapped and info.compress_type == zipfile.ZIP_STORED and size and shape and not fortran:
            # A piece at a time: what is mapped need not fit into memory. The checksum is compared at the end.
            while checked and stream.read(2**20):
                pass
            return np.memmap(path, dtype, "r", offset=_data_offset(path, info) + start, shape=shape)
        # What follows the array, which is nothing, is read too: the checksum is compared at the end.
        content = stream.read(size)
        if len(content) < size or stream.read(1):
            raise FileError(f"{path}: array {info.filename} promises {size} bytes and holds another number")
        buffer = np.frombuffer(content, dtype)
        return buffer.reshape(shape, order="F" if fortran else "C")


def _data_offset(path: Path, info: zipfile.ZipInfo) -> int:
    """Where a stored member's bytes begin: after the local header and its two fields of variable length."""
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)
        lengths = file.read(4)
    return info.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
