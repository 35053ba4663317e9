"""Useful work, counted by hand."""

import numpy as np
import pytest

from pipeline.benchmarks.peak import useful_work
from pipeline.heads.head import Head


def head(bias: list[float], size: int = 3) -> Head:
    filters = len(bias)
    return Head(np.zeros((filters, size, size)), np.array(bias), np.zeros((filters, 2, 2)), np.zeros(()))


def test_every_pixel_forward_every_active_cell_backward_and_two_a_cell_for_the_weights():
    images = np.zeros((5, 4, 4))
    # 16 pixels and 4 pooled cells: all of them are above 0 where the bias is, none where it is below.
    assert useful_work(head([1.0]), images) == 9 * 16 + 9 * 4 + 2 * 4
    assert useful_work(head([-1.0]), images) == 9 * 16 + 2 * 4
    assert useful_work(head([1.0, -1.0], 5), images) == 2 * 25 * 16 + 25 * 4 + 2 * 2 * 4


def test_active_cells_are_averaged_over_the_images():
    one = head([-0.5], 1)
    one.kernel[:] = 1
    images = np.zeros((2, 4, 4))
    images[0, :2, :2] = images[0, 3, 3] = 1
    # The first image has two cells above 0, the second none.
    assert useful_work(one, images) == pytest.approx(16 + 1 + 2 * 4)
