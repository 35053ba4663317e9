"""The user's own images and labels, from one .npz file."""

import zipfile

import numpy as np
from numpy.typing import NDArray

from ..base.errors import DataError, FileError
from ..base.npz import read_npz
from ..settings import Settings
from .dataset import Dataset, build, stratified_split
from .folders import source_path


def load(settings: Settings) -> Dataset:
    """`images` (N, H, W) and `labels` (N,) of data.path; DataError when it cannot be used."""
    data = settings.data
    path = source_path(str(data.path))
    if path.is_file() and path.suffix != ".npz" and not zipfile.is_zipfile(path):
        raise DataError(f"data.path: {path}: is no .npz; numpy.savez(FILE, images=..., labels=...) writes one")
    try:
        arrays = read_npz(path, ["images", "labels"], mapped=("images",))
    except FileError as error:
        raise DataError(f"data.path: {error}") from None
    images, labels = arrays["images"], arrays["labels"]
    if images.ndim and labels.ndim and len(labels) != len(images):
        raise DataError(f"{path}: there are {len(images)} images and {len(labels)} labels")
    images = as_stored(images)
    ordered = labels if labels.ndim == 1 else labels.reshape(-1)
    split = stratified_split(ordered, settings.seed, data.folds, data.fold, data.validation)
    return build(str(path), images, labels, split, data.scale)


def as_stored(images: NDArray[np.generic]) -> NDArray[np.generic]:
    """Numbers in a type that engines take, with their values kept: whole ones in 8 bits where they fit."""
    if images.dtype.kind in "ui" and images.dtype != np.uint8:
        fits = images.size > 0 and images.min() >= 0 and images.max() <= 255
        return images.astype(np.uint8 if fits else np.float64)
    return images.astype(np.float32) if images.dtype == np.float16 else images
