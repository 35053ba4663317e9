"""Which images each iteration sees, and how large its step is: pure functions of the settings and the iteration."""

import numpy as np
from numpy.typing import NDArray

BATCH_STREAM = 2


def batch_size(setting: int | str, images: int) -> int:
    """How many images a batch has: as many as are set, or all, and never more than there are."""
    return images if setting == "all" else min(int(setting), images)


def too_large(setting: int | str, images: int) -> str | None:
    """What to say of a batch that is set larger than the images are; None of any other."""
    if setting == "all" or int(setting) <= images:
        return None
    return f"batch_size: {setting} is more than the {images} images for training; a batch is all of them"


def batches(seed: int, images: int, batch_size: int, first: int, last: int) -> NDArray[np.int64]:
    """The batches of iterations `first` to `last` (exclusive), counted from 0: (last - first, batch_size) indices.

    Every epoch is a seeded permutation of all images; the permutations follow each other without a gap and are cut into
    batches, so that every image is used equally often and any iteration's batch is known without its predecessors.
    """
    if not 1 <= batch_size <= images:
        raise ValueError(f"a batch of {batch_size} cannot be taken from {images} images")
    start, stop = first * batch_size, last * batch_size
    epochs = range(start // images, -(-stop // images))
    order = [np.random.default_rng([seed, BATCH_STREAM, epoch]).permutation(images) for epoch in epochs]
    stream = np.concatenate([np.empty(0, np.int64), *order])
    offset = start // images * images
    return stream[start - offset : stop - offset].reshape(last - first, batch_size)


def alphas(alpha: float, schedule: str, iterations: int, first: int, last: int) -> NDArray[np.float64]:
    """The step of each iteration `first` to `last` (exclusive).

    constant: alpha. cosine: half a cosine from alpha down to almost 0 over all `iterations` (Loshchilov and Hutter 2017,
    "SGDR", eq. 5, without restarts); the cosine is rounded to 2^-32, so that its last bit is the same on every machine.
    """
    steps = np.arange(first, last)
    if schedule == "constant":
        return np.full(len(steps), alpha)
    if schedule == "cosine":
        cosine = np.rint(np.cos(np.pi * steps / iterations) * 2.0**32) / 2.0**32
        return np.asarray(alpha * 0.5 * (1.0 + cosine))
    raise ValueError(f"schedule must be constant or cosine, not {schedule!r}")
