"""Prepared data: a Dataset as one npz file, mapped into memory by every worker instead of read by each."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..files import FileError, read_npz, write_npz
from ..settings import Settings
from . import arrays, digits, notebook
from .dataset import Dataset

LOADERS = {"digits": digits.load, "arrays": arrays.load, "notebook": notebook.load}


def prepared_path(settings: Settings) -> Path:
    """Where the prepared data of these settings lies: named by source, settings, seed, and the time of the source's file."""
    key: dict[str, object] = {"data": asdict(settings.data), "seed": settings.seed}
    path = settings.data.path
    if path:
        resolved = Path(path).expanduser().resolve()
        key["path"] = str(resolved)
        if resolved.exists():
            status = resolved.stat()
            key["file"] = [status.st_size, status.st_mtime_ns]
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return settings.folder / "data" / f"{settings.data.source}-{digest[:12]}.npz"


def prepare(settings: Settings) -> Dataset:
    """The Dataset of these settings: read from the prepared file, which is written first if need be. DataError."""
    path = prepared_path(settings)
    if not path.exists():
        write(path, load(settings))
    try:
        return read(path)
    except FileError:
        # A damaged copy is made again; only the source can be wrong for good.
        path.unlink(missing_ok=True)
        write(path, load(settings))
        return read(path)


def load(settings: Settings) -> Dataset:
    """The Dataset straight from its source."""
    return LOADERS[settings.data.source](settings)


def write(path: Path, dataset: Dataset) -> None:
    """Write a prepared Dataset, unless it is there."""
    if path.exists():
        return
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
    classes = tuple(str(name) for name in a["classes"])
    dataset = Dataset(str(a["name"]), a["images"], np.array(a["labels"]), classes, np.array(a["split"]), float(a["scale"]))
    # The digest was computed from these very arrays when the file was written; hashing again would cost every worker.
    dataset.__dict__["digest"] = str(a["digest"])
    return dataset
