"""The report's blocks of numbers, as many as there is room for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.dataset import Dataset
from ...heads.head import Head
from ...records.record import Record
from ...training.result import Vectors
from .agreement import agreement
from .curves import loss_curves
from .packing import letters_each, rounded
from .vectors import Joined, is_comparable

# Pictures may take this share; images beyond have their vectors alone.
PICTURES_SHARE = 0.5
# Of the room that two points share: their vectors may not pack alike.
LEEWAY = 0.9
# Points whose vectors and heads are read; pairs of more points than the second could not be looked at.
MOST_READ, MOST_PAIRED = 200, 100


@dataclass(frozen=True)
class Blocks:
    """arrays: by name; what belongs to one point ends in its number. images: what the head says of them. left_out: in
    sentences."""

    arrays: dict[str, NDArray[Any]]
    images: dict[str, Any]
    left_out: list[str]


def letters(arrays: Iterable[NDArray[Any]]) -> float:
    """What they take in the page, about."""
    return sum(array.size * letters_each(array) for array in arrays)


@dataclass
class Room:
    """letters: of the page, that are left for numbers."""

    letters: float

    def take(self, arrays: Iterable[NDArray[Any]]) -> bool:
        """Whether there is room for these; then it is taken."""
        needed = letters(arrays)
        if needed > self.letters:
            return False
        self.letters -= needed
        return True


def gather_blocks(records: Mapping[str, Record], order: Sequence[str], datasets: Mapping[str, Dataset], room: Room) -> Blocks:
    """order: all points as they matter, the best one first: those at its end stay without vectors and heads where there is
    no room. FileError for a damaged record."""
    best, dataset = records[order[0]], datasets.get(order[0])
    arrays, left_out = loss_curves(records)
    room.take(arrays.values())
    first = best.vectors
    shown = first.image
    each = letters_each(sample := _stored(dataset, shown[:100])) * sample[0].size if dataset else 0.0
    for_pictures = min(each * len(shown), PICTURES_SHARE * room.letters)
    room.letters -= for_pictures
    joined, heads = _take(records, order, first, room)
    vectors = [joined.vectors(name) for name in records]
    for number, name in enumerate(records):
        of_point = {"y_hat": vectors[number], **heads.get(name, {})}
        arrays |= {f"{key}-{number}": array for key, array in of_point.items() if array is not None}
    image, target = joined.images()
    arrays |= {"image": image, "target": target}
    about: dict[str, Any] = {"split": "test" if best.result.images["test"] else "train", "count": len(image), "pictures": 0}
    if dataset:
        most = int((for_pictures + room.letters) / max(each, 1e-9))
        arrays["pictures"] = _stored(dataset, image[:most])
        about |= {"pictures": min(most, len(image)), "scale": dataset.scale}
        about |= dict(zip(("height", "width"), dataset.image_shape, strict=True))
    if len(records) <= MOST_PAIRED:
        arrays["agreement"], arrays["distance"] = agreement(vectors)
    return Blocks(arrays, about, [*left_out, *_left_out(records, order[0], joined, about)])


def _take(
    records: Mapping[str, Record], order: Sequence[str], first: Vectors, room: Room
) -> tuple[Joined, dict[str, dict[str, NDArray[Any]]]]:
    """The y-hat vectors and the heads' arrays by point, as long as there is room. first: what the best one's file holds."""
    best = records[order[0]]
    joined = Joined(best.classes)
    heads: dict[str, dict[str, NDArray[Any]]] = {}
    for name in order[:MOST_READ]:
        record = records[name]
        if record.classes != best.classes:
            continue
        arrays = head_arrays(record.heads)
        if not is_comparable(record, best):
            if room.take(arrays.values()):
                heads[name] = arrays
            continue
        found = record.vectors if heads else first
        y_hat = rounded(found.y_hat)
        if joined.most is None:
            # Two points at least can be held against each other.
            left = LEEWAY * room.letters / 2 - letters(arrays.values())
            joined.most = max(1, int(left / (letters_each(y_hat) * y_hat.shape[1])))
        if not room.take([y_hat[: joined.most], *arrays.values()]):
            break
        joined.add(name, found.image, found.target, y_hat)
        heads[name] = arrays
    return joined, heads


def head_arrays(heads: Sequence[Head]) -> dict[str, NDArray[Any]]:
    """kernel (C, F, k, k), bias (C, F), weights (C, F, P, Q), bias_flat (C,). Kernels that are smaller than the largest lie in
    its middle, nan around them. In the numbers that the heads count in, so that the page finds their y-hats again."""
    size = max(head.kernel_size for head in heads)
    kernels = np.full((len(heads), heads[0].filters, size, size), np.nan, heads[0].dtype)
    for number, head in enumerate(heads):
        edge = (size - head.kernel_size) // 2
        kernels[number, :, edge : size - edge, edge : size - edge] = head.kernel
    others = {name: np.stack([head.arrays()[name] for head in heads]) for name in ("bias", "weights", "bias_flat")}
    return {"kernel": kernels, **others}


def _stored(dataset: Dataset, image: NDArray[np.integer]) -> NDArray[Any]:
    """Pictures as the data holds them: bytes where the pixels are such, else float32."""
    pixels = np.asarray(dataset.images[image])
    if pixels.dtype == np.uint8:
        return pixels
    whole = bool((pixels == np.clip(np.round(pixels.astype(np.float64)), 0, 255)).all())
    return pixels.astype(np.uint8 if whole else np.float32)


def _left_out(records: Mapping[str, Record], best: str, joined: Joined, images: Mapping[str, Any]) -> list[str]:
    """What is not in the blocks though a reader might look for it."""
    alike = [name for name in records if is_comparable(records[name], records[best])]
    stay, count = len(alike) - len(joined.parts), len(records)
    lines = {
        f"{count - len(alike)} of {count} points have other classes or images than the best one: their y-hat vectors cannot "
        "stand beside its.": len(alike) < count,
        f"The y-hat vectors and kernels of {stay} of {count} points stay in their records: there was no more room.": stay > 0,
        f"{joined.dropped} images were left out: there was no more room.": joined.dropped > 0,
        "There are no pictures: the images are not at hand.": not images["pictures"],
        f"Only the first {images['pictures']} of {images['count']} images have their pictures: there was no more room.":
            0 < images["pictures"] < images["count"],
        f"There is no agreement of pairs: {count} points are more than {MOST_PAIRED}.": count > MOST_PAIRED,
    }  # fmt: skip
    return [line for line, true in lines.items() if true]
