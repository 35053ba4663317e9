"""A block: what heads are to be trained on for a stretch of iterations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .choices import GRADIENTS, LOSSES


@dataclass(frozen=True)
class Block:
    """T iterations of a batch of B images each; head j learns to tell label j from the rest.

    A block that exists fits: ValueError for shapes that do not, or for an unknown loss or gradient.
    """

    # (N, H, W), as they are stored; a pixel is the stored number divided by `scale`.
    images: NDArray[np.generic]
    scale: float
    # (N,), indices of heads. Whoever bears a label without a head belongs to the rest of every head.
    labels: NDArray[np.integer]
    # (T, B), indices of images.
    batches: NDArray[np.integer]
    # (T,), the size of each step.
    alphas: NDArray[np.float64]
    # Names from `choices`.
    loss: str
    gradient: str = "exact"

    def __post_init__(self) -> None:
        if self.loss not in LOSSES or self.gradient not in GRADIENTS:
            raise ValueError(
                f"loss must be one of {', '.join(LOSSES)} and gradient one of {', '.join(GRADIENTS)}, "
                f"not {self.loss!r} and {self.gradient!r}"
            )
        if self.images.ndim != 3 or self.batches.ndim != 2:
            raise ValueError(
                f"images must be (N, H, W) and batches (T, B), they are {self.images.shape} and {self.batches.shape}"
            )
        if self.alphas.shape != (len(self.batches),):
            raise ValueError(f"{len(self.batches)} batches need as many alphas, they are {self.alphas.shape}")
        if self.labels.shape != (len(self.images),):
            raise ValueError(f"{len(self.images)} images need as many labels, they are {self.labels.shape}")

    @property
    def image_shape(self) -> tuple[int, int]:
        return self.images.shape[1], self.images.shape[2]

    def check_batches(self) -> None:
        """IndexError unless all batches hold indices of images; negative ones do not count from the end."""
        batches, count = self.batches, len(self.images)
        if batches.size and not 0 <= batches.min() <= batches.max() < count:
            raise IndexError(f"batches must hold indices from 0 to {count - 1}")

    def iterations(self, first: int, last: int) -> "Block":
        """The block's iterations `first` to `last` (exclusive) alone."""
        return replace(self, batches=self.batches[first:last], alphas=self.alphas[first:last])

    def iteration(self, t: int) -> "Block":
        """The block's iteration t alone."""
        return self.iterations(t, t + 1)

    def of_heads(self, chosen: Sequence[int]) -> "Block":
        """The same block for some heads: label i is that of the i-th chosen one, -1 all others."""
        none = max(chosen) + 1
        positions = np.full(none + 1, -1, np.int64)
        positions[list(chosen)] = range(len(chosen))
        # -1 and `none` are nobody's place in it, the former counted from its end.
        known = np.clip(self.labels.astype(np.int64), -1, none)
        return replace(self, labels=positions[known])

    def targets(self, heads: int) -> NDArray[np.uint8]:
        """(heads, N): 1 where an image bears a head's label, else 0."""
        return np.asarray(self.labels == np.arange(heads)[:, None], np.uint8)
