"""The notebook's kernel gradient as its formula says, and the notebook's own figures (golden/, from its own code)."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from pipeline.heads import layers
from pipeline.heads.block import Block
from pipeline.heads.choices import ENGINES
from pipeline.heads.elementary import sigmoid
from pipeline.heads.initial import initial_heads
from pipeline.heads.notebook import notebook_draws
from pipeline.heads.numpy_engine import gradients
from pipeline.heads.one_vs_rest import Workers, all_logits, one_vs_rest
from tests.helpers.heads import cases, law

GOLDEN = Path(__file__).parent / "golden"
SEEDS = range(5)
ALPHA, ITERATIONS, LOSS = 0.001, 500, "half_squared_error"


def literal_kernel_gradient(image, conv, d_conv, size):
    """Loop by loop: d_kernel[u + h, v + h] sums image[i - u, j - v] d_conv[i, j] where conv > 0 and 0 < i - u < H, ..."""
    height, width = image.shape
    half = size // 2
    d_kernel = np.zeros((size, size))
    for u in range(-half, half + 1):
        for v in range(-half, half + 1):
            for i in range(height):
                for j in range(width):
                    if conv[i, j] > 0 and i - u > 0 and j - v > 0 and i - u < height and j - v < width:
                        d_kernel[u + half, v + half] += image[i - u, j - v] * d_conv[i, j]
    return d_kernel


@law(60)
@given(cases(sizes=(1, 3, 5)))
def test_notebook_gradient_is_its_formula(case):
    head, images, targets, loss = case
    (d_kernel, *others), _ = gradients(head, images, targets, loss, "notebook")
    (_, *exact), _ = gradients(head, images, targets, loss, "exact")
    conv = layers.correlate(layers.shift(images, head.kernel_size), head.kernel, head.bias)
    # The gradient of the feature map, through a kernel gradient that is known to be right: see test_gradients.py.
    expected = np.zeros_like(d_kernel)
    for b, image in enumerate(images):
        (_, _, d_weights, _), _ = gradients(head, image[None], targets[b : b + 1], loss, "exact")
        pooled, winner = layers.pool(conv[b : b + 1])
        active = pooled[0] > 0
        d_logit = (d_weights[active] / pooled[0][active])[0] if active.any() else 0.0
        d_conv = layers.unpool(d_logit * head.weights[None], pooled, winner, conv[b : b + 1].shape)[0]
        for f in range(head.filters):
            expected[f] += literal_kernel_gradient(image, conv[b, f], d_conv[f], head.kernel_size) / len(images)
    np.testing.assert_allclose(d_kernel, expected, rtol=1e-9, atol=1e-13)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(others, exact, strict=True))


@cache
def golden(seed):
    with np.load(GOLDEN / f"notebook_seed_{seed}.npz") as archive:
        return dict(archive)


def beginning(seed):
    """The notebook's heads before the first iteration, and all its iterations."""
    draws = notebook_draws(seed)
    heads = initial_heads(seed, len(draws.target), "notebook_draws", 1, None, (32, 32), "float64")
    image, label = draws.image[None].astype(np.uint8), draws.target.argmax()[None]
    rows, steps = np.zeros((ITERATIONS, 1), int), np.full(ITERATIONS, ALPHA)
    return heads, Block(image, 1.0, label, rows, steps, LOSS, "notebook")


@cache
def trained(name, seed):
    """Final heads and (500, heads) losses from the notebook's draws."""
    return one_vs_rest(*beginning(seed), Workers(name))


def assert_same(found, figure, what):
    found = np.asarray(found)
    assert found.size == figure.size, what
    np.testing.assert_allclose(found.ravel(), figure.ravel(), rtol=1e-9, atol=1e-300, err_msg=what)


@pytest.mark.parametrize("seed", SEEDS)
def test_draws_are_the_notebooks(seed):
    figures, draws = golden(seed), notebook_draws(seed)
    assert (draws.image == figures["image"]).all()
    assert draws.target.tolist() == figures["target"].tolist()
    assert [p["kernel"].shape[1] for p in draws.parameters] == figures["kernel_size"].tolist()
    for j, parameters in enumerate(draws.parameters):
        for name, array in parameters.items():
            assert array.tobytes() == figures[f"head{j}/initial/{name}"].tobytes(), (j, name)


@pytest.mark.parametrize("seed", SEEDS)
def test_first_gradient_is_the_notebooks(seed):
    figures, draws = golden(seed), notebook_draws(seed)
    heads = initial_heads(seed, len(draws.target), "notebook_draws", 1, None, (32, 32), "float64")
    for j, head in enumerate(heads):
        parts, _ = gradients(head, draws.image[None].astype(np.float64), draws.target[j : j + 1], LOSS, "notebook")
        for name, part in zip(head.arrays(), parts, strict=True):
            assert_same(part, figures[f"head{j}/first_gradient/{name}"], f"head {j} {name}")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ENGINES)
def test_final_parameters_are_the_notebooks(name, seed):
    figures = golden(seed)
    for j, head in enumerate(trained(name, seed)[0]):
        for parameter, array in head.arrays().items():
            assert_same(array, figures[f"head{j}/final/{parameter}"], f"head {j} {parameter}")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ENGINES)
def test_every_y_hat_on_the_way_is_the_notebooks(name, seed):
    """The loss before each update is (y_hat - y)^2 / 2, which gives all 500 rows of y_hat back."""
    figures = golden(seed)
    distance = np.sqrt(2 * trained(name, seed)[1])
    y_hat = np.where(figures["target"] == 1, 1 - distance, distance)
    assert y_hat.shape == figures["y_hat_history"].shape
    assert_same(y_hat, figures["y_hat_history"], "y_hat_history")


@pytest.mark.parametrize("name", ENGINES)
def test_y_hat_from_logits_is_the_notebooks(name):
    """Rows 0, 1, 7 and 40 of seed 1, by advancing to them and applying the heads."""
    figures, (heads, block), at = golden(1), beginning(1), 0
    for row in (0, 1, 7, 40):
        heads, _ = one_vs_rest(heads, block.iterations(at, row), Workers(name))
        at = row
        y_hat = sigmoid(all_logits(heads, block.images, 1.0, Workers(name)))
        assert_same(y_hat, figures["y_hat_history"][row], f"row {row}")
