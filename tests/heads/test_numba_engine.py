"""The compiled engine against the NumPy engine, on edge cases, on other CPU types and in several threads and processes."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from pipeline.heads import elementary, losses, numpy_engine
from pipeline.heads.batches import batches
from pipeline.heads.compiled import engine as numba_engine
from pipeline.heads.compiled import loop as compiled
from pipeline.heads.compiled import scalars as compiled_scalars
from pipeline.heads.head import Head
from pipeline.heads.initial import initial_head

ROOT = Path(__file__).resolve().parents[2]
SHAPES = ((2, 2), (3, 2), (5, 7), (8, 8), (9, 8), (16, 16), (28, 28), (32, 32), (31, 33), (40, 50))


def blobs(count: int, shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """uint8 images: noise on a part, one constant value elsewhere, so that windows tie."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, *shape)).astype(np.uint8)
    images[:, : shape[0] // 2, : shape[1] // 3] = 0
    images[:, shape[0] // 2 + 1 :, shape[1] // 2 :] = 77
    return images


def job(shape, k, filters, count=6, batch=3, steps=25, dtype="float64", alpha=0.1, seed=0):
    """Head and arguments of `advance`, up to loss and gradient. Large images have many weights and take small steps: where
    training oscillates, it multiplies the engines' different rounding by a factor an iteration."""
    head = initial_head(seed, 0, "he", filters, k, shape).astype(dtype)
    targets = np.random.default_rng(seed).integers(0, 2, count)
    return head, (
        blobs(count, shape, seed),
        255.0,
        targets,
        batches(seed, count, batch, 0, steps),
        np.full(steps, alpha * min(1.0, 64 / (shape[0] * shape[1]))),
    )


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


@pytest.mark.parametrize("k", [1, 3, 5, 7, 9])
@pytest.mark.parametrize("shape", SHAPES)
def test_agrees_with_numpy(shape: tuple[int, int], k: int) -> None:
    for index, filters in enumerate((1, 2, 3)):
        for loss in losses.LOSSES:
            for gradient in numba_engine.GRADIENTS:
                head, arguments = job(shape, k, filters, batch=1 + 2 * index, seed=index)
                fast = numba_engine.advance(head, *arguments, loss, gradient)
                slow = numpy_engine.advance(head, *arguments, loss, gradient)
                assert_close(fast, slow, 1e-11)
                images = arguments[0]
                np.testing.assert_allclose(
                    numba_engine.logits(slow[0], images, 255.0),
                    numpy_engine.logits(slow[0], images, 255.0),
                    1e-11,
                    1e-11,
                )


@pytest.mark.parametrize("gradient", numba_engine.GRADIENTS)
@pytest.mark.parametrize("loss", losses.LOSSES)
@pytest.mark.parametrize(("shape", "k", "filters"), [((8, 8), 3, 8), ((16, 16), 5, 1), ((9, 8), 7, 2)])
def test_agrees_after_500_iterations(shape, k, filters, loss: str, gradient: str) -> None:
    head, arguments = job(shape, k, filters, steps=500, alpha=0.1)
    fast = numba_engine.advance(head, *arguments, loss, gradient)
    assert_close(fast, numpy_engine.advance(head, *arguments, loss, gradient), 1e-10)


@pytest.mark.parametrize("k", [3, 5, 7])
def test_float32_agrees_roughly(k: int) -> None:
    head, arguments = job((28, 28), k, 2, dtype="float32", steps=50, alpha=0.2)
    fast = numba_engine.advance(head, *arguments, "binary_cross_entropy", "exact")
    assert_close(fast, numpy_engine.advance(head, *arguments, "binary_cross_entropy", "exact"), 2e-4)


def test_large_kernels_work() -> None:
    head, arguments = job((12, 13), 13, 1)
    fast = numba_engine.advance(head, *arguments, "binary_cross_entropy", "exact")
    assert_close(fast, numpy_engine.advance(head, *arguments, "binary_cross_entropy", "exact"), 1e-11)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("stored", ["uint8", "float32", "float64", "int64", ">f4", "bool"])
def test_stored_dtypes_and_layouts(stored: str, dtype: str, tmp_path: Path) -> None:
    """Whatever the images are stored as, a read-only map, a transposed array or a slice: the same bits."""
    head, (images, _, *rest) = job((9, 8), 3, 2, dtype=dtype)
    images = (images % 2 if stored == "bool" else images).astype(stored)
    expected = numba_engine.advance(head, images.astype(dtype), 4.0, *rest, "half_squared_error", "exact")
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    strange = np.repeat(np.asfortranarray(images), 2, axis=0)[::2]
    for variant in (images, mapped, strange):
        assert_same(numba_engine.advance(head, variant, 4.0, *rest, "half_squared_error", "exact"), expected)
    slow = numpy_engine.advance(head, images, 4.0, *rest, "half_squared_error", "exact")
    assert_close(expected, slow, 1e-11 if dtype == "float64" else 1e-3)


def test_inputs_are_not_changed() -> None:
    head, arguments = job((8, 8), 3, 2)
    arrays = [*head.arrays().values(), *(a for a in arguments if isinstance(a, np.ndarray))]
    before = [array.copy() for array in arrays]
    result, _ = numba_engine.advance(head, *arguments, "binary_cross_entropy", "notebook")
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)
    for array in result.arrays().values():
        assert not any(np.shares_memory(array, other) for other in arrays)


@pytest.mark.parametrize("batch", [1, 2, 6])
def test_blocks_make_no_difference(batch: int) -> None:
    """One call of 20 iterations gives the bits of two calls of 7 and 13."""
    head, (images, scale, targets, order, steps) = job((9, 8), 5, 2, batch=batch, steps=20)
    whole = numba_engine.advance(head, images, scale, targets, order, steps, "binary_cross_entropy", "exact")
    parts = []
    for block in (slice(0, 7), slice(7, 20)):
        head, part = numba_engine.advance(
            head, images, scale, targets, order[block], steps[block], "binary_cross_entropy", "exact"
        )
        parts.append(part)
    assert_same((head, np.concatenate(parts)), whole)


@pytest.mark.parametrize("gradient", numba_engine.GRADIENTS)
def test_group_is_head_by_head(gradient: str) -> None:
    _, (images, scale, _, order, steps) = job((9, 8), 3, 2)
    heads = [initial_head(0, index, "he", 2, 3, (9, 8)) for index in range(5)]
    targets = np.random.default_rng(1).integers(0, 2, (5, len(images)))
    arguments = (order, steps, "binary_cross_entropy", gradient)
    group, group_losses = numba_engine.advance_group(heads, images, scale, targets, *arguments)
    for index, head in enumerate(heads):
        alone = numba_engine.advance(head, images, scale, targets[index], *arguments)
        assert_same((group[index], group_losses[index]), alone)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["kernel", "bias", "weights", "bias_flat"])
