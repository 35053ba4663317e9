"""Every vector operation against NumPy, lane by lane, for both dtypes."""

from fractions import Fraction

import numpy as np
import pytest
from numba import njit

from pipeline.heads.compiled import vectors as v

DTYPES = ("float32", "float64")


def numbers(dtype: str, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(2 * v.lanes_of(dtype)).astype(dtype)


def no_bits() -> np.ndarray:
    return np.zeros(2, np.uint16)


@njit
def operate(a, b, c, count, out, bits):
    x, y, z = v.load(a, 1), v.load(b, 1), v.load(c, 1)
    lanes = v.lanes_in(a)
    mask = v.greater(x, y)
    v.store(out, 0, v.fma(x, y, z))
    v.store(out, lanes, v.select(mask, x, y))
    v.store(out, 2 * lanes, v.broadcast(a[0]))
    v.store(out, 3 * lanes, v.select(v.lanes_below(a, count), x, v.zeros(a)))
    bits[1] = v.to_bits(mask)
    v.store(out, 4 * lanes, v.select(v.bits_at(bits, 1, x), z, x))
    v.store(out, 5 * lanes, v.select(v.not_below(x, y), x, z))
    return v.lane_sum(x), v.to_bits(mask)


@pytest.mark.parametrize("dtype", DTYPES)
def test_operations(dtype: str) -> None:
    a, b, c = (numbers(dtype, seed) for seed in range(3))
    lanes = v.lanes_of(dtype)
    b[3] = a[3]
    a[4] = np.nan
    out = np.zeros(6 * lanes + 1, dtype)
    before = [array.copy() for array in (a, b, c)]
    total, bits = operate(a, b, c, 3, out, no_bits())

    x, y, z = (array[1 : lanes + 1] for array in (a, b, c))
    fused, chosen, same, first, kept, unordered = out[:-1].reshape(6, lanes)
    exact = [
        float("nan") if np.isnan(p) else float(Fraction(float(p)) * Fraction(float(q)) + Fraction(float(r)))
        for p, q, r in zip(x, y, z, strict=True)
    ]
    np.testing.assert_array_equal(fused, np.array(exact, dtype))
    np.testing.assert_array_equal(chosen, np.where(x > y, x, y))
    np.testing.assert_array_equal(same, np.full(lanes, a[0]))
    np.testing.assert_array_equal(first, np.where(np.arange(lanes) < 3, x, 0))
    np.testing.assert_array_equal(kept, np.where(x > y, z, x))
    np.testing.assert_array_equal(unordered, np.where(~(x <= y), x, z))
    assert np.isnan(total)
    assert bits == sum(int(bit) << lane for lane, bit in enumerate(x > y))
    assert out[-1] == 0
    for array, old in zip((a, b, c), before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("dtype", DTYPES)
def test_lane_sum_is_a_tree_of_halves(dtype: str) -> None:
    a = numbers(dtype, 5)
    rest = a[1 : v.lanes_of(dtype) + 1]
    while len(rest) > 1:
        rest = rest[: len(rest) // 2] + rest[len(rest) // 2 :]
    assert operate(a, a, a, 0, np.zeros(6 * v.lanes_of(dtype), dtype), no_bits())[0] == rest[0]


@pytest.mark.parametrize("count", [-5, 0, 1, 16, 40])
def test_lanes_below_takes_any_count(count: int) -> None:
    a = numbers("float32", 6)
    out = np.zeros(96, np.float32)
    operate(a, a, a, count, out, no_bits())
    np.testing.assert_array_equal(out[48:64], np.where(np.arange(16) < count, a[1:17], 0))
