"""One image as every head of a point sees it: as arrays, and as a picture that a notebook shows by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..heads.forward import Forward, forward
from ..heads.head import Head


@dataclass(frozen=True)
class Explanation:
    """image: (H, W), as stored; a pixel is the stored number divided by `scale`. A head a class, and what it computes."""

    image: NDArray[np.generic] = field(repr=False)
    scale: float
    classes: tuple[str, ...]
    heads: tuple[Head, ...] = field(repr=False)
    forwards: tuple[Forward, ...] = field(repr=False)

    @property
    def logits(self) -> NDArray[np.float64]:
        """(heads,)"""
        return np.array([float(each.logit) for each in self.forwards])

    @property
    def answer(self) -> int:
        """The head with the largest logit, the first of equals."""
        return int(self.logits.argmax())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """`image`, `scale` and `classes`; of head j, as headJ/kernel, headJ/feature_map and so on, its parameters and
        everything that `Forward` has."""
        found: dict[str, NDArray[Any]] = {"image": self.image, "scale": np.array(self.scale), "classes": np.array(self.classes)}
        for j, (head, each) in enumerate(zip(self.heads, self.forwards, strict=True)):
            parts: dict[str, NDArray[Any]] = {**head.arrays(), **each.arrays()}
            found |= {f"head{j}/{name}": array for name, array in parts.items()}
        return found

    def png(self, title: str = "") -> bytes:
        """The picture: a row a head, from the image to y-hat."""
        # Imported here: it is not needed for the arrays.
        from .figures.anatomy import anatomy_png

        return anatomy_png(self, title)

    def _repr_png_(self) -> bytes:
        return self.png()


def explain(heads: Sequence[Head], classes: Sequence[str], image: NDArray[np.generic], scale: float) -> Explanation:
    """What each head sees of an image (H, W), as stored. ValueError for shapes that do not fit."""
    forwards = tuple(forward(head, image, scale) for head in heads)
    return Explanation(image, scale, tuple(classes), tuple(heads), forwards)
