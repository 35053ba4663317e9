"""Batches and steps: functions of the iteration alone, however a training is cut into blocks."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.heads.batches import alphas, batch_size, batches, too_large
from tests.helpers.heads import law

SIZES = st.integers(1, 12).flatmap(lambda images: st.tuples(st.just(images), st.integers(1, images)))
CUTS = st.lists(st.integers(0, 40), max_size=5)


def pieces(cuts, end):
    ends = sorted({0, end, *(cut for cut in cuts if cut < end)})
    return list(pairwise(ends))


@pytest.mark.parametrize(("setting", "size"), [("all", 30), (1, 1), (30, 30), (31, 30), (1000, 30)])
def test_a_batch_has_as_many_images_as_are_set_or_all_and_too_large_a_one_is_said(setting, size):
    said = f"batch_size: {setting} is more than the 30 images for training; a batch is all of them"
    assert batch_size(setting, 30) == size
    assert too_large(setting, 30) == (None if setting in ("all", size) else said)


@law(100)
@given(st.integers(0, 2**32 - 1), SIZES, CUTS)
def test_any_split_into_blocks_gives_the_same_rows(seed, sizes, cuts):
    whole = batches(seed, *sizes, 0, 40)
    assert whole.shape == (40, sizes[1])
    assert np.concatenate([batches(seed, *sizes, a, b) for a, b in pieces(cuts, 40)]).tolist() == whole.tolist()
    assert batches(seed, *sizes, 7, 7).shape == (0, sizes[1])


@law(100)
@given(st.integers(0, 2**32 - 1), SIZES)
def test_each_epoch_is_a_permutation_and_every_image_is_used_equally_often(seed, sizes):
    images, size = sizes
    stream = batches(seed, images, size, 0, 6 * images).ravel()  # 6 * size whole epochs
    for epoch in stream.reshape(-1, images):
        assert sorted(epoch.tolist()) == list(range(images))
    assert np.bincount(stream).tolist() == [6 * size] * images


def test_epochs_and_seeds_differ_and_are_pinned():
    first, second = batches(0, 50, 50, 0, 2)
    assert first.tolist() != second.tolist()
    assert first.tolist() != batches(1, 50, 50, 0, 1)[0].tolist()
    assert batches(0, 6, 3, 0, 4).tolist() == PINNED


PINNED = [[5, 2, 0], [1, 4, 3], [5, 1, 0], [2, 4, 3]]


@pytest.mark.parametrize("size", [0, -1, 6])
def test_a_batch_that_cannot_be_taken_is_refused(size):
    with pytest.raises(ValueError, match=f"a batch of {size} cannot be taken from 5 images"):
        batches(0, 5, size, 0, 1)


@law(100)
@given(st.floats(1e-6, 1e6), st.integers(1, 40), st.sampled_from(["constant", "cosine"]), CUTS)
def test_any_split_into_blocks_gives_the_same_steps(alpha, iterations, schedule, cuts):
    whole = alphas(alpha, schedule, iterations, 0, iterations)
    parts = [alphas(alpha, schedule, iterations, a, b) for a, b in pieces(cuts, iterations)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


@law(100)
@given(st.floats(1e-6, 1e6), st.integers(2, 500))
def test_cosine_falls_from_alpha_to_almost_0_and_is_half_of_it_on_average(alpha, iterations):
    steps = alphas(alpha, "cosine", iterations, 0, iterations)
    assert steps[0] == alpha
    assert (np.diff(steps) < 0).all() and (steps > 0).all()
    for t, step in enumerate(steps):
        assert abs(step / alpha - 0.5 * (1 + math.cos(math.pi * t / iterations))) <= 2.0**-32
    # What would be the step after the last is 0; its mirror image is alpha.
    np.testing.assert_allclose(steps[1:] + steps[:0:-1], alpha, rtol=1e-8)


def test_constant_is_alpha_whatever_the_number_of_iterations():
    assert alphas(0.1, "constant", 10, 3, 6).tolist() == [0.1] * 3
    assert alphas(0.1, "constant", 10**9, 3, 6).tolist() == [0.1] * 3


def test_an_unknown_schedule_is_refused():
    with pytest.raises(ValueError, match="constant or cosine, not 'linear'"):
        alphas(0.1, "linear", 10, 0, 1)
