"""Products shared by neighbours of a feature map: the same sums, and the same maxima where values are equal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.heads import numpy_engine
from pipeline.heads.compiled import engine
from pipeline.heads.compiled.layout import pooled_places
from pipeline.heads.compiled.vectors import lanes_of
from pipeline.heads.head import Head
from tests.helpers.heads import law


@law(60)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(range(1, 15, 2)),
    st.integers(1, 6),
    st.tuples(st.integers(2, 20), st.integers(2, 40)),
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whole_numbers_are_summed_exactly(dtype, seed, k, filters, shape):
    """Nothing is rounded, half a sum of taps included: so every order and every grouping gives the same logits, to the bit."""
    random = np.random.default_rng(seed)
    height, width = shape
    head = Head(
        random.integers(-3, 4, (filters, k, k)),
        random.integers(-20, 21, filters),
        random.integers(-2, 3, (filters, height // 2, width // 2)),
        np.asarray(random.integers(-9, 10)),
    ).astype(dtype)
    images = random.integers(0, 4, (2, *shape)).astype(np.uint8)
    found = engine.logits([head], images, 1.0)
    np.testing.assert_array_equal(found, numpy_engine.logits([head], images, 1.0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(12, 16), (28, 28)])
@pytest.mark.parametrize("k", [1, 3, 5, 7, 9])
def test_of_equal_values_the_first_is_the_maximum(k, shape, dtype):
    """Inside an image of one grey all four places of a window meet the same pixels, whose sums are rounded."""
    random = np.random.default_rng(k)
    rows, columns = shape[0] // 2, shape[1] // 2
    kernel = random.uniform(0.1, 1, (3, k, k))
    head = Head(kernel, random.normal(size=3), np.ones((3, rows, columns)), np.asarray(0.0)).astype(dtype)
    arguments = engine.apply_arguments([head], np.full((1, *shape), 77, np.uint8), 255.0)
    engine.compiled_for(arguments)(*arguments)
    _, _, state, sizes, _ = arguments
    lanes = lanes_of(np.dtype(dtype))
    bits = state.maxima.reshape(3, sizes.vectors, 2, 1) >> np.arange(lanes, dtype=np.uint16) & 1
    lower, right = (bits[:, :, place].reshape(3, -1)[:, pooled_places(sizes)].reshape(3, rows, columns) for place in (0, 1))
    # Windows that meet the border are another matter.
    margin = (k // 2 + 1) // 2
    inside = (slice(None), slice(margin, rows - margin), slice(margin, columns - margin))
    assert lower[inside].size and not lower[inside].any() and not right[inside].any()
    if k > 1:
        # At the upper border the lower row meets more pixels.
        assert lower[:, 0].all() and right[:, :, 0].all()
