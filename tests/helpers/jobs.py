"""Small jobs for the tests of contestants."""

import numpy as np

from pipeline.benchmarks.jobs import LOSS, Job
from pipeline.heads.block import Block
from pipeline.heads.initial import initial_heads


def small_job(filters: int, kernel_size: int, gradient: str, shape=(7, 6), batch: int = 3) -> Job:
    random = np.random.default_rng(filters + kernel_size)
    images = random.integers(0, 256, (9, *shape)).astype(np.uint8)
    # Equal values within a window: the first must win.
    images[:, :4, :3] = 90
    heads = initial_heads(1, 3, "he", filters, kernel_size, shape, "float64")
    labels, order = random.integers(0, 3, 9), random.integers(0, 9, (6, batch))
    return Job(heads, Block(images, 255.0, labels, order, np.full(6, 0.7), LOSS, gradient))
