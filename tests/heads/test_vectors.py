"""Every vector operation against NumPy, lane by lane, for both dtypes."""

from fractions import Fraction

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from pipeline.heads.compiled import arithmetic, losses
from pipeline.heads.compiled import vectors as v

DTYPES = ("float32", "float64")


def numbers(dtype: str, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(2 * v.lanes_of(dtype)).astype(dtype)


@njit
def operate(a, b, c, place, out):
    x, y, z = v.load(a, 1), v.load(b, 1), v.load(c, 1)
    lanes = v.lanes_in(a)
    mask = v.greater(x, y)
    v.store(out, 0, v.fma(x, y, z))
    v.store(out, lanes, v.select(mask, x, y))
    v.store(out, 2 * lanes, v.broadcast(a[0]))
    v.store(out, 3 * lanes, v.one_at(a, place))
    v.store(out, 4 * lanes, v.select(v.not_below(x, y), x, z))
    return v.lane_sum(x)


@pytest.mark.parametrize("dtype", DTYPES)
def test_operations(dtype: str) -> None:
    a, b, c = (numbers(dtype, seed) for seed in range(3))
    lanes = v.lanes_of(dtype)
    b[3] = a[3]
    a[4] = np.nan
    out = np.zeros(5 * lanes + 1, dtype)
    before = [array.copy() for array in (a, b, c)]
    total = operate(a, b, c, 3, out)

    x, y, z = (array[1 : lanes + 1] for array in (a, b, c))
    fused, chosen, same, one, unordered = out[:-1].reshape(5, lanes)
    exact = [
        float("nan") if np.isnan(p) else float(Fraction(float(p)) * Fraction(float(q)) + Fraction(float(r)))
        for p, q, r in zip(x, y, z, strict=True)
    ]
    np.testing.assert_array_equal(fused, np.array(exact, dtype))
    np.testing.assert_array_equal(chosen, np.where(x > y, x, y))
    np.testing.assert_array_equal(same, np.full(lanes, a[0]))
    np.testing.assert_array_equal(one, np.arange(lanes) == 3)
    np.testing.assert_array_equal(unordered, np.where(~(x <= y), x, z))
    assert np.isnan(total)
    assert out[-1] == 0
    for array, old in zip((a, b, c), before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize("dtype", DTYPES)
def test_lane_sum_is_a_tree_of_halves(dtype: str) -> None:
    a = numbers(dtype, 5)
    rest = a[1 : v.lanes_of(dtype) + 1]
    while len(rest) > 1:
        rest = rest[: len(rest) // 2] + rest[len(rest) // 2 :]
    assert operate(a, a, a, 0, np.zeros(5 * v.lanes_of(dtype), dtype)) == rest[0]


@pytest.mark.parametrize("place", [-5, -1, 0, 1, 15, 16, 40])
def test_a_one_at_a_place_that_a_vector_does_not_have_is_none(place: int) -> None:
    a = numbers("float32", 6)
    out = np.zeros(80, np.float32)
    operate(a, a, a, place, out)
    np.testing.assert_array_equal(out[48:64], np.arange(16) == place)


@njit
def compute(a, b, number, out):
    x, y, lanes = v.load(a, 1), v.load(b, 1), v.lanes_in(a)
    for place, result in enumerate((x + y, x - y, x * y, x / y, x * y + x, number - x, x / number, arithmetic.absolute(x))):
        v.store(out, place * lanes, result)


@pytest.mark.parametrize("dtype", DTYPES)
def test_formulas_round_after_every_operation(dtype: str) -> None:
    a, b = numbers(dtype, 7), numbers(dtype, 8)
    number = np.dtype(dtype).type(0.3)
    a[2], a[3], b[4] = np.nan, -np.inf, 0
    lanes = v.lanes_of(dtype)
    out = np.zeros(8 * lanes, dtype)
    compute(a, b, number, out)
    x, y = a[1 : lanes + 1], b[1 : lanes + 1]
    with np.errstate(all="ignore"):
        expected = np.concatenate([x + y, x - y, x * y, x / y, x * y + x, number - x, x / number, np.abs(x)])
    assert out.tobytes() == expected.astype(dtype).tobytes()


@njit
def powers(n, out):
    for at in range(0, len(n), v.lanes_in(n)):
        v.store(out, at, arithmetic.power_of_two(v.load(n, at) + losses.SHIFT))


def test_powers_of_two_are_exact() -> None:
    n = np.arange(-1022.0, 1018.0)
    out = np.empty_like(n)
    powers(n, out)
    np.testing.assert_array_equal(out, np.ldexp(1.0, n.astype(int)))


@njit
def of_two_kinds(a, b):
    return v.load(a, 0) + v.load(b, 0)


def test_vectors_of_different_kinds_do_not_mix() -> None:
    with pytest.raises(TypingError, match="No implementation of function"):
        of_two_kinds(numbers("float32", 0), numbers("float64", 0))