def test_what_is_not_finite_reaches_the_loss(name: str, value: float) -> None:
    head, arguments = job((8, 8), 3, 2, steps=4)
    array = head.arrays()[name].copy()
    array[(0,) * array.ndim] = value
    _, values = numba_engine.advance(replace(head, **{name: array}), *arguments, "binary_cross_entropy", "exact")
    _, expected = numpy_engine.advance(replace(head, **{name: array}), *arguments, "binary_cross_entropy", "exact")
    np.testing.assert_array_equal(np.isfinite(values), np.isfinite(expected))
    assert (name == "bias" and value < 0) or not np.isfinite(values).any()


def test_pixels_that_are_not_finite_reach_the_loss() -> None:
    head, (images, *rest) = job((8, 8), 3, 1, steps=4)
    for value in (np.nan, np.inf):
        broken = images.astype(np.float64)
        broken[:, 3, 4] = value
        assert np.isnan(numba_engine.advance(head, broken, *rest, "half_squared_error", "exact")[1]).all()


def test_wrong_arguments() -> None:
    head, (images, scale, targets, order, steps) = job((8, 8), 3, 2)
    good = {"loss": "half_squared_error", "gradient": "exact"}

    def advance(head=head, images=images, targets=targets, order=order, steps=steps, **names):
        return numba_engine.advance(head, images, scale, targets, order, steps, **{**good, **names})

    for wrong in ({"loss": "huber"}, {"gradient": "none"}, {"steps": steps[1:]}, {"targets": targets[1:]}):
        with pytest.raises(ValueError):
            advance(**wrong)
    with pytest.raises(ValueError):
        advance(images=images[:, 2:])
    with pytest.raises(ValueError):
        advance(head=replace(head, weights=head.weights[:, 1:]))
    with pytest.raises(ValueError):
        advance(head=replace(head, bias=head.bias.astype(np.float32)))
    with pytest.raises(ValueError):
        advance(head=head.astype("float16"))
    with pytest.raises(ValueError):
        numba_engine.logits(head, images[:, 2:], scale)
    for index in (-1, len(images)):
        with pytest.raises(IndexError):
            advance(order=np.full_like(order, index))


def test_no_iterations_and_no_images() -> None:
    head, (images, scale, targets, order, steps) = job((8, 8), 3, 2)
    same, values = numba_engine.advance(head, images, scale, targets, order[:0], steps[:0], "half_squared_error", "exact")
    assert_same((same, values), (head, np.empty(0)))
    assert numba_engine.logits(head, images[:0], scale).shape == (0,)


