"""Files in MNIST's format, plain or .gz: `train-images-idx3-ubyte`, its labels, and the same of t10k (Y. LeCun 1998).

Big-endian: two zero bytes, a type code, the number of dimensions, each dimension in 4 bytes, then the numbers.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from ..base.errors import DataError
from ..base.files import most_unpacked
from ..base.npz import LARGEST_ARRAY
from ..settings import Settings
from .dataset import Dataset, build, official_split, stratified_split
from .folders import check_folder, source_path, visible

DIMENSIONS = {"images": 3, "labels": 1}
UBYTE = 0x08
TYPES = {UBYTE: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
GZIP = b"\x1f\x8b"
# No byte of a .gz unpacks to more than this many (https://zlib.net/zlib_tech.html).
MOST_UNPACKED = 1032
CHUNK = 2**20


@dataclass(frozen=True)
class Part:
    """The images and labels of one part, train or t10k. shape: (N, H, W)."""

    images: Path
    labels: Path
    shape: tuple[int, ...]


def load(settings: Settings) -> Dataset:
    """The files of the folder data.path."""
    folder = source_path(str(settings.data.path))
    return read(folder, settings, str(folder))


def read(folder: Path, settings: Settings, name: str, classes: tuple[str, ...] | None = None) -> Dataset:
    """Train files, then t10k files, which are the test split; without them a fold is. DataError, naming the file.

    Labels index `classes`; when that is None, each value is a class.
    """
    parts = _parts(folder)
    shape = (sum(part.shape[0] for part in parts), *parts[0].shape[1:])
    if prod(shape) > LARGEST_ARRAY:
        raise DataError(f"{folder}: its files promise {prod(shape)} bytes of images; at most {LARGEST_ARRAY} are read")
    try:
        images, labels = np.empty(shape, np.uint8), np.empty(shape[0], np.uint8)
    except MemoryError:
        raise DataError(f"{folder}: {prod(shape)} bytes of images do not fit into memory") from None
    first = 0
    for part in parts:
        rows = slice(first, first + part.shape[0])
        _fill(part.images, images[rows])
        _fill(part.labels, labels[rows])
        if classes is not None:
            _check_labels(part.labels, labels[rows], len(classes))
        first = rows.stop
    data, test = settings.data, sum(part.shape[0] for part in parts[1:])
    if test:
        split = official_split(labels, test, settings.seed, data.validation)
    else:
        split = stratified_split(labels, settings.seed, data.folds, data.fold, data.validation)
    return build(name, images, labels, split, data.scale, classes)


def read_images(path: Path) -> NDArray[np.uint8]:
    """The images of one file, (N, H, W). DataError when it holds none."""
    images = np.empty(_shape(path, "images"), np.uint8)
    _fill(path, images)
    return images


def _parts(folder: Path) -> list[Part]:
    """The parts that lie in the folder, train first, their headers read and found to fit each other."""
    check_folder(folder)
    parts = [_part(folder, "train")]
    if has_test(folder):
        parts.append(_part(folder, "t10k"))
        train, test = parts
        if train.shape[1:] != test.shape[1:]:
            sizes = f"{_by(test.shape[1:])} pixels, those of {train.images.name} {_by(train.shape[1:])}"
            raise DataError(f"{test.images}: its images have {sizes}; they must be alike")
    return parts


def has_test(folder: Path) -> bool:
    """Whether there are t10k files."""
    return any(_find(folder, "t10k", kind) for kind in DIMENSIONS)


def _part(folder: Path, part: str) -> Part:
    images, labels = (_found(folder, part, kind) for kind in DIMENSIONS)
    shape, counted = _shape(images, "images"), _shape(labels, "labels")
    if shape[0] != counted[0]:
        raise DataError(f"{labels}: has {counted[0]} labels for the {shape[0]} images of {images.name}")
    return Part(images, labels, shape)


def _found(folder: Path, part: str, kind: str) -> Path:
    path = _find(folder, part, kind)
    if path is None:
        names = [item.name for item in visible(folder)]
        held = f"{', '.join(names[:8])}{', ...' if names[8:] else ''}" if names else "nothing"
        wanted = f"{part}-{kind}-idx{DIMENSIONS[kind]}-ubyte"
        raise DataError(f"{folder}: has no file {wanted}, plain or .gz; it holds {held}")
    return path


def _find(folder: Path, part: str, kind: str) -> Path | None:
    """The file of this part, the plain one when it is there unpacked too; None when there is none."""
    names = [f"{part}-{kind}{dot}idx{DIMENSIONS[kind]}-ubyte{gz}" for gz in ("", ".gz") for dot in "-."]
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _shape(path: Path, kind: str) -> tuple[int, ...]:
    """What a file promises in its header; DataError when that is not `kind`, or more than its bytes can hold."""
    with _opened(path) as (stream, packed):
        shape = _header(path, stream, kind)
    size, promise = path.stat().st_size, f"promises {prod(shape)} bytes ({_by(shape)})"
    held = size - _header_size(kind)
    if shape[0] == 0:
        raise DataError(f"{path}: holds no {kind}; at least one is needed")
    if kind == "images" and min(shape[1:]) < 2:
        raise DataError(f"{path}: its images have {_by(shape[1:])} pixels; at least 2 x 2 are needed")
    if prod(shape) > LARGEST_ARRAY:
        raise DataError(f"{path}: {promise}; at most {LARGEST_ARRAY} are read")
    if packed and prod(shape) > size * MOST_UNPACKED:
        raise DataError(f"{path}: {promise}, more than its {size} packed bytes can hold")
    if packed and prod(shape) > most_unpacked(size):
        raise DataError(f"{path}: {promise}, too many times its {size} packed bytes; unpack it first if it is yours")
    if not packed and prod(shape) != held:
        raise DataError(f"{path}: {promise} and holds {held}")
    return shape


def _header(path: Path, stream: BinaryIO, kind: str) -> tuple[int, ...]:
    dimensions, header = DIMENSIONS[kind], stream.read(_header_size(kind))
    if header[:2] != bytes(2) or len(header) < 4:
        begins = header[:4].hex(" ") or "nothing"
        raise DataError(f"{path}: is no idx file; it begins with {begins}, not with 00 00 08 {dimensions:02x}")
    if header[2] != UBYTE:
        held = TYPES.get(header[2], "an unknown type")
        raise DataError(f"{path}: holds {held} (code {header[2]:02x}); uint8 (code {UBYTE:02x}) is needed")
    if header[3] != dimensions:
        raise DataError(f"{path}: has {header[3]} dimensions; {kind} have {dimensions}")
    if len(header) < _header_size(kind):
        raise DataError(f"{path}: ends after {len(header)} bytes, within its header of {_header_size(kind)}")
    return tuple(int.from_bytes(header[i : i + 4]) for i in range(4, len(header), 4))


def _header_size(kind: str) -> int:
    return 4 + 4 * DIMENSIONS[kind]


def _fill(path: Path, array: NDArray[np.uint8]) -> None:
    """Read a file's numbers into `array`, (N, H, W) or (N,); never more than it promises and one byte."""
    kind = "images" if array.ndim == 3 else "labels"
    target, done, promise = array.reshape(-1).data, 0, f"{array.size} bytes ({_by(array.shape)})"
    with _opened(path) as (stream, _):
        if _header(path, stream, kind) != array.shape:
            raise DataError(f"{path}: changed while it was read")
        while size := stream.readinto(target[done : done + CHUNK]):  # type: ignore[attr-defined]  # of BinaryIO's kinds, both have it
            done += size
        if done < len(target):
            raise DataError(f"{path}: promises {promise} and holds {done}")
        if stream.read(1):
            raise DataError(f"{path}: promises {promise} and holds more")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """The bytes of a file, unpacked if they are packed, whatever its name; and if they are. DataError when damaged."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP
            file.seek(0)
            yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file, packed
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: is a damaged .gz file ({error}); get it again") from None


def _check_labels(path: Path, labels: NDArray[np.uint8], classes: int) -> None:
    if labels.max() >= classes:
        where = int(np.argmax(labels >= classes))
        raise DataError(f"{path}: label {where} is {labels[where]}; they must be from 0 to {classes - 1}")


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)
