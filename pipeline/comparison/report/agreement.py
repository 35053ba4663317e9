"""How far points agree, pair by pair."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Numbers that are held at once: images x pairs.
MOST_HELD = 4_000_000


def agreement(vectors: Sequence[NDArray[np.float32] | None]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """From each point's (n, C) y-hat vectors, rows of the same images, nan where it lacks one, or None: the share of images
    to which two points give the same answer, and the mean Euclidean distance of their vectors, both (points, points). nan for
    pairs that have no image in common."""
    count = len(vectors)
    shares, distances = np.full((2, count, count), np.nan, np.float32)
    there = [number for number, each in enumerate(vectors) if each is not None]
    if there:
        joined = np.stack([each for each in vectors if each is not None], axis=1)
        places = np.ix_(there, there)
        shares[places], distances[places] = _pairs(joined)
    return shares, distances


def _pairs(joined: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n, P, C) gives two (P, P)."""
    images, count, _ = joined.shape
    same, apart, common = np.zeros((3, count, count))
    for part in np.array_split(joined, max(1, images * count**2 // MOST_HELD)):
        both = part.astype(np.float64)
        answers, held = part.argmax(axis=2), np.asarray(~np.isnan(part).any(axis=2))
        known = held[:, :, None] & held[:, None, :]
        same += (known & (answers[:, :, None] == answers[:, None, :])).sum(axis=0)
        common += known.sum(axis=0)
        # |a - b|^2 = |a|^2 + |b|^2 - 2 a.b: a pair costs one product, whatever the number of classes.
        products = both @ both.transpose(0, 2, 1)
        lengths = np.diagonal(products, axis1=1, axis2=2)
        squares = np.maximum(lengths[:, :, None] + lengths[:, None, :] - 2 * products, 0)
        apart += np.sqrt(squares, where=known, out=np.zeros_like(squares)).sum(axis=0)
    np.fill_diagonal(apart, 0)
    with np.errstate(invalid="ignore"):
        # Products end in other bits on other machines; the page shows four decimals.
        return same / common, np.round(apart / common, 7)