@njit
def scalars(logits, target, squared, derivatives, values):
    for index in range(len(logits)):
        derivatives[index] = compiled_scalars.loss_derivative(logits[index], target, squared)
        values[index] = compiled_scalars.loss_value(logits[index], target, squared)


@pytest.mark.parametrize("target", [0.0, 1.0])
@pytest.mark.parametrize("loss", losses.LOSSES)
def test_scalars_have_the_bits_of_numpy(loss: str, target: float) -> None:
    edges = [0.0, -0.0, 1e-300, -1e-300, 707.9, -708.0, 708.1, 1e300, -1e300, np.inf, -np.inf, np.nan]
    logits = np.concatenate([edges, np.random.default_rng(0).standard_normal(20000) * 20])
    derivatives, values = np.empty_like(logits), np.empty_like(logits)
    scalars(logits, target, loss == "half_squared_error", derivatives, values)
    targets = np.full_like(logits, target)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(derivatives, losses.loss_derivative(loss, logits, targets))
        np.testing.assert_array_equal(values, losses.loss_value(loss, logits, targets))
    assert elementary.EXP_LIMIT == 708.0


def test_threads_do_not_disturb_each_other() -> None:
    jobs = [job((9, 8), k, filters, steps=200) for k in (3, 5) for filters in (1, 2, 3)]

    def run(one):
        head, arguments = one
        return numba_engine.advance(head, *arguments, "binary_cross_entropy", "exact")

    expected = [run(one) for one in jobs]
    with ThreadPoolExecutor(4) as pool:
        for result, other in zip(pool.map(run, jobs * 4), expected * 4, strict=True):
            assert_same(result, other)


# A process of its own: prints a digest of final parameters and losses, and how many functions it compiled or loaded.
PROCESS = """
import hashlib, sys
sys.path[:0] = [{root!r}, {tests!r}]
from test_numba_engine import digest
from pipeline.heads.compiled.loop import train
value = digest()
hits, misses = (sum(getattr(train.stats, name).values()) for name in ("cache_hits", "cache_misses"))
print(value, hits, misses)
"""
CPUS = {
    "haswell": ("haswell", ""),
    "skylake-avx512": ("skylake-avx512", "+avx512f,+avx512vl,+avx512bw,+avx512dq"),
    "generic": ("x86-64", "+fma,+avx"),
}


def digest() -> str:
    """A digest of the bytes that small jobs of both dtypes end with."""
    value = hashlib.sha256()
    for dtype, k, shape in (("float32", 5, (28, 28)), ("float64", 3, (9, 8))):
        for gradient in numba_engine.GRADIENTS:
            head, arguments = job(shape, k, 2, dtype=dtype, steps=30)
            head, values = numba_engine.advance(head, *arguments, "binary_cross_entropy", gradient)
            for array in (*head.arrays().values(), values, numba_engine.logits(head, *arguments[:2])):
                value.update(np.ascontiguousarray(array).tobytes())
    return value.hexdigest()


def start_process(cache: Path, **environment: str) -> subprocess.Popen[str]:
    variables = {name: text for name, text in os.environ.items() if not name.startswith("NUMBA_CPU")}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROCESS.format(root=str(ROOT), tests=str(Path(__file__).parent))],
        env={**variables, "NUMBA_CACHE_DIR": str(cache), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> list[str]:
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return text.split()


@pytest.mark.parametrize("cpu", CPUS)
def test_other_cpus_compute_the_same_bits(cpu: str, tmp_path: Path) -> None:
    name, features = CPUS[cpu]
    assert output(start_process(tmp_path, NUMBA_CPU_NAME=name, NUMBA_CPU_FEATURES=features))[0] == digest()


def test_processes_share_the_cache(tmp_path: Path) -> None:
    """Processes that start at once on an empty cache agree, and a later one compiles nothing."""
    at_once = [start_process(tmp_path) for _ in range(2)]
    assert {output(process)[0] for process in at_once} == {digest()}
    assert output(start_process(tmp_path)) == [digest(), "2", "0"]


def test_warm_up_leaves_nothing_to_compile() -> None:
    numba_engine.warm_up("float32", 5, "float64")
    known = len(compiled.train.signatures), len(compiled.apply.signatures)
    head, (images, *rest) = job((28, 28), 5, 3, dtype="float32", steps=2)
    numba_engine.advance(head, images.astype(np.float64), *rest, "binary_cross_entropy", "notebook")
    numba_engine.logits(head, images.astype(np.float64), 1.0)
    assert (len(compiled.train.signatures), len(compiled.apply.signatures)) == known
