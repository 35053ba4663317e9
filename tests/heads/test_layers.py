"""What the layers do where formulas leave a choice: ties, zeros, odd sizes; and that nothing writes to its input."""

import numpy as np
import pytest
from hypothesis import given

from pipeline.heads import layers, numpy_engine
from pipeline.heads.block import Block
from pipeline.heads.choices import GRADIENTS, LOSSES
from pipeline.heads.head import Head, check_shapes
from pipeline.heads.numpy_engine import gradients, logits
from tests.helpers.heads import alone, cases, frozen, labels_of, law, random_head

TIES = [
    ([[1, 1], [1, 1]], (0, 0)),
    ([[0, 1], [1, 1]], (0, 1)),
    ([[0, 0], [1, 1]], (1, 0)),
    ([[0, 1], [1, 0]], (0, 1)),
    ([[1, 0], [0, 1]], (0, 0)),
    ([[0, 0], [0, 1]], (1, 1)),
]


@pytest.mark.parametrize(("window", "place"), TIES)
def test_of_equal_values_the_first_in_reading_order_gets_the_gradient(window, place):
    feature_map = np.array(window, np.float64)[None, None] + 1
    pooled, winner = layers.pool(feature_map)
    spread = layers.unpool(np.full((1, 1, 1, 1), 3.0), pooled, winner, feature_map.shape)
    expected = np.zeros((2, 2))
    expected[place] = 3.0
    assert pooled.item() == 2
    assert spread[0, 0].tolist() == expected.tolist()


@pytest.mark.parametrize("height", [0.0, -0.0, -1.0])
def test_the_derivative_of_relu_is_0_at_0_and_below(height):
    feature_map = np.full((1, 1, 2, 2), height)
    pooled, winner = layers.pool(feature_map)
    assert pooled.item() == 0
    assert not layers.unpool(np.ones((1, 1, 1, 1)), pooled, winner, feature_map.shape).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("gradient", [-3.0, np.inf, -np.inf, np.nan])
def test_whatever_a_gradient_is_the_rest_of_its_window_gets_plus_0(gradient, dtype):
    shape, pooled, winner = (1, 1, 3, 4), np.array([[[[2.0, 0.0]]]], dtype), np.array([[[[2, 1]]]], np.int8)
    spread = layers.unpool(np.full((1, 1, 1, 2), gradient, dtype), pooled, winner, shape)
    expected = np.zeros(shape, dtype)
    expected[0, 0, 1, 0] = gradient
    assert spread.dtype == dtype and spread.tobytes() == expected.tobytes()


def test_a_constant_image_trains_through_the_first_pixel_of_each_window():
    head = Head(np.full((1, 1, 1), 2.0), np.zeros(1), np.ones((1, 1, 2)), np.asarray(0.0))
    (kernel, bias, weights, bias_flat), _ = gradients(head, np.full((1, 2, 4), 0.5), np.zeros(1), LOSSES[1], "exact")
    y_hat = 1 / (1 + np.exp(-2.0))
    np.testing.assert_allclose(bias_flat, y_hat)
    np.testing.assert_allclose(weights, np.full((1, 1, 2), y_hat))
    np.testing.assert_allclose(bias, [2 * y_hat])  # one pixel in each of two windows
    np.testing.assert_allclose(kernel, [[[2 * 0.5 * y_hat]]])


def test_a_blank_image_leaves_kernel_and_weights_alone():
    head = Head(np.ones((2, 3, 3)), np.zeros(2), np.ones((2, 2, 2)), np.asarray(0.0))
    (kernel, bias, weights, bias_flat), _ = gradients(head, np.zeros((1, 5, 5)), np.ones(1), LOSSES[0], "exact")
    assert not kernel.any() and not bias.any() and not weights.any()
    assert bias_flat == -0.125


