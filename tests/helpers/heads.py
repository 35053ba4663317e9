"""Random heads, images, labels and blocks for the tests of heads."""

from dataclasses import replace

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from pipeline.heads.batches import batches
from pipeline.heads.block import Block
from pipeline.heads.choices import GRADIENTS, LOSSES
from pipeline.heads.head import Head
from pipeline.heads.initial import initial_head


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


def blobs(count, shape, seed=0):
    """uint8 images: noise on a part, one constant value elsewhere, so that windows tie."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, *shape)).astype(np.uint8)
    images[:, : shape[0] // 2, : shape[1] // 3] = 0
    images[:, shape[0] // 2 + 1 :, shape[1] // 2 :] = 77
    return images


def small_job(shape, k, filters, batch=3, steps=25, dtype="float64", seed=0):
    """A head and a block of six blobs, by cross-entropy. Large images have many weights and take small steps: where training
    oscillates, it multiplies the engines' different rounding by a factor an iteration."""
    head = initial_head(seed, 0, "he", filters, k, shape).astype(dtype)
    labels = np.random.default_rng(seed).integers(0, 2, 6)
    alphas = np.full(steps, 0.1 * min(1.0, 64 / (shape[0] * shape[1])))
    return head, Block(blobs(6, shape, seed), 255.0, labels, batches(seed, 6, batch, 0, steps), alphas, LOSSES[1])


def alone(engine, head, block):
    """A single head, which learns to tell label 0 from the rest, after the block, and its (T,) losses."""
    (after,), losses = engine.advance([head], block)
    return after, losses[:, 0]


def labels_of(targets):
    """The labels of images, for a single head, from its targets of 1 and 0."""
    return 1 - np.asarray(targets, np.int64)


def same_bits(a, b):
    """Whether two heads, or two sequences of heads, agree in every bit."""
    if isinstance(a, Head):
        return all(same_array(x, y) for x, y in zip(a.arrays().values(), b.arrays().values(), strict=True))
    return len(a) == len(b) and all(same_bits(x, y) for x, y in zip(a, b, strict=True))


def same_array(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def every_gradient(block):
    return [replace(block, gradient=gradient) for gradient in GRADIENTS]
