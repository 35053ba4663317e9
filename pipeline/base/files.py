"""Files that are never half written. Knows nothing of what is in them."""

import contextlib
import csv
import fcntl
import hashlib
import io
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .errors import FileError
from .text import guarded

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
    with naming(path), held(lambda: _new_file(path)) as temporary:
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
def naming(path: Path) -> Iterator[None]:
    """An error of the system while `path` is made names that, no temporary file that nobody has heard of."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and (error.filename is None or UNFINISHED in str(error.filename)):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


@contextmanager
def held(make: Callable[[], str]) -> Iterator[Path]:
    """A new temporary file or folder, locked while it is written: `remove_left` leaves it alone as long as its writer lives."""
    while True:
        path = Path(make())
        try:
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            # Somebody took it for a dead writer's at once.
            continue
        try:
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
            # Before it was locked it may have been taken for a dead writer's.
            if _is_at(path, handle):
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


def remove_left(path: Path, whole: Path | None = None) -> None:
    """Remove a file or folder of `held` that no living process has, or `whole` with all that lies beside it. It is locked until
    it is gone, so that whoever has just made one of this name notices, and makes it again."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left = whole or path
            # Its writer may just have finished with it.
            if _is_at(path, handle):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        finally:
            os.close(handle)


def _is_at(path: Path, handle: int) -> bool:
    """Whether an open file or folder still lies at this path."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def clean_up(folder: Path, deep: Sequence[str] = ()) -> None:
    """Remove what killed writers left unfinished in a folder, and anywhere below those of its folders that are named."""
    for path in folder.glob(f".*{UNFINISHED}"):
        remove_left(path)
    for name in deep:
        for path in (folder / name).rglob(f"*{UNFINISHED}"):
            remove_left(path)


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
    earlier = folder / name
    for number in itertools.count():
        kept = folder / (f"{name}.{number}" if number else name)
        if not kept.exists():
            # Another command may have found it at the same moment, and moved it.
            with contextlib.suppress(FileNotFoundError):
                path.rename(kept)
            return kept if kept.exists() else earlier
        earlier = kept
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
        raise FileError(f"{path}: is no list of checksums ({first_line(error)})") from None


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


def most_unpacked(size: int) -> int:
    """How many bytes a packed file of so many may stand for."""
    return ALWAYS_UNPACKED + MOST_UNPACKED * size


def first_line(error: BaseException) -> str:
    """What an error says first, or its kind."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
