"""Images to apply heads to: pictures, .npz and IDX files, read as those of training were."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.errors import DataError, FileError
from ..base.npz import read_npz
from .arrays import as_stored
from .idx import GZIP, TYPES, read_images
from .images import read_picture
from .input import Input, image_shape_of, sides

ZIP = b"PK\x03\x04"
IDX = tuple(bytes((0, 0, code)) for code in TYPES)
# Beside a picture of another size.
ADVICE = "resize the picture first: only points trained on data=images with a data.size do it themselves"


@dataclass(frozen=True)
class Reader:
    """How images become what heads take. source: where those of training came from. size: (H, W) to which its pictures were
    resized, None for as they were."""

    taken: Input
    source: str
    size: tuple[int, int] | None


@dataclass(frozen=True)
class Images:
    """images: (N, H, W), as those of training are stored. files: (N,), and the number of each image in its file."""

    images: NDArray[np.generic] = field(repr=False)
    files: tuple[Path, ...]
    numbers: tuple[int, ...]


def read_files(files: Sequence[Path], reader: Reader) -> Images:
    """The images of all files, in their order. DataError, naming the file, for one that heads cannot be applied to."""
    parts = [read_file(file, reader) for file in files]
    names = tuple(file for file, part in zip(files, parts, strict=True) for _ in part)
    return Images(np.concatenate(parts), names, tuple(number for part in parts for number in range(len(part))))


def read_file(file: Path, reader: Reader) -> NDArray[np.generic]:
    """(N, H, W), one image or more. A picture is brought to the range of those of training, black to 0 and white to white;
    the numbers of other files are taken as they are. DataError."""
    if file.exists() and not file.is_file() and not file.is_dir():
        raise DataError(f"{file}: is no file that ends, but a pipe, a socket or a device")
    try:
        with file.open("rb") as stream:
            begins = stream.read(len(ZIP))
    except IsADirectoryError:
        raise DataError(f"{file}: is a folder; name its files, {file}/*") from None
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror})") from None
    advice = ", as it was trained on"
    if begins == ZIP:
        images = _arrays(file)
    elif begins.startswith((*IDX, GZIP)):
        images = read_images(file)
    else:
        advice = f"; {ADVICE}"
        picture, white = read_picture(file, reader.size)[None], reader.taken.white(reader.source)
        images = picture if white == 255 else picture * (white / 255)
    found, wanted = images.shape[1:], reader.taken.image_shape
    if found != wanted:
        raise DataError(f"{file}: has {sides(found)} pixels; this point takes {sides(wanted)}{advice}")
    return images


def _arrays(file: Path) -> NDArray[np.generic]:
    """The array `images` of an .npz, or its only one."""
    try:
        arrays = read_npz(file)
    except FileError as error:
        raise DataError(str(error)) from None
    if "images" not in arrays and len(arrays) != 1:
        raise DataError(f"{file}: has no array images; it holds {', '.join(arrays) or 'nothing'}")
    images = arrays.get("images", next(iter(arrays.values())))
    try:
        shape = images.shape if images.ndim == 2 else image_shape_of(images)
    except ValueError as error:
        raise DataError(f"{file}: images {error}") from None
    if len(shape) == 2 and len(images) == 0:
        raise DataError(f"{file}: there is no image in it; images are {images.shape}")
    if len(shape) != 2 or images.size == 0:
        raise DataError(f"{file}: images must be (N, H, W), not {images.shape}")
    if images.dtype.kind not in "uif":
        raise DataError(f"{file}: images must be integers or floats, not {images.dtype}")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise DataError(f"{file}: has a pixel that is nan or inf; all pixels must be finite")
    return as_stored(images.reshape(-1, *shape))
