"""y-hat vectors of points, joined by image: a row of each is the same image's."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...records.record import Record
from ..vectors import images_of


@dataclass
class Joined:
    """The images met so far and, by point, the rows that it has and their vectors. most: images beyond are dropped; None
    while that is not known. dropped: images of a point that were, at most."""

    classes: list[str]
    most: int | None = None
    rows: dict[tuple[int, int], int] = field(default_factory=dict)
    parts: dict[str, tuple[NDArray[np.intp], NDArray[np.float32]]] = field(default_factory=dict)
    dropped: int = 0

    def add(self, name: str, image: NDArray[np.int64], target: NDArray[np.int64], y_hat: NDArray[np.float32]) -> None:
        """A point's images (n,), their classes (n,) and vectors (n, C)."""
        keys = list(zip(image.tolist(), target.tolist(), strict=True))
        for key in keys:
            if len(self.rows) == self.most:
                break
            self.rows.setdefault(key, len(self.rows))
        places = np.array([self.rows.get(key, -1) for key in keys])
        held = places >= 0
        self.dropped = max(self.dropped, int((~held).sum()))
        self.parts[name] = (places[held], y_hat[held])

    def images(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """(n,) indices into the data and (n,) indices of classes."""
        keys = np.array(list(self.rows), np.int32).reshape(-1, 2)
        return keys[:, 0], keys[:, 1]

    def vectors(self, name: str) -> NDArray[np.float32] | None:
        """(n, C), nan where the point lacks an image; None for a point that was not added."""
        if name not in self.parts:
            return None
        places, y_hat = self.parts[name]
        if len(places) == len(self.rows) and (places == np.arange(len(places))).all():
            return y_hat
        whole = np.full((len(self.rows), len(self.classes)), np.nan, np.float32)
        whole[places] = y_hat
        return whole


def is_comparable(record: Record, other: Record) -> bool:
    """Whether their vectors are of the same classes and, where the data's numbers are the same, of the same images."""
    return record.classes == other.classes and images_of(record) == images_of(other)
