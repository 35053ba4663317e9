"""The user's own pictures: a folder with one sub-folder a class, or train/ and test/ with one a class each."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ..base.errors import DataError
from ..base.npz import LARGEST_ARRAY
from ..settings import Settings, image_size
from .dataset import Dataset, build, official_split, stratified_split
from .folders import check_folder, source_path, visible

# For these Pillow would start another program, Ghostscript, on whatever the file tells it to do.
LEFT_OUT = ("EPS",)
# What a picture may take in memory while it is made grey.
LARGEST_PICTURE = 400 * 2**20
# Folders of this name that hold the classes' folders are a split that somebody made before us.
PARTS = ("train", "test")
# Pillow also logs what it then raises; without a handler of its own that would be a second line in the terminal.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def load(settings: Settings) -> Dataset:
    """The pictures of data.path in grey, resized to data.size, as stored: a camera's note to turn one is not followed.

    DataError, naming the file, when one cannot be used.
    """
    data = settings.data
    folder = source_path(str(data.path))
    train, test = _parts(folder)
    classes = _class_folders(train)
    names = tuple(path.name for path in classes)
    tested = _class_folders(test) if test else []
    for path in tested:
        if path.name not in names:
            raise DataError(f"{path}: there is no {train / path.name}; each class of {PARTS[1]}/ needs pictures in {PARTS[0]}/")
    found = [(names.index(path.name), _pictures(path)) for path in (*classes, *tested)]
    labels = np.repeat([label for label, _ in found], [len(files) for _, files in found])
    images = _read([file for _, files in found for file in files], image_size(data.size), folder)
    if test:
        count = sum(len(files) for _, files in found[len(classes) :])
        split = official_split(labels, count, settings.seed, data.validation)
    else:
        split = stratified_split(labels, settings.seed, data.folds, data.fold, data.validation)
    return build(str(folder), images, labels, split, data.scale, names)


def _parts(folder: Path) -> tuple[Path, Path | None]:
    """Where the classes' folders lie, and where those of the test pictures do, if they have a place of their own."""
    check_folder(folder)
    folders = [path for path in visible(folder) if path.is_dir()]
    parts = [path for path in folders if path.name in PARTS and any(inner.is_dir() for inner in visible(path))]
    if len(parts) < len(PARTS):
        return folder, None
    others = [path for path in folders if path not in parts]
    if others:
        right = "data.validation keeps a share of train/ aside; move this folder away, or its pictures into those of train/"
        raise DataError(f"{others[0]}: train/ and test/ beside it are a split already; {right}")
    return folder / PARTS[0], folder / PARTS[1]


def has_test(folder: Path) -> bool:
    """Whether the test pictures have a place of their own."""
    return _parts(folder)[1] is not None


def _class_folders(folder: Path) -> list[Path]:
    """The sub-folders, by name; files beside them do not count."""
    found = visible(folder)
    folders = [path for path in found if path.is_dir()]
    for path in found:
        if path.is_symlink() and not path.exists():
            raise DataError(f"{path}: is a broken link; a sub-folder for each class is needed")
    if not folders:
        raise DataError(f"{folder}: has no sub-folders; one for each class, with its pictures, is needed")
    return folders


def _pictures(folder: Path) -> list[Path]:
    files = visible(folder)
    if not files:
        raise DataError(f"{folder}: holds no picture; fill it or remove it")
    for path in files:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "not a file"
            right = f"{folder.parent} needs a folder of pictures for each class, or train/ and test/ that have these"
            raise DataError(f"{path}: is {what}; {right}")
    return files


def _read(files: list[Path], size: tuple[int, int] | None, folder: Path) -> NDArray[np.uint8]:
    """(N, H, W) grey pictures of `size`, (H, W); None: the size that all of them have."""
    with _strict():
        first = _grey(files[0], size, None)
        shape = (len(files), *first.shape)
        images = _room(folder, shape)
        images[0] = first
        for index, file in enumerate(files[1:], 1):
            images[index] = _grey(file, size, first.shape)
    return images


def read_picture(file: Path, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """One picture, (H, W), as `load` reads those of a folder. DataError, naming the file, when it cannot be used."""
    with _strict():
        return _grey(file, size, None)


@contextmanager
def _strict() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow finds strange in a file's remarks does not concern the pixels
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _room(folder: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    try:
        if prod(shape) > LARGEST_ARRAY:
            raise MemoryError
        return np.empty(shape, np.uint8)
    except MemoryError:
        text = f"{shape[0]} pictures of {shape[1]} x {shape[2]} pixels are too many for the memory"
        raise DataError(f"{folder}: {text}; a smaller data.size makes them fit") from None


def _grey(file: Path, size: tuple[int, int] | None, expected: tuple[int, ...] | None) -> NDArray[np.uint8]:
    """One picture, (H, W), resized to `size`; without a size it must be `expected`, (H, W)."""
    try:
        with Image.open(file, formats=_formats()) as picture:
            fault = _fault(picture, size, expected)
            if not fault:
                grey = _flatten(picture)
                if size:
                    grey = grey.resize(size[::-1], Image.Resampling.BILINEAR)  # antialiased when it shrinks
                return np.asarray(grey, np.uint8)
    except UnidentifiedImageError:
        empty = file.stat().st_size == 0
        fault = "is empty; a picture is needed" if empty else "is no readable picture: damaged, or of an unknown format"
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        fault = f"unpacks to more than {Image.MAX_IMAGE_PIXELS} pixels; make it smaller"
    except Exception as error:  # Pillow's readers raise anything from struct.error to SyntaxError for a damaged file
        fault = f"is a damaged picture ({str(error) or type(error).__name__}); replace or remove it"
    raise DataError(f"{file}: {fault}")


@cache
def _formats() -> list[str]:
    Image.init()
    return [name for name in Image.ID if name not in LEFT_OUT]


def _fault(picture: Image.Image, size: tuple[int, int] | None, expected: tuple[int, ...] | None) -> str:
    """Why this picture is not taken, before its pixels are read; empty when it is."""
    shape = (picture.height, picture.width)
    text = f"has {shape[0]} x {shape[1]} pixels"
    # Red, green, blue and the grey of them; what is transparent is laid over a white page, which takes four pictures.
    most = LARGEST_PICTURE // (16 if picture.has_transparency_data else 5)
    if prod(shape) > most:
        return f"unpacks to more than {most} pixels; make it smaller"
    if min(shape) < 1:
        return f"{text}; at least 1 x 1 are needed"
    if size is None and min(shape) < 2:
        return f"{text}; at least 2 x 2 are needed"
    if size is None and expected is not None and shape != expected:
        return f"{text}, the first picture {expected[0]} x {expected[1]}; data.size=N or data.size=HxW makes them alike"
    if picture.mode in ("I", "F"):
        return "has pixels beyond 8 bits without a known range; save it with 8 bits, or use data=arrays"
    return ""


def _flatten(picture: Image.Image) -> Image.Image:
    """In 8 bits of grey: of 16 bits the upper 8, of transparent pixels what a white page shows, of frames the first."""
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.has_transparency_data:
        above = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", above.size, "white"), above).convert("L")
    return picture.convert("L")
