"""The loss of one logit, compiled: the operations of elementary.py and losses.py in the same order, in float64.

Numba does not contract a product and a sum into a fused multiply-add, so the bits are those of the NumPy functions.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from ..elementary import EXP_COEFFICIENTS, EXP_LIMIT, LN2_HIGH, LN2_LOW, LOG2_E, LOG_COEFFICIENTS

Function = TypeVar("Function", bound=Callable[..., Any])
# _nrt: nothing that is compiled counts references to arrays, which takes longer than small sums; so nothing in it makes arrays.
PLAIN: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}


def compiled(function: Function) -> Function:
    """Compile an entry point. The machine code is cached on disk, with all that is called in it."""
    return cast(Function, njit(**PLAIN, cache=True)(function))


def inlined(function: Function) -> Function:
    """Compile what entry points call: into them, as to pass a group's arrays to a function costs as much as a small image, and
    vectors passed by value depend on the CPU's registers."""
    return cast(Function, njit(**PLAIN, forceinline=True)(function))


@inlined
def exp_of_negative(x: float) -> float:
    """`elementary.exp` of one number <= 0; NaN stays NaN."""
    x = -EXP_LIMIT if x < -EXP_LIMIT else x
    n = np.rint(x * LOG2_E)
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    series = EXP_COEFFICIENTS[0]
    for index in range(1, len(EXP_COEFFICIENTS)):
        series = series * r + EXP_COEFFICIENTS[index]
    # 2**n by its bits: n >= -1022, so neither it nor the product is subnormal, and both are exact.
    exponent = np.int64(n) if abs(n) < 1024 else np.int64(0)
    return series * np.int64((exponent + 1023) << 52).view(np.float64)


@inlined
def log1p_of_unit(x: float) -> float:
    """`elementary.log1p_of_unit` of one number from 0 to 1."""
    s = x / (2.0 + x)
    square = s * s
    series = LOG_COEFFICIENTS[0]
    for index in range(1, len(LOG_COEFFICIENTS)):
        series = series * square + LOG_COEFFICIENTS[index]
    return s * series


@inlined
def loss_derivative(logit: float, target: float, squared: bool) -> float:
    """`losses.loss_derivative` of one logit: of the half squared error, or else of the cross-entropy."""
    e = exp_of_negative(-abs(logit))
    y_hat = (1.0 if logit >= 0 else e) / (1.0 + e)
    if squared:
        return (y_hat - target) * y_hat * (1.0 - y_hat)
    return y_hat - target


@inlined
def loss_value(logit: float, target: float, squared: bool) -> float:
    """`losses.loss_value` of one logit."""
    e = exp_of_negative(-abs(logit))
    if squared:
        error = (1.0 if logit >= 0 else e) / (1.0 + e) - target
        return 0.5 * (error * error)
    positive = 0.0 if logit < 0 else logit
    return (positive + log1p_of_unit(e)) - target * logit