@law(40)
@given(cases(sizes=(1,)))
def test_the_pool_loses_the_last_row_and_column_of_an_odd_size(case):
    head, images, targets, loss = case
    even = images[:, : images.shape[1] // 2 * 2, : images.shape[2] // 2 * 2]
    ours, value = gradients(head, images, targets, loss, "exact")
    theirs, other = gradients(head, even, targets, loss, "exact")
    np.testing.assert_allclose(value, other, rtol=1e-13)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


@law(30)
@given(cases())
def test_pool_takes_the_largest_positive_value_of_each_window(case):
    head, images, _, _ = case
    feature_map = layers.correlate(layers.shift(images, head.kernel_size), head.kernel, head.bias)
    pooled, _ = layers.pool(feature_map)
    for b, f, p, q in np.ndindex(pooled.shape):
        assert pooled[b, f, p, q] == max(0.0, feature_map[b, f, 2 * p : 2 * p + 2, 2 * q : 2 * q + 2].max())


@pytest.mark.parametrize("gradient", ["exact", "notebook"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_writes_to_its_input(gradient, dtype):
    random = np.random.default_rng(0)
    head = random_head(random, 2, 3, (5, 4), dtype)
    images, targets = random.integers(0, 256, (3, 5, 4), np.uint8), np.array([0, 1, 0], np.uint8)
    rows, steps, labels = np.array([[0, 1], [2, 0], [1, 1]]), np.full(3, 0.1), labels_of(targets)
    frozen(*head.arrays().values(), images, targets, rows, steps, labels)
    before = [array.copy() for array in (*head.arrays().values(), images)]
    new, losses = alone(numpy_engine, head, Block(images, 255.0, labels, rows, steps, LOSSES[0], gradient))
    logits([head], images, 255.0)
    gradients(head, *frozen(images.astype(dtype)), targets[:3], LOSSES[0], gradient)
    after = [*head.arrays().values(), images]
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
    assert losses.shape == (3,)
    assert all((a != b).any() for a, b in zip(new.arrays().values(), before, strict=False))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("gradient", GRADIENTS)
def test_float32_stays_float32_and_follows_float64(loss, gradient):
    random = np.random.default_rng(1)
    narrow = random_head(random, 2, 3, (6, 5), "float32")
    images, targets = random.integers(0, 17, (4, 6, 5), np.uint8), np.array([0, 1, 0, 1], np.uint8)
    rows, steps = np.arange(4).reshape(2, 2), np.full(2, 0.1)
    block = Block(images, 16.0, labels_of(targets), rows, steps, loss, gradient)
    found, losses = alone(numpy_engine, narrow, block)
    wide, wide_losses = alone(numpy_engine, narrow.astype("float64"), block)
    assert {array.dtype for array in found.arrays().values()} == {np.dtype(np.float32)}
    assert losses.dtype == np.float64 == logits([found], images, 16.0).dtype
    np.testing.assert_allclose(losses, wide_losses, rtol=1e-5)
    for a, b in zip(found.arrays().values(), wide.arrays().values(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    parts, _ = gradients(narrow, images.astype(np.float32), targets, loss, gradient)
    assert {part.dtype for part in parts} == {np.dtype(np.float32)}


def test_logits_do_not_depend_on_how_images_are_chunked():
    random = np.random.default_rng(2)
    head, images = random_head(random, 1, 3, (4, 4)), random.uniform(0, 1, (600, 4, 4))
    places = [0, 255, 256, 511, 512, 599]
    singly = np.concatenate([logits([head], images[i : i + 1], 1.0) for i in places])
    assert logits([head], images, 1.0)[places].tobytes() == singly.tobytes()
    assert logits([head], images[:0], 1.0).shape == (0, 1)


WRONG = {
    "even kernel": ("kernel", np.ones((2, 2, 2)), "odd size"),
    "oblong kernel": ("kernel", np.ones((2, 3, 5)), "square"),
    "bias": ("bias", np.ones(1), "bias"),
    "weights of another image": ("weights", np.ones((2, 3, 2)), "weights"),
    "bias_flat": ("bias_flat", np.ones(1), "bias_flat"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_arrays_that_do_not_fit_are_refused_not_broadcast(fault):
    name, array, word = WRONG[fault]
    head = random_head(np.random.default_rng(3), 2, 3, (5, 4))
    check_shapes(head, (5, 4))
    wrong = Head(**{**head.arrays(), name: array})
    block = Block(np.zeros((1, 5, 4)), 1.0, np.zeros(1, int), np.zeros((1, 1), int), np.ones(1), LOSSES[0])
    with pytest.raises(ValueError, match=word):
        alone(numpy_engine, wrong, block)
    with pytest.raises(ValueError, match=word):
        logits([wrong], block.images, 1.0)


def test_images_below_2_x_2_are_refused():
    with pytest.raises(ValueError, match="at least 2 x 2"):
        check_shapes(random_head(np.random.default_rng(0), 1, 1, (1, 4)), (1, 4))


def test_unknown_gradient_and_loss_are_refused():
    head = random_head(np.random.default_rng(4), 1, 1, (2, 2))
    for loss, gradient in ((LOSSES[0], "Exact"), ("hinge", "exact")):
        with pytest.raises(ValueError, match="must be"):
            gradients(head, np.zeros((1, 2, 2)), np.zeros(1), loss, gradient)
