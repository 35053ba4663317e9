"""Prepared data: images and labels stored once for their content, and beside them, for each seed and fold, the split.

The images are mapped into memory, so that all workers of a machine share them.
"""

import hashlib
import json
import os
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..base.errors import DataError, FileError
from ..base.files import read_npz, write_npz
from ..settings import Settings
from . import arrays, digits, fashion_mnist, idx, images, notebook
from .dataset import Dataset, Pictures
from .folders import source_path

LOADERS = {
    "digits": digits.load,
    "fashion_mnist": fashion_mnist.load,
    "idx": idx.load,
    "images": images.load,
    "arrays": arrays.load,
    "notebook": notebook.load,
}
# Where a source's files lie when data.path is null.
PATHS = {"fashion_mnist": fashion_mnist.FOLDER}
SPLIT = ["name", "pictures", "split", "scale", "digest"]


def prepared_path(settings: Settings) -> Path:
    """Where the split of these settings lies: named by settings, seed and the state of the source's files.

    DataError when data.path cannot be a path.
    """
    key: dict[str, object] = {"data": asdict(settings.data), "seed": settings.seed}
    path = settings.data.path or PATHS.get(settings.data.source)
    if path:
        resolved = os.path.realpath(source_path(path))
        key |= {"path": resolved, "files": _state(Path(resolved))}
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return settings.folder / "data" / f"{settings.data.source}-{digest[:12]}.npz"


def _state(entry: Path | os.DirEntry[str], levels: int = 3) -> object:
    """Size and time of a file; of a folder, those of the files in it, two folders deep, by name. None for neither.

    That is as deep as any source reads, so no link leads in circles. Hidden files do not count; no file is opened.
    """
    try:
        if levels and entry.is_dir():
            with os.scandir(entry) as inside:
                return {item.name: _state(item, levels - 1) for item in inside if not item.name.startswith(".")}
        status = entry.stat()
        return [status.st_size, status.st_mtime_ns]
    except OSError:
        return None


def prepare(settings: Settings) -> Dataset:
    """The Dataset of these settings: read from the prepared files, which are written first if need be. DataError."""
    path = prepared_path(settings)
    try:
        return read(path)
    except FileError:
        # Missing, or damaged: only the source can be wrong for good.
        write(path, load(settings))
        return read(path)


def load(settings: Settings) -> Dataset:
    """The Dataset straight from its source. DataError, one line, when that cannot be used."""
    try:
        return LOADERS[settings.data.source](settings)
    except OSError as error:
        where = error.filename or settings.data.path or settings.data.source
        raise DataError(f"{where}: cannot be read ({error.strerror or error})") from None


def write(path: Path, dataset: Dataset) -> None:
    """Write a Dataset's split to `path` and, unless they are there, its pictures beside it; each file in one step."""
    pictures = dataset.pictures
    beside = _pictures_path(path, pictures.digest)
    try:
        known = _read_pictures(beside).digest == pictures.digest
    except FileError:
        known = False
    if not known:
        _read_pictures.cache_clear()
        write_npz(
            beside,
            {
                "classes": np.array(pictures.classes),
                "digest": np.array(pictures.digest),
                "labels": pictures.labels,
                "images": pictures.images,
            },
        )
    write_npz(
        path,
        {
            "name": np.array(dataset.name),
            "pictures": np.array(pictures.digest),
            "split": dataset.split,
            "scale": np.array(dataset.scale),
            "digest": np.array(dataset.digest),
        },
    )


def read(path: Path) -> Dataset:
    """A prepared Dataset, by its split; its images are a read-only map of the file. FileError."""
    a = read_npz(path, SPLIT)
    pictures = _read_pictures(_pictures_path(path, str(a["pictures"])))
    split = np.array(a["split"])
    if split.shape != pictures.labels.shape:
        raise FileError(f"{path}: is a split of {len(split)} images, there are {len(pictures.labels)}")
    dataset = Dataset(str(a["name"]), pictures, split, float(a["scale"]))
    # It was computed from these very arrays when the files were written; hashing again would cost every worker.
    dataset.__dict__["digest"] = str(a["digest"])
    return dataset


def _pictures_path(split: Path, digest: str) -> Path:
    return split.parent / f"pictures-{digest[:16]}.npz"


@lru_cache(maxsize=8)
def _read_pictures(path: Path) -> Pictures:
    """Read once, however many splits ask for it: each map holds a file open."""
    a = read_npz(path, ["classes", "digest", "labels", "images"])
    pictures = Pictures(a["images"], np.array(a["labels"]), tuple(str(name) for name in a["classes"]))
    pictures.__dict__["digest"] = str(a["digest"])
    return pictures
