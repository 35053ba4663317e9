"""The two losses, as functions of the logit, and their derivatives with respect to it.

half_squared_error is the notebook's: (y_hat - y)^2 / 2, so its derivative is (y_hat - y) y_hat (1 - y_hat).
binary_cross_entropy is -log of the probability given to the target, log(1 + e^logit) - y logit, with derivative y_hat - y
(Goodfellow, Bengio, Courville, "Deep Learning", 6.2.2.2); it is computed from the logit, where it cannot overflow.
"""

import numpy as np
from numpy.typing import NDArray

from .elementary import sigmoid, softplus

Float64 = NDArray[np.float64]
# By name, whether a loss is half the squared error; else it is the cross-entropy.
SQUARED = {"half_squared_error": True, "binary_cross_entropy": False}


def is_squared(loss: str) -> bool:
    """Which of the two a loss is. Every engine asks here: ValueError for a name without formulas, which none may take for
    one of the two."""
    if loss not in SQUARED:
        raise ValueError(f"loss must be one of {', '.join(SQUARED)}, not {loss!r}")
    return SQUARED[loss]


def loss_value(loss: str, logit: Float64, target: Float64) -> Float64:
    """The loss of each logit, shapes as given (they must be equal). ValueError for an unknown loss."""
    _check_shapes(logit, target)
    if is_squared(loss):
        return np.asarray(0.5 * (sigmoid(logit) - target) ** 2)
    return np.asarray(softplus(logit) - target * logit)


def loss_derivative(loss: str, logit: Float64, target: Float64) -> Float64:
    """Derivative of `loss_value` with respect to the logit."""
    _check_shapes(logit, target)
    y_hat = sigmoid(logit)
    if is_squared(loss):
        return np.asarray((y_hat - target) * y_hat * (1.0 - y_hat))
    return np.asarray(y_hat - target)


def _check_shapes(logit: Float64, target: Float64) -> None:
    if np.shape(logit) != np.shape(target):
        raise ValueError(f"logit {np.shape(logit)} and target {np.shape(target)} must have one shape")
