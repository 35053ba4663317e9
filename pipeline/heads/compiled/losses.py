"""The loss of a vector of logits, compiled: the operations of elementary.py and of the readable losses.py in the same order, in
float64, so the bits are those of the NumPy functions."""

from typing import Any

from ..elementary import EXP_COEFFICIENTS, EXP_LIMIT, LN2_HIGH, LN2_LOW, LOG2_E, LOG_COEFFICIENTS
from .arithmetic import absolute, power_of_two
from .compiling import inlined
from .vectors import broadcast, greater, not_below, select

# A float64 of this size has no places behind the point: to add it rounds to a whole number, ties to even.
SHIFT = 1.5 * 2.0**52


@inlined
def exp_of_negative(x: Any) -> Any:
    """`elementary.exp` of numbers <= 0; NaN stays NaN."""
    lowest = broadcast(-EXP_LIMIT)
    x = select(greater(lowest, x), lowest, x)
    shifted = x * LOG2_E + SHIFT
    n = shifted - SHIFT
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    series = broadcast(EXP_COEFFICIENTS[0])
    for index in range(1, len(EXP_COEFFICIENTS)):
        series = series * r + EXP_COEFFICIENTS[index]
    # n >= -1022, so neither the power nor the product is subnormal, and both are exact.
    return series * power_of_two(shifted)


@inlined
def log1p_of_unit(x: Any) -> Any:
    """`elementary.log1p_of_unit` of numbers from 0 to 1."""
    s = x / (2.0 + x)
    square = s * s
    series = broadcast(LOG_COEFFICIENTS[0])
    for index in range(1, len(LOG_COEFFICIENTS)):
        series = series * square + LOG_COEFFICIENTS[index]
    return s * series


@inlined
def loss_derivative(logit: Any, target: Any, squared: bool) -> Any:
    """`losses.loss_derivative` of logits: of the half squared error, or else of the cross-entropy."""
    e = exp_of_negative(0.0 - absolute(logit))
    y_hat = select(greater(broadcast(0.0), logit), e, broadcast(1.0)) / (1.0 + e)
    if squared:
        return (y_hat - target) * y_hat * (1.0 - y_hat)
    return y_hat - target


@inlined
def loss_value(logit: Any, target: Any, squared: bool) -> Any:
    """`losses.loss_value` of logits."""
    zero = broadcast(0.0)
    e = exp_of_negative(0.0 - absolute(logit))
    if squared:
        error = select(greater(zero, logit), e, broadcast(1.0)) / (1.0 + e) - target
        return 0.5 * (error * error)
    return (select(not_below(logit, zero), logit, zero) + log1p_of_unit(e)) - target * logit
