"""Elementary functions in plain IEEE arithmetic, so that every machine computes the same bits.

`numpy.exp`, `math.log1p` and `math.cos` come from the platform's libraries, whose last bits differ between CPU types
(NumPy dispatches `exp` on AVX-512) and between C libraries. These use only +, -, *, / and exact scaling by powers of two,
in one fixed order and without fused multiply-add, on scalars and on arrays alike, so compiled and interpreted code agree.
The reductions and series are the classic ones: Muller, "Elementary Functions", 3rd ed., chapters 3 and 11.
"""

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

# ln 2 in two parts: the first has enough trailing zeros that n * LN2_HIGH is exact for |n| < 2048.
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
LOG2_E = 1.4426950408889634
EXP_LIMIT = 708.0
# 1/n!, from n = 13 down to 0: on |r| <= ln(2)/2 the remainder is below 1e-17.
EXP_COEFFICIENTS = (
    1.6059043836821613e-10,
    2.08767569878681e-09,
    2.505210838544172e-08,
    2.755731922398589e-07,
    2.7557319223985893e-06,
    2.48015873015873e-05,
    1.984126984126984e-04,
    1.388888888888889e-03,
    8.333333333333333e-03,
    4.1666666666666664e-02,
    1.6666666666666666e-01,
    0.5,
    1.0,
    1.0,
)
# 2/(2n+1), from n = 17 down to 0: the series of 2 artanh(s) in s^2, for s <= 1/3.
LOG_COEFFICIENTS = tuple(2.0 / (2 * n + 1) for n in range(17, -1, -1))


def exp(x: Float64) -> Float64:
    """e**x, elementwise, for float64 of any shape; relative error below 1e-15, x limited to [-708, 708]. NaN stays NaN."""
    x = np.clip(np.asarray(x, np.float64), -EXP_LIMIT, EXP_LIMIT)
    with np.errstate(invalid="ignore"):
        n = np.rint(x * LOG2_E)
        r = (x - n * LN2_HIGH) - n * LN2_LOW
        series = np.full_like(r, EXP_COEFFICIENTS[0])
        for coefficient in EXP_COEFFICIENTS[1:]:
            series = series * r + coefficient
        return np.asarray(np.ldexp(series, np.nan_to_num(n).astype(np.int32)))


def log1p_of_unit(x: Float64) -> Float64:
    """log(1 + x), elementwise, for 0 <= x <= 1: 2 artanh(x / (2 + x)); relative error below 1e-15."""
    s = x / (2.0 + x)
    square = s * s
    series = np.full_like(square, LOG_COEFFICIENTS[0])
    for coefficient in LOG_COEFFICIENTS[1:]:
        series = series * square + coefficient
    return np.asarray(s * series)


def sigmoid(logit: Float64) -> Float64:
    """1 / (1 + e**-logit), elementwise, never overflowing: the exponent is always -|logit|."""
    logit = np.asarray(logit, np.float64)
    e = exp(-np.abs(logit))
    return np.asarray(np.where(logit >= 0, 1.0, e) / (1.0 + e))


def softplus(logit: Float64) -> Float64:
    """log(1 + e**logit), elementwise, never overflowing: max(logit, 0) + log1p(e**-|logit|)."""
    logit = np.asarray(logit, np.float64)
    return np.asarray(np.maximum(logit, 0.0) + log1p_of_unit(exp(-np.abs(logit))))
