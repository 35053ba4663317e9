"""What all contestants do: heads to start from, images, and the batches they see in one epoch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..base.errors import DataError
from ..data.dataset import TEST, TRAIN
from ..data.prepared import load
from ..heads.batches import batches
from ..heads.block import Block
from ..heads.head import Head
from ..heads.initial import initial_heads
from ..heads.notebook import notebook_draws
from ..settings import DataSettings, Settings

LOSS = "half_squared_error"
SEED = 0
NOTEBOOK_HEADS, NOTEBOOK_ITERATIONS, NOTEBOOK_ALPHA = 7, 500, 0.001
ALPHA = 0.5
# Digits have 8 x 8 pixels.
DIGITS_KERNEL_SIZE = 3


@dataclass(frozen=True)
class Job:
    """Heads, and the block that they are to be moved through; all its steps have one size."""

    heads: tuple[Head, ...]
    block: Block

    @property
    def alpha(self) -> float:
        return float(self.block.alphas[0])

    @property
    def iterations(self) -> int:
        return len(self.block.batches)

    @property
    def batch_size(self) -> int:
        return int(self.block.batches.shape[1])

    @property
    def seen(self) -> int:
        """How many images the batches hold together."""
        return self.block.batches.size

    def first(self, images: int) -> "Job":
        """The job's first batches, as many as hold `images` images, at least one, which may be a part."""
        size = self.batch_size
        if images < size:
            return self.with_batches(self.block.batches[:1, :images])
        return self.with_batches(self.block.batches[: images // size])

    def share(self, part: "Job") -> float:
        """Which share of this job's images `part` sees."""
        return part.seen / self.seen

    def start_from(self, heads: Sequence[Head]) -> "Job":
        return replace(self, heads=tuple(heads))

    def with_batches(self, batches: NDArray[np.integer]) -> "Job":
        alphas = np.full(len(batches), self.alpha)
        return replace(self, block=replace(self.block, batches=batches, alphas=alphas))

    def with_gradient(self, gradient: str) -> "Job":
        return replace(self, block=replace(self.block, gradient=gradient))


@dataclass(frozen=True)
class Pictures:
    """Images to train on and to test on, stored as they came; a pixel is the stored number divided by `scale`."""

    name: str
    images: NDArray[np.generic]
    labels: NDArray[np.integer]
    test_images: NDArray[np.generic]
    test_labels: NDArray[np.integer]
    scale: float

    def some(self, images: int, test: int) -> "Pictures":
        """The first images only."""
        parts = self.images[:images], self.labels[:images], self.test_images[:test], self.test_labels[:test]
        return Pictures(self.name, *parts, self.scale)


def pictures(source: str) -> Pictures | str:
    """The project's digits or fashion_mnist, with nothing set aside for validation; or why there are none."""
    scale = {"fashion_mnist": 255.0}.get(source)
    try:
        dataset = load(Settings(data=DataSettings(source=source, validation=0.0, scale=scale)))
    except DataError as error:
        return str(error)
    return Pictures(source, *dataset.part(TRAIN), *dataset.part(TEST), dataset.scale)


def epoch(data: Pictures, heads: int, filters: int, kernel_size: int, batch: int, dtype: str, epochs: int = 1) -> Job:
    """Every image once, or `epochs` times, in whole batches; each head starts as in the project."""
    shape = data.images.shape[1], data.images.shape[2]
    start = initial_heads(SEED, heads, "he", filters, kernel_size, shape, dtype)
    order = batches(SEED, len(data.images), batch, 0, epochs * len(data.images) // batch)
    alphas = np.full(len(order), ALPHA)
    return Job(start, Block(data.images, data.scale, data.labels, order, alphas, LOSS))


def notebook_job(kernel_size: int) -> Job:
    """The notebook's example: one image of 32 x 32 unscaled pixels, float64, its own kernel gradient."""
    draws = notebook_draws(SEED)
    start = initial_heads(SEED, NOTEBOOK_HEADS, "notebook", 1, kernel_size, (32, 32), "float64")
    label = np.array([int(draws.target.argmax())])
    image, order = draws.image[None].astype(np.uint8), np.zeros((NOTEBOOK_ITERATIONS, 1), np.int64)
    alphas = np.full(NOTEBOOK_ITERATIONS, NOTEBOOK_ALPHA)
    return Job(start, Block(image, 1.0, label, order, alphas, LOSS, "notebook"))
