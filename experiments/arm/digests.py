"""What heads become of small trainings of all kinds, as digests: run.py runs this on two kinds of CPU and compares.

python experiments/arm/digests.py OUT.csv

Needs pipeline.heads, NumPy, Numba and joblib alone. The drawn images are whole numbers and their quotients by 255.
"""

import csv
import hashlib
import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.heads import elementary
from pipeline.heads.batches import alphas, batches
from pipeline.heads.block import Block
from pipeline.heads.choices import DTYPES, GRADIENTS, LOSSES
from pipeline.heads.engines import engine
from pipeline.heads.head import Head
from pipeline.heads.initial import initial_heads
from pipeline.heads.notebook import notebook_draws

HEADER = ("what", "kernel_size", "dtype", "images", "filters", "batch", "sha256")
SIZES, FILTERS, BATCHES = (1, 3, 5, 7, 9), (1, 3), (1, 7)
# Odd sides, fewer columns than a vector has lanes; and a row of several vectors.
SHAPES = ((9, 11), (6, 37))
IMAGES, LABELS, ITERATIONS, SEED = 20, 3, 12, 5


def rows() -> Iterator[tuple[object, ...]]:
    """What is cheap comes first; what compiles comes last, each kind once."""
    yield ("the notebook's draws of 100 seeds", *[""] * 5, digest(drawn_by_notebook()))
    yield ("initial heads", *[""] * 5, digest(arrays_of(initial_heads(SEED, 10, "he", 8, 9, (28, 28), "float64"))))
    yield ("cosine alphas", *[""] * 5, digest([alphas(0.3, "cosine", 9999, 0, 9999)]))
    numbers = np.linspace(-750, 750, 100_001)
    yield (
        "exp, sigmoid, softplus",
        *[""] * 5,
        digest(f(numbers) for f in (elementary.exp, elementary.sigmoid, elementary.softplus)),
    )
    yield from of_engine("numpy", itertools.product(SIZES, DTYPES, ("uint8", "float32", "float64")))
    kinds = [(size, dtype, "uint8") for size in SIZES for dtype in DTYPES]
    kinds += [(3, dtype, images) for dtype in DTYPES for images in ("float32", "float64")]
    yield from of_engine("numba", kinds)


def of_engine(name: str, kinds: Iterable[tuple[int, str, str]]) -> Iterator[tuple[object, ...]]:
    for (size, dtype, images), filters, batch in itertools.product(kinds, FILTERS, BATCHES):
        yield name, size, dtype, images, filters, batch, digest(trained(name, size, dtype, images, filters, batch))


def trained(name: str, size: int, dtype: str, images: str, filters: int, batch: int) -> Iterator[NDArray[np.generic]]:
    """Heads, losses and logits of each image shape, loss and gradient."""
    compute = engine(name)
    for shape, loss, gradient in itertools.product(SHAPES, LOSSES, GRADIENTS):
        random = np.random.default_rng(SEED)
        pictures, scale = random.integers(0, 256, (IMAGES, *shape)).astype(images), 255.0
        if images != "uint8":
            pictures, scale = pictures / pictures.dtype.type(255), 1.0
        block = Block(
            pictures, scale, random.integers(0, LABELS, IMAGES), batches(SEED, IMAGES, batch, 0, ITERATIONS),
            alphas(0.5, "cosine", ITERATIONS, 0, ITERATIONS), loss, gradient,
        )  # fmt: skip
        heads, losses = compute.advance(initial_heads(SEED, LABELS, "he", filters, size, shape, dtype), block)
        if not all(head.is_finite() for head in heads):
            raise AssertionError("a head broke: its bits would show nothing")
        yield from [*arrays_of(heads), losses, compute.logits(heads, pictures, scale)]


def arrays_of(heads: Iterable[Head]) -> list[NDArray[np.generic]]:
    return [array for head in heads for array in head.arrays().values()]


def drawn_by_notebook() -> Iterator[NDArray[np.generic]]:
    for seed in range(100):
        draws = notebook_draws(seed)
        yield from [draws.image, draws.target, *(array for each in draws.parameters for array in each.values())]


def digest(arrays: Iterable[NDArray[np.generic]]) -> str:
    total = hashlib.sha256()
    for array in arrays:
        total.update(f"{array.dtype} {array.shape}".encode() + array.tobytes())
    return total.hexdigest()


def main(out: Path) -> None:
    with out.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for row in rows():
            writer.writerow(row)
            file.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
