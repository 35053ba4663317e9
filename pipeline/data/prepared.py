"""Prepared data: images and labels stored once for their content, and beside them, for each seed and fold, the split.

The images are mapped into memory, so that all workers of a machine share them.
"""

import hashlib
import json
import logging
import os
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..base.errors import DataError, FileError
from ..base.files import DAMAGED, keep_damaged, write_bytes
from ..base.npz import npz_bytes, read_npz, write_npz
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
log = logging.getLogger(__name__)

SPLIT = ["key", "name", "pictures", "split", "scale", "digest"]


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


def load(settings: Settings) -> Dataset:
    """The Dataset straight from its source. DataError, one line, when that cannot be used."""
    try:
        return LOADERS[settings.data.source](settings)
    except OSError as error:
        where = error.filename or settings.data.path or settings.data.source
        raise DataError(f"{where}: cannot be read ({error.strerror or error})") from None


def write(path: Path, dataset: Dataset) -> None:
    """Write a Dataset's split to `path` and, unless they are there, its pictures beside it; each file in one step.

    A file that is there and is not what belongs there is kept in work/damaged, and one line says so.
    """
    pictures = dataset.pictures
    beside = _pictures_path(path, pictures.digest)
    if not _holds(beside, pictures.digest):
        _read_pictures.cache_clear()
        _put_aside(beside)
        write_npz(beside, {"classes": np.array(pictures.classes), "labels": pictures.labels, "images": pictures.images})
    content = npz_bytes(
        {
            # Whose split it is: under another name it would be another's.
            "key": np.array(path.stem),
            "name": np.array(dataset.name),
            "pictures": np.array(pictures.digest),
            "split": dataset.split,
            "scale": np.array(dataset.scale),
            "digest": np.array(dataset.digest),
        }
    )
    if path.is_file() and path.read_bytes() != content and not _is_earlier(path):
        _put_aside(path)
    write_bytes(path, content)


def _holds(beside: Path, digest: str) -> bool:
    try:
        return _read_pictures(beside).digest == digest
    except FileError:
        return False


def _is_earlier(path: Path) -> bool:
    """Whether this is the whole split of a version that did not write whose it is."""
    try:
        return {*read_npz(path)} == {*SPLIT} - {"key"}
    except FileError:
        return False


def _put_aside(path: Path) -> None:
    if path.exists():
        kept = keep_damaged(path, path.parent.parent / DAMAGED)
        log.warning("%s: was damaged; it was moved to %s and is prepared again", path, kept)


def read(path: Path) -> Dataset:
    """A prepared Dataset, by its split; its images are a read-only map of the file. FileError when a byte of it is not what
    was written: images, labels and split are held against the digest."""
    a = read_npz(path, SPLIT)
    if str(a["key"]) != path.stem:
        raise FileError(f"{path}: is the split that was written as {str(a['key'])!r:.80}")
    beside = _pictures_path(path, str(a["pictures"]))
    pictures = _read_pictures(beside)
    if pictures.digest != str(a["pictures"]):
        raise FileError(f"{beside}: is damaged, its images or labels are not those that were written")
    if a["split"].shape != pictures.labels.shape:
        raise FileError(f"{path}: is a split of {a['split'].size} images, there are {len(pictures.labels)}")
    dataset = Dataset(str(a["name"]), pictures, a["split"], float(a["scale"]))
    if dataset.digest != str(a["digest"]):
        raise FileError(f"{path}: is damaged, its split or scale is not the one that was written")
    return dataset


def _pictures_path(split: Path, digest: str) -> Path:
    return split.parent / f"pictures-{digest[:16]}.npz"


@lru_cache(maxsize=8)
def _read_pictures(path: Path) -> Pictures:
    """Read once, however many splits ask for it: each map holds a file open."""
    # The digest, which all that reads is held against, says more than the file's own checksums.
    a = read_npz(path, ["classes", "labels", "images"], mapped=("images",), checked=False)
    if a["images"].ndim != 3 or a["labels"].shape != a["images"].shape[:1]:
        raise FileError(f"{path}: does not hold pictures and a label for each")
    return Pictures(a["images"], a["labels"], tuple(str(name) for name in a["classes"]))
