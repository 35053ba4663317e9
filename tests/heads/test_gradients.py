"""The exact gradient against central differences and against autograd, which know nothing of layers.py."""

from dataclasses import replace

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from hypothesis import assume, given

from pipeline.heads import layers, numpy_engine
from pipeline.heads.compiled import engine as numba_engine
from pipeline.heads.head import Head
from pipeline.heads.losses import loss_value
from pipeline.heads.numpy_engine import gradients, logits
from tests.helpers.heads import alone, cases, law, same_array, small_job

STEP = 1e-4


def mean_loss(head, images, targets, loss):
    return loss_value(loss, logits([head], images, 1.0)[:, 0], targets.astype(np.float64)).mean()


def branches(head, images):
    """Which way every window's maximum and every ReLU goes: a kink lies where this changes."""
    pooled, winner = layers.pool(layers.correlate(layers.shift(images, head.kernel_size), head.kernel, head.bias))
    return (winner * (pooled > 0) - (pooled <= 0)).tobytes()


def moved(head, name, index, step):
    array = head.arrays()[name].copy()
    array[index] += step
    return Head(**{**head.arrays(), name: array})


@law(40)
@given(cases(largest=(9, 7)))
def test_every_parameter_agrees_with_central_differences(case):
    head, images, targets, loss = case
    exact, _ = gradients(head, images, targets, loss, "exact")
    here = branches(head, images)
    for (name, array), gradient in zip(head.arrays().items(), exact, strict=True):
        assert gradient.shape == array.shape
        for index in np.ndindex(array.shape):
            at = {n: moved(head, name, index, n * STEP) for n in (-2, -1, 1, 2)}
            if name in ("kernel", "bias"):
                assume(branches(at[-2], images) == here == branches(at[2], images))
            f = {n: mean_loss(h, images, targets, loss) for n, h in at.items()}
            difference = (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * STEP)
            np.testing.assert_allclose(gradient[index], difference, rtol=1e-6, atol=1e-10, err_msg=f"{name} {index}")


def independent_loss(kernel, bias, weights, bias_flat, images, targets, loss):
    """The network by patches and einsum: all k x k patches gathered at once, ReLU before the pool, maxima over axes."""
    count, height, width = images.shape
    size = kernel.shape[1]
    padded = np.zeros((count, height + size - 1, width + size - 1))
    padded[:, size // 2 : size // 2 + height, size // 2 : size // 2 + width] = images
    patches = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    maps = anp.maximum(anp.einsum("bijuv,fuv->bfij", patches, kernel) + bias[None, :, None, None], 0.0)
    rows, columns = height // 2, width // 2
    cut = maps[:, :, : 2 * rows, : 2 * columns]
    pooled = anp.max(anp.max(anp.reshape(cut, (count, len(kernel), rows, 2, columns, 2)), axis=5), axis=3)
    z = anp.einsum("bfpq,fpq->b", pooled, weights) + bias_flat
    if loss == "binary_cross_entropy":
        return anp.mean(anp.logaddexp(0.0, z) - targets * z)
    return anp.mean(0.5 * (1.0 / (1.0 + anp.exp(-z)) - targets) ** 2)


@law(120)
@given(cases(sizes=(1, 3, 5, 7)))
def test_agrees_with_autograd(case):
    head, images, targets, loss = case
    exact, value = gradients(head, images, targets, loss, "exact")
    arguments = (*head.arrays().values(), images, targets.astype(np.float64), loss)
    np.testing.assert_allclose(value, independent_loss(*arguments), rtol=1e-12, atol=1e-15)
    theirs = grad(independent_loss, argnum=(0, 1, 2, 3))(*arguments)
    for ours, other, name in zip(exact, theirs, head.arrays(), strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-9, atol=1e-13, err_msg=name)


@law(30)
@given(cases())
def test_a_batch_has_the_mean_of_its_images_gradients(case):
    head, images, targets, loss = case
    whole, value = gradients(head, images, targets, loss, "exact")
    singles = [gradients(head, images[i : i + 1], targets[i : i + 1], loss, "exact") for i in range(len(images))]
    np.testing.assert_allclose(value, np.mean([single[1] for single in singles]), rtol=1e-12)
    for index, gradient in enumerate(whole):
        mean = np.mean([single[0][index] for single in singles], axis=0)
        np.testing.assert_allclose(gradient, mean, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("engine", [numpy_engine, numba_engine])
def test_a_frozen_kernel_stays_with_its_bias_and_the_rest_takes_the_exact_step(engine):
    head, block = small_job((9, 8), 3, 2, dtype="float32")
    head = replace(head, bias=np.array([0.1, -0.2], np.float32))
    (one, *_), (exact, *_) = (alone(engine, head, replace(block.iteration(0), gradient=g)) for g in ("frozen", "exact"))
    assert same_array(one.weights, exact.weights) and same_array(one.bias_flat, exact.bias_flat)
    after, losses = alone(engine, head, replace(block, gradient="frozen"))
    assert same_array(after.kernel, head.kernel) and same_array(after.bias, head.bias)
    assert (after.weights != head.weights).any() and losses[-1] < losses[0]
