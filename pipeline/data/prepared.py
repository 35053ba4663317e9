"""Prepared data: a Dataset as one npz file, mapped into memory by every worker instead of read by each."""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.files import FileError, read_npz, write_npz
from ..settings import Settings
from . import arrays, digits, fashion_mnist, idx, images, notebook
from .dataset import DataError, Dataset
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


def prepared_path(settings: Settings) -> Path:
    """Where the prepared data of these settings lies: named by settings, seed and the state of the source's files.

    DataError when data.path cannot be a path.
    """
    key: dict[str, object] = {"data": asdict(settings.data), "seed": settings.seed}
    path = settings.data.path or PATHS.get(settings.data.source)
    if path:
        resolved = os.path.realpath(source_path(path))
        key |= {"path": resolved, "files": _state(Path(resolved))}
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return settings.folder / "data" / f"{settings.data.source}-{digest[:12]}.npz"


def _state(entry: Path | os.DirEntry[str], levels: int = 2) -> object:
    """Size and time of a file; of a folder, those of the files in it and in its sub-folders, by name. None for neither.

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
    """The Dataset of these settings: read from the prepared file, which is written first if need be. DataError."""
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
    """Write a prepared Dataset; one that is there already is replaced in one step."""
    arrays: dict[str, NDArray[Any]] = {
        "name": np.array(dataset.name),
        "classes": np.array(dataset.classes),
        "digest": np.array(dataset.digest),
        "labels": dataset.labels,
        "split": dataset.split,
        "scale": np.array(dataset.scale),
        "images": dataset.images,
    }
    write_npz(path, arrays)


def read(path: Path) -> Dataset:
    """A prepared Dataset; its images are a read-only map of the file."""
    a = read_npz(path, ["name", "classes", "digest", "labels", "split", "scale", "images"])
    name, classes, scale = str(a["name"]), tuple(str(name) for name in a["classes"]), float(a["scale"])
    dataset = Dataset(name, a["images"], np.array(a["labels"]), classes, np.array(a["split"]), scale)
    # The digest was computed from these very arrays when the file was written; hashing again would cost every worker.
    dataset.__dict__["digest"] = str(a["digest"])
    return dataset
