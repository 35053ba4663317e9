"""The interchangeable engines: an engine is whatever fulfils `Engine`, here modules."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from . import numpy_engine
from .block import Block
from .head import Head


class Engine(Protocol):
    """Moves and applies heads. Its bits depend on nothing but the arguments: not on the CPU, on the
    other heads of a call, or on how iterations are cut into blocks. They bear a name, see
    `choices.NUMERICS`."""

    def advance(self, heads: Sequence[Head], block: Block) -> tuple[tuple[Head, ...], NDArray[np.float64]]:
        """Move heads of one dtype and one kernel shape through a block: in each iteration a step of
        alpha against the mean gradient of its batch.

        Returns the new heads and (T, heads) losses, the means of the batches before each update.
        ValueError for shapes that do not fit, IndexError for a batch that reaches beyond the images.
        Nothing is written to the arguments.
        """

    def logits(self, heads: Sequence[Head], images: NDArray[np.generic], scale: float) -> NDArray[np.float64]:
        """The logit of every image and head, for heads of one dtype and one kernel shape: images
        (N, H, W), a pixel being the stored number divided by `scale`, give (N, heads)."""


def engine(name: str) -> Engine:
    """The engine called `name`; ValueError when there is none."""
    if name == "numpy":
        return numpy_engine
    if name == "numba":
        # Imported when asked for: it takes half a second.
        from .compiled import engine as numba_engine

        return numba_engine
    raise ValueError(f"engine must be numba or numpy, not {name!r}")
