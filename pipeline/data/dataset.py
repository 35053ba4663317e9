"""A Dataset: images, labels, classes and split, checked once, so that whatever follows need not ask again."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..base.errors import DataError
from .input import Input, largest_of, learnt_scale

SPLIT_STREAM = 3
SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)


@dataclass(frozen=True)
class Pictures:
    """images: (N, H, W), as stored. labels: (N,) indices of `classes`."""

    images: NDArray[np.generic] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    classes: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all of it, 64 hex digits."""
        digest = _sha256(self.images, self.labels)
        digest.update("\0".join(self.classes).encode(errors="surrogateescape"))
        return digest.hexdigest()


@dataclass(frozen=True)
class Dataset:
    """Pictures that are split. name: where they come from. split: (N,) of 0 train, 1 validation, 2 test.

    scale: a pixel is the stored number divided by it.
    """

    name: str
    pictures: Pictures
    split: NDArray[np.uint8] = field(repr=False)
    scale: float

    @property
    def images(self) -> NDArray[np.generic]:
        return self.pictures.images

    @property
    def labels(self) -> NDArray[np.int64]:
        return self.pictures.labels

    @property
    def classes(self) -> tuple[str, ...]:
        return self.pictures.classes

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything that reaches the numbers, 64 hex digits. The name does not count."""
        digest = _sha256(self.images, self.labels, self.split, np.float64(self.scale))
        digest.update("\0".join(self.classes).encode(errors="surrogateescape"))
        return digest.hexdigest()

    @property
    def image_shape(self) -> tuple[int, int]:
        return self.images.shape[1], self.images.shape[2]

    @cached_property
    def input(self) -> Input:
        """What heads that are trained on it take. Computed once: all images are looked at."""
        training = self.split == TRAIN
        axes = (1, 2)
        highest, lowest = self.images.max(axis=axes)[training], self.images.min(axis=axes)[training]
        return Input(self.image_shape, self.scale, float(max(highest.max(initial=0), -float(lowest.min(initial=0)))))

    def part(self, split: int) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
        """Images and labels of one split; a split that holds all images is not copied."""
        chosen = self.split == split
        if chosen.all():
            return self.images, self.labels
        return self.images[chosen], self.labels[chosen]

    def count(self, split: int) -> int:
        return int((self.split == split).sum())


def _sha256(*arrays: NDArray[np.generic] | np.float64) -> "hashlib._Hash":
    digest = hashlib.sha256()
    for array in arrays:
        flat = np.ascontiguousarray(array)
        digest.update(f"{flat.dtype.str} {flat.shape} ".encode())
        digest.update(flat.reshape(-1).view(np.uint8).data)
    return digest


def build(
    name: str,
    images: NDArray[np.generic],
    labels: NDArray[np.generic],
    split: NDArray[np.uint8],
    scale: float | None,
    classes: tuple[str, ...] | None = None,
) -> Dataset:
    """Check and complete what a source read. DataError, with `name` first, when it cannot be trained on.

    labels: (N,) integers or strings; the classes are their sorted values, unless `classes` names them and labels index
    it.
    scale None: 1 for pixels in [-1, 1], else the largest absolute pixel of the training split.
    """
    _check(name, images, labels)
    if classes is None:
        values, labels = np.unique(labels, return_inverse=True)
        classes = tuple(map(str, values))
    classes = _named(classes)
    if len(classes) < 2:
        raise DataError(f"{name}: all labels are {classes[0]!r}; one-vs-rest needs at least two classes")
    if scale is None:
        scale = learnt_scale(largest_of(images[split == TRAIN]))
    return Dataset(name, Pictures(images, labels.astype(np.int64), classes), split, scale)


def _named(values: Iterable[str]) -> tuple[str, ...]:
    """Classes as texts that any file takes: half of a pair of surrogates, which NumPy's texts may hold, is shown by its number.
    No two become one."""
    names = list(values)
    taken = set(names)
    for place, name in enumerate(names):
        text = name.encode(errors="backslashreplace").decode()
        while text != name and text in taken:
            text = f"\\{text}"
        taken.add(text)
        names[place] = text
    return tuple(names)


def _check(name: str, images: NDArray[np.generic], labels: NDArray[np.generic]) -> None:
    if images.ndim == 3 and len(images) == 0:
        raise DataError(f"{name}: there is no image in it; images are {images.shape}")
    if images.ndim != 3 or min(images.shape) < 1:
        raise DataError(f"{name}: images must be (N, H, W), not {images.shape}")
    if min(images.shape[1:]) < 2:
        raise DataError(f"{name}: images must have at least 2 x 2 pixels, not {images.shape[1]} x {images.shape[2]}")
    if images.dtype.kind not in "uif":
        raise DataError(f"{name}: images must be integers or floats, not {images.dtype}")
    if labels.ndim != 1:
        raise DataError(f"{name}: labels must be (N,), not {labels.shape}")
    if labels.dtype.kind not in "uiU":
        raise DataError(f"{name}: labels must be integers or strings, not {labels.dtype}")
    if len(labels) != len(images):
        raise DataError(f"{name}: there are {len(images)} images and {len(labels)} labels")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        where = int(np.argmin(np.isfinite(images).all(axis=(1, 2))))
        raise DataError(f"{name}: image {where} has a pixel that is nan or inf; all pixels must be finite")


def stratified_split(labels: NDArray[np.generic], seed: int, folds: int, fold: int, validation: float) -> NDArray[np.uint8]:
    """A (N,) split: one image in `folds` is test, a share `validation` of all images validation, the rest training.

    Shuffled by the seed, then dealt out class by class, so that each class is shared out to within one image. The folds
    of one seed do not overlap and cover all images.
    """
    ordered = _class_by_class(labels, seed)
    split = np.zeros(len(labels), np.uint8)
    split[ordered[fold::folds]] = TEST
    rest = ordered[split[ordered] == TRAIN]
    split[evenly(rest, round(validation * len(labels)))] = VALIDATION
    return split


def official_split(labels: NDArray[np.generic], test: int, seed: int, validation: float) -> NDArray[np.uint8]:
    """A (N,) split: the last `test` images are test, a share `validation` of the others validation, the rest training.

    Which are validation is drawn from the seed; each class is shared out to within one image.
    """
    others = len(labels) - test
    split = np.full(len(labels), TEST, np.uint8)
    split[:others] = TRAIN
    split[evenly(_class_by_class(labels[:others], seed), round(validation * others))] = VALIDATION
    return split


def _class_by_class(labels: NDArray[np.generic], seed: int) -> NDArray[np.int64]:
    """All indices of `labels`, shuffled by the seed, then sorted by class."""
    shuffled = np.random.default_rng([seed, SPLIT_STREAM]).permutation(len(labels))
    return shuffled[np.argsort(labels[shuffled], kind="stable")]


def evenly(ordered: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """`count` entries of `ordered`, evenly spaced; all of them when there are fewer."""
    count = min(count, len(ordered))
    return ordered[np.arange(count) * len(ordered) // max(count, 1)]
