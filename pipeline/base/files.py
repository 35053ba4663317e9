"""Files that are never half written, and npz archives that are read without trust. Knows nothing of what is in them."""

import contextlib
import csv
import fcntl
import hashlib
import io
import itertools
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from .errors import FileError
from .text import guarded

# Larger than any data set this project is meant for; a bound on what a hostile header can make us allocate.
LARGEST_ARRAY = 16 * 2**30
# What is packed may unpack to so many times its file's size, and to so many bytes of any file: pictures do not pack better.
MOST_UNPACKED, ALWAYS_UNPACKED = 100, 2**25
# Where an experiment keeps what was damaged, below its folder.
DAMAGED = Path("work") / "damaged"
# How the names of files and folders end while they are written.
UNFINISHED = ".unfinished"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# Asked once, before there are threads: to ask is to change it, and what another thread makes in that moment anybody may write.
UMASK = _umask()


@contextmanager
def atomic_write(path: Path, durable: bool = True) -> Iterator[IO[bytes]]:
    """A binary file that appears under `path` whole, or not at all. durable: with its bytes on disk by then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with held(lambda: _new_file(path)) as temporary:
        try:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            temporary.chmod(0o666 & ~UMASK)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    if durable:
        sync_folder(path.parent)


@contextmanager
def held(make: Callable[[], str]) -> Iterator[Path]:
    """A new temporary file or folder, locked while it is written: `clean_up` leaves it alone as long as its writer lives."""
    while True:
        path = Path(make())
        handle = os.open(path, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
            # Before it was locked it may have been taken for a dead writer's.
            if path.exists():
                yield path
                return
        finally:
            os.close(handle)


def is_held(path: Path) -> bool | None:
    """Whether a living process has a file of `held`; None when there is no such file. Where that cannot be told, it has."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError:
        return True
    try:
        # Shared: two who ask at once are not in each other's way.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(handle)


def _new_file(path: Path) -> str:
    handle, name = tempfile.mkstemp(UNFINISHED, f".{path.name[:100]}.", path.parent)
    os.close(handle)
    return name


def clean_up(folder: Path, deep: Sequence[str] = ()) -> None:
    """Remove what killed writers left unfinished in a folder, and anywhere below those of its folders that are named."""
    found = [*folder.glob(f".*{UNFINISHED}"), *(path for name in deep for path in (folder / name).rglob(f"*{UNFINISHED}"))]
    for path in found:
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write `text` atomically; a file that already holds it is left alone, time stamp and all."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` atomically; a file that already holds it is left alone, time stamp and all."""
    if path.is_file() and path.read_bytes() == content:
        return
    with atomic_write(path) as file:
        file.write(content)


def keep_damaged(path: Path, folder: Path, name: str = "") -> Path:
    """Move a damaged file or folder into `folder`, under its own or another name, beside those that were moved there before;
    where it is now."""
    folder.mkdir(parents=True, exist_ok=True)
    name = name or path.name
    for number in itertools.count():
        kept = folder / (f"{name}.{number}" if number else name)
        if not kept.exists():
            return path.rename(kept)
    raise AssertionError


def sha256(content: bytes) -> str:
    """In hex digits."""
    return hashlib.sha256(content).hexdigest()


def sha256_sums(contents: Mapping[str, bytes]) -> bytes:
    """What `sha256sum` prints of these files, by name: `sha256sum -c` checks it."""
    return sums_text({name: sha256(content) for name, content in contents.items()})


def sums_text(sums: Mapping[str, str]) -> bytes:
    """The same of checksums that are known."""
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums)).encode()


def read_sums(path: Path) -> dict[str, str]:
    """The checksums of a SHA256SUMS, by file name. FileError when it holds anything else."""
    try:
        lines = [line.split("  ", 1) for line in path.read_text("ascii").splitlines()]
        return {name: digest for digest, name in lines}
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: is no list of checksums ({_first_line(error)})") from None


def csv_bytes(header: Iterable[object], rows: Iterable[Iterable[object]]) -> bytes:
    """A csv; every float comes back to the bit, and no spreadsheet takes a text for a formula: see `base/text.guarded`."""
    return "".join(map(csv_line, itertools.chain([header], rows))).encode()


def csv_line(cells: Iterable[object]) -> str:
    """A row of it."""
    line = io.StringIO()
    # Ended so, the writer quotes a carriage return too: readers take any for the end of a row.
    csv.writer(line, lineterminator="\r\n").writerow([guarded(cell) if isinstance(cell, str) else cell for cell in cells])
    return line.getvalue().removesuffix("\r\n") + "\n"


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to disk: a rename is durable only after this."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_npz(path: Path, arrays: Mapping[str, NDArray[Any]], durable: bool = True) -> None:
    """Write arrays as an uncompressed npz: the same arrays give the same bytes (NumPy stamps entries with 1980)."""
    with atomic_write(path, durable) as file:
        np.savez(file, allow_pickle=False, **arrays)


def npz_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """What `write_npz` writes."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


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
        raise FileError(f"{path}: is not a readable .npy file ({_first_line(error)})") from None


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
        raise FileError(f"{path}: is not a readable .npz file ({_first_line(error)})") from None


def most_unpacked(size: int) -> int:
    """How many bytes a packed file of so many may stand for."""
    return ALWAYS_UNPACKED + MOST_UNPACKED * size


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


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
