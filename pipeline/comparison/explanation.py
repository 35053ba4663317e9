"""One image as every head of a point sees it, as a picture that a notebook shows by itself."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..heads.forward import forward
from ..heads.head import Head
from ..heads.seen import Seen


class Explanation(Seen):
    """What the heads see, that can be drawn."""

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
