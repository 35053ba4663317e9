"""exp, log(1 + x), sigmoid and softplus against 50 decimal digits, at their extremes, and to the bit."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.heads.elementary import exp, log1p_of_unit, sigmoid, softplus
from tests.helpers.heads import law

RANDOM = np.random.default_rng(0)
WIDE = np.concatenate([RANDOM.uniform(-708, 708, 300), RANDOM.uniform(-3, 3, 300), 10 ** RANDOM.uniform(-300, 2, 100),
                       -(10 ** RANDOM.uniform(-300, 2, 100)), [0.0, 708.0, -708.0, 40.0, -40.0]])  # fmt: skip
UNIT = np.concatenate([RANDOM.uniform(0, 1, 300), 10 ** RANDOM.uniform(-300, 0, 200), [0.0, 1.0, 0.5, 3.4e-308]])
ONE = Decimal(1)


def log1p(x):
    """ln(1 + x); below 1e-20 by its series, where 1 + x would need more digits."""
    return (ONE + x).ln() if x > Decimal("1e-20") else x - x * x / 2


TRUTH = {
    exp: (WIDE, lambda x: x.exp()),
    log1p_of_unit: (UNIT, log1p),
    sigmoid: (WIDE, lambda x: ONE / (ONE + (-x).exp())),
    softplus: (WIDE, lambda x: log1p(x.exp())),
}


@pytest.mark.parametrize("function", TRUTH)
def test_relative_error_is_below_1e_15(function):
    inputs, truth = TRUTH[function]
    with localcontext() as context:
        context.prec = 50
        for x, found in zip(inputs, function(inputs), strict=True):
            right = truth(Decimal(float(x)))
            assert abs(Decimal(float(found)) - right) <= Decimal("1e-15") * right, (x, found)


@pytest.mark.parametrize("function", TRUTH)
def test_nan_stays_nan_and_shapes_stay(function):
    values = np.array([[0.5, np.nan], [np.nan, 0.25]])
    assert np.isnan(function(values)).tolist() == [[False, True], [True, False]]
    assert function(np.array(0.5)).shape == ()
    assert function(np.empty((0, 3))).shape == (0, 3)
    assert function(values).dtype == np.float64


@pytest.mark.parametrize("function", TRUTH)
def test_one_at_a_time_gives_the_bits_of_all_at_once(function):
    inputs = TRUTH[function][0]
    alone = np.array([float(function(np.array(x))) for x in inputs])
    assert function(inputs).tobytes() == alone.tobytes()


@pytest.mark.parametrize("huge", [709.0, 1e4, 1e308, np.inf])
def test_extremes_neither_overflow_nor_warn(huge):
    edge = exp(np.array([708.0, -708.0]))
    assert exp(np.array([huge, -huge])).tobytes() == edge.tobytes()
    assert sigmoid(np.array([huge, -huge])).tolist() == [1.0, edge[1]]
    assert softplus(np.array([huge, -huge])).tolist() == [huge, edge[1]]


def test_known_values_are_exact():
    zero = np.zeros(1)
    assert (exp(zero), sigmoid(zero), log1p_of_unit(zero)) == ([1.0], [0.5], [0.0])


@law(300)
@given(st.floats(-800, 800), st.floats(-800, 800))
def test_sigmoid_is_monotone_and_lies_between_0_and_1(a, b):
    low, high = sigmoid(np.array(sorted([a, b])))
    assert 0 < low <= high <= 1


@law(200)
@given(st.floats(-700, 700))
def test_sigmoid_is_monotone_from_one_double_to_the_next(x):
    steps = [x]
    for _ in range(20):
        steps.append(float(np.nextafter(steps[-1], np.inf)))
    assert (np.diff(sigmoid(np.array(steps))) >= 0).all()


@law(200)
@given(st.floats(-30, 30))
def test_sigmoid_is_symmetric_and_softplus_its_integral(x):
    up, down = sigmoid(np.array([x, -x]))
    assert abs(up + down - 1) <= 3e-16
    above, below = softplus(np.array([x, -x]))
    assert abs(above - below - x) <= 1e-15 * max(1, abs(x))


# x, then exp, sigmoid and softplus of x. A changed digit means other results on every machine: a new name for the
# engine's numerics, or a mistake.
BITS = """
 0.0    0x1.0000000000000p+0     0x1.0000000000000p-1     0x1.62e42fefa39eep-1
 1.0    0x1.5bf0a8b14576ap+1     0x1.764d4f5d5a2bdp-1     0x1.5031eafefb049p+0
-1.0    0x1.78b56362cef38p-2     0x1.136561454ba86p-2     0x1.40c7abfbec124p-2
 0.1    0x1.1aec7b35a00d4p+0     0x1.0cca12729afb8p-1     0x1.7d218f1c89050p-1
-0.1    0x1.cf46d99d52b3ap-1     0x1.e66bdb1aca090p-2     0x1.49ee5be955d1dp-1
 2.5    0x1.85d6fd931e0bbp+3     0x1.d9291ddb596f8p-1     0x1.4a190f0e6368ap+1
-2.5    0x1.50385c094f425p-4     0x1.36b7112534848p-4     0x1.4321e1cc6d13fp-4
 13.7   0x1.b303e54fb3872p+19    0x1.ffffda56451c4p-1     0x1.b66668c1022acp+3
-13.7   0x1.2d4ded4836777p-20    0x1.2d4dd71e329d9p-20    0x1.2d4de2333444fp-20
 100.3  0x1.a08a5754ae034p+144   0x1.0000000000000p+0     0x1.9133333333333p+6
-100.3  0x1.3aab0c9589e7bp-145   0x1.3aab0c9589e7bp-145   0x1.3aab0c9589e7bp-145
-700.7  0x1.130e7f11093c4p-1011  0x1.130e7f11093c4p-1011  0x1.130e7f11093c4p-1011
 1e-9   0x1.000000044b830p+0     0x1.0000000225c18p-1     0x1.62e42ff3ef21fp-1
"""
LOG_BITS = """
1.0     0x1.62e42fefa39eep-1
0.75    0x1.1e85f5e7040d0p-1
0.5     0x1.9f323ecbf984cp-2
0.3333  0x1.268f935534887p-2
0.1     0x1.8663f793c46c6p-4
1e-9    0x1.12e0be801f1d9p-30
1e-200  0x1.87e92154ef7acp-665
"""


@pytest.mark.parametrize("line", BITS.strip().splitlines())
def test_bits_of_exp_sigmoid_and_softplus_are_pinned(line):
    x, *bits = line.split()
    assert [float(f(np.array(float(x)))).hex() for f in (exp, sigmoid, softplus)] == bits


@pytest.mark.parametrize("line", LOG_BITS.strip().splitlines())
def test_bits_of_log1p_are_pinned(line):
    x, bits = line.split()
    assert float(log1p_of_unit(np.array(float(x)))).hex() == bits
