"""Random heads, images and labels for the tests of heads."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from pipeline.heads.head import Head

LOSSES = ("half_squared_error", "binary_cross_entropy")


def law(max_examples):
    """Hypothesis settings: the same examples in every run, and no clock."""
    return settings(max_examples=max_examples, deadline=None, derandomize=True, database=None)


def random_head(random, filters, size, shape, dtype="float64"):
    height, width = shape
    return Head(
        random.normal(size=(filters, size, size)),
        random.normal(size=filters),
        0.3 * random.normal(size=(filters, height // 2, width // 2)),
        np.asarray(random.normal()),
    ).astype(dtype)


def frozen(*arrays):
    """The arrays, made read-only: whoever writes to them raises."""
    for array in arrays:
        array.flags.writeable = False
    return arrays


@st.composite
def cases(draw, sizes=(1, 3, 5), largest=(9, 7)):
    """A head, continuous images (B, H, W), targets (B,) and a loss."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(2, largest[0])), draw(st.integers(2, largest[1]))
    batch, filters = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    head = random_head(random, filters, draw(st.sampled_from(sizes)), shape)
    images = random.uniform(0, 1, (batch, *shape))
    return head, images, random.integers(0, 2, batch).astype(np.uint8), draw(st.sampled_from(LOSSES))


def same_bits(a, b):
    """Whether two heads, or two sequences of heads, agree in every bit."""
    if isinstance(a, Head):
        return all(same_array(x, y) for x, y in zip(a.arrays().values(), b.arrays().values(), strict=True))
    return len(a) == len(b) and all(same_bits(x, y) for x, y in zip(a, b, strict=True))


def same_array(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
