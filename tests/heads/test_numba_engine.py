"""The compiled engine against the NumPy engine, on edge cases and in several threads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from pipeline.heads import elementary, losses, numpy_engine
from pipeline.heads.choices import GRADIENTS, LOSSES
from pipeline.heads.compiled import engine as numba_engine
from pipeline.heads.compiled import losses as compiled_losses
from pipeline.heads.compiled import vectors as v
from pipeline.heads.head import Head
from pipeline.heads.initial import initial_head
from tests.helpers.heads import alone, small_job

# Each has tiles of its own for the gradient: one, one, two, three; nine that fit; sixteen that reach beyond the kernel.
KERNEL_SIZES = (1, 3, 5, 7, 9, 11)
# Rows of whole vectors, of one or several, with empty lanes and without; several rows to a vector, and packed rows of several.
SHAPES = ((2, 2), (3, 2), (5, 7), (8, 8), (9, 8), (12, 20), (16, 16), (28, 28), (32, 32), (31, 33), (40, 50))


def assert_same(a: tuple[Head, np.ndarray], b: tuple[Head, np.ndarray]) -> None:
    """Byte for byte."""
    assert a[1].tobytes() == b[1].tobytes()
    for name, array in a[0].arrays().items():
        assert array.tobytes() == b[0].arrays()[name].tobytes(), name


def assert_close(a: tuple[Head, np.ndarray], b: tuple[Head, np.ndarray], relative: float) -> None:
    """To a relative error elementwise; of numbers that cancelled to almost 0, to one of the array's or a step's size."""
    for name, array in b[0].arrays().items():
        other, size = a[0].arrays()[name], max(0.05, np.abs(array).max())
        assert other.shape == array.shape and other.dtype == array.dtype
        np.testing.assert_allclose(other, array, rtol=relative, atol=relative * size, err_msg=name)
    np.testing.assert_allclose(a[1], b[1], rtol=relative, atol=relative * np.abs(b[1]).max())


def assert_agree(head: Head, block, relative: float) -> None:
    """Both engines, from the same head through the same block."""
    assert_close(alone(numba_engine, head, block), alone(numpy_engine, head, block), relative)


@pytest.mark.parametrize("k", KERNEL_SIZES)
@pytest.mark.parametrize("shape", SHAPES)
def test_agrees_with_numpy(shape: tuple[int, int], k: int) -> None:
    for index, filters in enumerate((1, 2, 3)):
        for loss in LOSSES:
            for gradient in GRADIENTS:
                head, block = small_job(shape, k, filters, batch=1 + 2 * index, steps=8, seed=index)
                block = replace(block, loss=loss, gradient=gradient)
                fast, slow = alone(numba_engine, head, block), alone(numpy_engine, head, block)
                assert_close(fast, slow, 1e-11)
                np.testing.assert_allclose(
                    numba_engine.logits([slow[0]], block.images, 255.0),
                    numpy_engine.logits([slow[0]], block.images, 255.0),
                    1e-11,
                    1e-11,
                )


@pytest.mark.parametrize("gradient", GRADIENTS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("shape", "k", "filters"), [((8, 8), 3, 8), ((16, 16), 5, 1), ((9, 8), 11, 2)])
def test_agrees_after_500_iterations(shape, k, filters, loss: str, gradient: str) -> None:
    head, block = small_job(shape, k, filters, steps=500)
    assert_agree(head, replace(block, loss=loss, gradient=gradient), 1e-10)


@pytest.mark.parametrize("k", [3, 5])
def test_float32_agrees_roughly(k: int) -> None:
    head, block = small_job((28, 28), k, 2, dtype="float32", steps=50)
    assert_agree(head, replace(block, alphas=2 * block.alphas), 2e-4)


def test_large_kernels_work() -> None:
    assert_agree(*small_job((12, 13), 11, 1), 1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stored", ["uint8", "float32", "float64", "int64", ">f4", "bool"])
def test_stored_dtypes_and_layouts(stored: str, dtype: str, tmp_path: Path) -> None:
    """Whatever the images are stored as, a read-only map, a transposed array or a slice: the same bits."""
    head, block = small_job((9, 8), 3, 2, dtype=dtype)
    block = replace(block, scale=4.0, loss=LOSSES[0])
    images = (block.images % 2 if stored == "bool" else block.images).astype(stored)
    expected = alone(numba_engine, head, replace(block, images=images.astype(dtype)))
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    strange = np.repeat(np.asfortranarray(images), 2, axis=0)[::2]
    for variant in (images, mapped, strange):
        assert_same(alone(numba_engine, head, replace(block, images=variant)), expected)
    slow = alone(numpy_engine, head, replace(block, images=images))
    assert_close(expected, slow, 1e-11 if dtype == "float64" else 1e-3)


def test_inputs_are_not_changed() -> None:
    head, block = small_job((8, 8), 3, 2)
    arrays = [*head.arrays().values(), block.images, block.labels, block.batches, block.alphas]
    before = [array.copy() for array in arrays]
    result, _ = alone(numba_engine, head, replace(block, gradient="notebook"))
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)
    for array in result.arrays().values():
        assert not any(np.shares_memory(array, other) for other in arrays)


@pytest.mark.parametrize("batch", [1, 2, 6])
def test_blocks_make_no_difference(batch: int) -> None:
    """One call of 20 iterations gives the bits of two calls of 7 and 13."""
    head, block = small_job((9, 8), 5, 2, batch=batch, steps=20)
    whole = alone(numba_engine, head, block)
    parts = []
    for first, last in ((0, 7), (7, 20)):
        head, part = alone(numba_engine, head, block.iterations(first, last))
        parts.append(part)
    assert_same((head, np.concatenate(parts)), whole)


@pytest.mark.parametrize("engine", [numba_engine, numpy_engine])
@pytest.mark.parametrize("gradient", GRADIENTS)
def test_group_is_head_by_head(gradient: str, engine) -> None:
    _, block = small_job((9, 8), 3, 2)
    block = replace(block, labels=np.array([0, 3, 1, 4, 3, 7]), gradient=gradient)
    heads = [initial_head(0, index, "he", 2, 3, (9, 8)) for index in range(5)]
    group, group_losses = engine.advance(heads, block)
    logits = engine.logits(heads, block.images, block.scale)
    assert group_losses.shape == (25, 5) and logits.shape == (6, 5)
    for index, head in enumerate(heads):
        assert_same((group[index], group_losses[:, index]), alone(engine, head, block.of_heads([index])))
        assert logits[:, index].tobytes() == engine.logits([head], block.images, block.scale).tobytes()


@pytest.mark.parametrize("filters", [1, 2, 3])
def test_what_stands_beside_a_filter_changes_no_bit(filters: int) -> None:
    """One to twelve heads, so one to thirty-six filters side by side, of images of one vector of pooled values and of three."""
    for shape in ((8, 8), (6, 37)):
        _, block = small_job(shape, 3, filters, dtype="float32", steps=6)
        heads = [initial_head(0, index, "he", filters, 3, shape).astype("float32") for index in range(12)]
        block = replace(block, labels=np.arange(len(block.labels)))
        single = [alone(numba_engine, head, block.of_heads([index])) for index, head in enumerate(heads)]
        for count in range(1, len(heads) + 1):
            group, losses = numba_engine.advance(heads[:count], block)
            for index in range(count):
                assert_same((group[index], losses[:, index]), single[index])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["kernel", "bias", "weights", "bias_flat"])
def test_what_is_not_finite_reaches_the_loss(name: str, value: float) -> None:
    head, block = small_job((8, 8), 3, 2, steps=4)
    array = head.arrays()[name].copy()
    array[(0,) * array.ndim] = value
    broken = replace(head, **{name: array})
    (_, values), (_, expected) = (alone(engine, broken, block) for engine in (numba_engine, numpy_engine))
    np.testing.assert_array_equal(np.isfinite(values), np.isfinite(expected))
    assert (name == "bias" and value < 0) or not np.isfinite(values).any()


def test_pixels_that_are_not_finite_reach_the_loss() -> None:
    head, block = small_job((8, 8), 3, 1, steps=4)
    for value in (np.nan, np.inf):
        broken = block.images.astype(np.float64)
        broken[:, 3, 4] = value
        assert np.isnan(alone(numba_engine, head, replace(block, images=broken, loss=LOSSES[0]))[1]).all()


@pytest.mark.parametrize("stored", ["float32", "float64"])
@pytest.mark.parametrize(("shape", "k"), [((8, 8), 1), ((9, 13), 1), ((9, 13), 3), ((5, 40), 5)])
def test_only_pixels_that_a_window_meets_reach_the_loss(shape, k: int, stored: str) -> None:
    """Rows are copied in pieces that go beyond their ends: neither the next image nor what no window meets may matter."""
    head, block = small_job(shape, k, 2)
    images = block.images.astype(stored)
    expected = numba_engine.logits([head], images, 2.0)
    broken = images.copy()
    broken[::2] = np.nan
    met = 2 * (shape[0] // 2) + k // 2, 2 * (shape[1] // 2) + k // 2
    broken[:, met[0] :] = np.inf
    broken[:, :, met[1] :] = np.nan
    got = numba_engine.logits([head], broken, 2.0)
    np.testing.assert_array_equal(got[1::2], expected[1::2])
    assert len(got) > 2 and np.isnan(got[::2]).all()


@pytest.mark.parametrize("engine", [numba_engine, numpy_engine])
def test_wrong_arguments(engine) -> None:
    head, block = small_job((8, 8), 3, 2)
    narrow = {"images": block.images[:, 2:]}
    wrong = [
        (replace(head, weights=head.weights[:, 1:]), {}),
        (replace(head, bias=head.bias.astype(np.float32)), {}),
        (head, narrow),
    ]
    for other, changes in wrong:
        with pytest.raises(ValueError):
            engine.advance([other], replace(block, **changes))
    for others in ([head, head.astype("float32")], [head, initial_head(0, 0, "he", 2, 5, (8, 8))]):
        with pytest.raises(ValueError, match="one dtype and one shape"):
            engine.advance(others, block)
        with pytest.raises(ValueError, match="one dtype and one shape"):
            engine.logits(others, block.images, 1.0)
    with pytest.raises(ValueError):
        engine.logits([head], block.images[:, 2:], block.scale)
    for index in (-1, len(block.images)):
        with pytest.raises(IndexError):
            engine.advance([head], replace(block, batches=np.full_like(block.batches, index)))


def test_a_dtype_that_is_not_compiled_for_is_refused() -> None:
    head, block = small_job((8, 8), 3, 2)
    with pytest.raises(ValueError, match="float16"):
        numba_engine.advance([head.astype("float16")], block)


def test_no_iterations_and_no_images() -> None:
    head, block = small_job((8, 8), 3, 2)
    for engine in (numba_engine, numpy_engine):
        assert_same(alone(engine, head, block.iterations(0, 0)), (head, np.empty(0)))
        assert engine.logits([head, head], block.images[:0], 1.0).shape == (0, 2)


@njit
def losses_of(logits, targets, squared, derivatives, values):
    for at in range(0, len(logits), v.lanes_in(logits)):
        logit, target = v.load(logits, at), v.load(targets, at)
        v.store(derivatives, at, compiled_losses.loss_derivative(logit, target, squared))
        v.store(values, at, compiled_losses.loss_value(logit, target, squared))


@pytest.mark.parametrize("target", [0.0, 1.0])
@pytest.mark.parametrize("loss", LOSSES)
def test_losses_have_the_bits_of_numpy(loss: str, target: float) -> None:
    edges = [0.0, -0.0, 1e-300, -1e-300, 707.9, -708.0, 708.1, 1e300, -1e300, np.inf, -np.inf, np.nan]
    logits = np.concatenate([edges, np.random.default_rng(0).standard_normal(20004) * 20])
    derivatives, values = np.empty_like(logits), np.empty_like(logits)
    targets = np.full_like(logits, target)
    losses_of(logits, targets, losses.is_squared(loss), derivatives, values)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(derivatives, losses.loss_derivative(loss, logits, targets))
        np.testing.assert_array_equal(values, losses.loss_value(loss, logits, targets))
    assert elementary.EXP_LIMIT == 708.0


def test_threads_do_not_disturb_each_other() -> None:
    jobs = [small_job((9, 8), k, filters, steps=200) for k in (3, 5) for filters in (1, 2, 3)]

    def run(one):
        return alone(numba_engine, *one)

    expected = [run(one) for one in jobs]
    with ThreadPoolExecutor(4) as pool:
        for result, other in zip(pool.map(run, jobs * 4), expected * 4, strict=True):
            assert_same(result, other)


def test_warm_up_leaves_nothing_to_compile() -> None:
    numba_engine.warm_up("float32", "float64")
    assert numba_engine.is_compiled("float32", "float64")
    function = numba_engine.compiled_for(numba_engine.train_arguments(*numba_engine.smallest("float32", "float64")))
    assert len(function.signatures) == 1
    for k in (3, 7):
        head, block = small_job((28, 28), k, 3, dtype="float32", steps=2)
        block = replace(block, images=block.images.astype(np.float64), gradient="notebook")
        numba_engine.advance([head, head], block)
        numba_engine.logits([head], block.images, 1.0)
        arguments = numba_engine.train_arguments([head, head], block)
        assert numba_engine.compiled_for(arguments) is function
    assert len(function.signatures) == 1
