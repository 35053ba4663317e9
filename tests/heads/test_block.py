"""Blocks: what does not fit is refused when a block is made, and their parts are what they are called."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.heads.block import Block
from pipeline.heads.choices import LOSSES

BLOCK = Block(
    images=np.zeros((4, 3, 2), np.uint8),
    scale=1.0,
    labels=np.array([2, 0, 1, 2]),
    batches=np.array([[0, 1], [2, 3], [1, 0]]),
    alphas=np.array([0.1, 0.2, 0.3]),
    loss=LOSSES[0],
)
WRONG = {
    "3 batches need as many alphas": {"alphas": np.zeros(2)},
    "4 images need as many labels": {"labels": np.zeros(3, int)},
    r"images must be \(N, H, W\)": {"images": np.zeros((4, 6))},
    r"batches \(T, B\)": {"batches": np.zeros(3, int)},
    "loss must be one of half_squared_error, binary_cross_entropy": {"loss": "hinge"},
    "gradient one of exact, notebook": {"gradient": "Exact"},
}


@pytest.mark.parametrize("message", WRONG)
def test_what_does_not_fit_is_refused(message):
    with pytest.raises(ValueError, match=message):
        replace(BLOCK, **WRONG[message])


def test_its_iterations_are_blocks():
    part = BLOCK.iterations(1, 3)
    assert part.batches.tolist() == [[2, 3], [1, 0]] and part.alphas.tolist() == [0.2, 0.3]
    assert part.images is BLOCK.images and part.labels is BLOCK.labels
    assert BLOCK.iteration(2).batches.tolist() == [[1, 0]] and BLOCK.iteration(2).alphas.tolist() == [0.3]


def test_targets_are_1_for_the_heads_own_label():
    assert BLOCK.targets(3).tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1]]
    assert BLOCK.targets(2).tolist() == [[0, 1, 0, 0], [0, 0, 1, 0]]
    assert BLOCK.image_shape == (3, 2)


@pytest.mark.parametrize("chosen", [[0], [2], [1, 2], [2, 0], [0, 1, 2]])
def test_some_heads_have_the_targets_that_they_have_among_all(chosen):
    some = BLOCK.of_heads(chosen)
    assert some.targets(len(chosen)).tolist() == BLOCK.targets(3)[chosen].tolist()


def test_labels_that_no_head_has_are_of_the_rest_whatever_their_number():
    labels = np.array([-1, 255, 1, -300], np.int64)
    for stored, dtype in ((labels, np.int64), (labels % 256, np.uint8)):
        some = replace(BLOCK, labels=stored.astype(dtype)).of_heads([2, 1])
        assert some.labels.tolist() == [-1, -1, 1, -1]


def test_indices_beyond_the_images_are_refused_and_no_batch_is_none():
    BLOCK.check_batches()
    BLOCK.iterations(0, 0).check_batches()
    for index in (-1, 4):
        with pytest.raises(IndexError, match="from 0 to 3"):
            replace(BLOCK, batches=np.full((3, 2), index)).check_batches()
