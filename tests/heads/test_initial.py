"""Initial heads: a stream for each head, and numbers that every machine agrees on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.heads.head import check_shapes
from pipeline.heads.initial import initial_heads
from tests.helpers.heads import law, same_array, same_bits

INITS = ("he", "notebook")
SHAPE = (7, 4)


@pytest.mark.parametrize("init", INITS)
def test_a_head_does_not_depend_on_how_many_others_there_are(init):
    ten = initial_heads(3, 10, init, 2, 3, SHAPE, "float64")
    for count in (1, 4, 9):
        assert same_bits(initial_heads(3, count, init, 2, 3, SHAPE, "float64"), ten[:count])


@pytest.mark.parametrize("init", INITS)
def test_heads_and_seeds_differ(init):
    heads = [*initial_heads(3, 4, init, 1, 3, SHAPE, "float64"), *initial_heads(4, 4, init, 1, 3, SHAPE, "float64")]
    assert len({head.kernel.tobytes() for head in heads}) == len({head.weights.tobytes() for head in heads}) == 8


@law(40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([1, 3, 5]), st.sampled_from(INITS))
def test_shapes_fit_and_both_dtypes_start_from_the_same_numbers(seed, filters, size, init):
    narrow = initial_heads(seed, 2, init, filters, size, SHAPE, "float32")
    wide = initial_heads(seed, 2, init, filters, size, SHAPE, "float64")
    for a, b in zip(narrow, wide, strict=True):
        check_shapes(a, SHAPE)
        assert a.kernel.shape == (filters, size, size)
        for x, y in zip(a.arrays().values(), b.arrays().values(), strict=True):
            assert (x.dtype, y.dtype) == (np.float32, np.float64)
            assert same_array(x.astype(np.float64), y)


@law(40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 5]))
def test_he_kernels_do_not_start_dead(seed, size):
    for head in initial_heads(seed, 3, "he", 4, size, SHAPE, "float64"):
        assert (head.kernel.sum(axis=(1, 2)) >= -1e-6).all()
        assert not head.bias.any() and not head.bias_flat.any()


def test_he_has_the_variance_of_its_paper_and_notebook_of_the_notebook():
    he = initial_heads(0, 3, "he", 1000, 3, (64, 64), "float64")
    for head in he:
        np.testing.assert_allclose((head.kernel**2).mean(), 2 / 9, rtol=0.05)
        np.testing.assert_allclose(head.weights.std(), 0.01, rtol=0.05)
    for head in initial_heads(0, 3, "notebook", 1000, 3, (64, 64), "float64"):
        for array in (head.kernel, head.bias, head.weights):
            np.testing.assert_allclose(array.std(), 0.01, rtol=0.1)
        assert 0 < abs(head.bias_flat) < 0.05


def test_notebook_draws_bring_their_own_kernel_sizes():
    heads = initial_heads(3, 7, "notebook_draws", 1, None, (32, 32), "float64")
    assert [head.kernel_size for head in heads] == [5, 5, 3, 5, 5, 3, 5]
    for head in heads:
        check_shapes(head, (32, 32))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="needs a kernel_size"):
        initial_heads(0, 1, "he", 1, None, SHAPE, "float64")
    with pytest.raises(ValueError, match="init must be he or notebook, not 'zeros'"):
        initial_heads(0, 1, "zeros", 1, 3, SHAPE, "float64")


def test_first_numbers_are_pinned():
    he, notebook = (initial_heads(0, 1, init, 1, 1, (2, 2), "float64")[0] for init in INITS)
    assert [float(he.kernel[0, 0, 0]).hex(), float(he.weights[0, 0, 0]).hex()] == PINNED_HE
    assert float(notebook.kernel[0, 0, 0]).hex() == PINNED_NOTEBOOK


PINNED_HE = ["0x1.2a39ec0000000p-3", "-0x1.414c940000000p-7"]
PINNED_NOTEBOOK = "0x1.0dec700000000p-10"
