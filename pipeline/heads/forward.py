"""What a head sees of one image, step by step: the forward pass with all that it computes on the way."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from . import layers
from .elementary import sigmoid
from .head import Array, Head, check_shapes
from .numpy_engine import to_pixels


@dataclass(frozen=True)
class Forward:
    """One image of (H, W) pixels on its way through a head of F kernels, in the head's dtype.

    The reference's arithmetic: an engine's logit may differ from this one in its last bits.
    """

    # (F, H, W), before the ReLU.
    feature_map: Array
    # (F, H // 2, W // 2): which place of its 2 x 2 window each maximum has, 0 to 3 in reading order, see `layers.WINDOW`.
    winner: NDArray[np.int8]
    # (F, H // 2, W // 2), after ReLU and pool.
    pooled: Array
    # (F, H // 2, W // 2), weights times pooled: what each pooled value adds to the logit.
    contributions: Array
    # (): the contributions' sum and bias_flat.
    logit: Array
    # (): float64.
    y_hat: NDArray[np.float64]

    @property
    def winners(self) -> NDArray[np.bool_]:
        """(F, H, W): true at each window's maximum; the last row or column of an odd size lies in no window."""
        found = np.zeros(self.feature_map.shape, bool)
        rows, columns = (side * 2 for side in self.winner.shape[1:])
        for index, (p, q) in enumerate(layers.WINDOW):
            found[:, p:rows:2, q:columns:2] = self.winner == index
        return found

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """All of it by name, in the order of the way through the network."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def forward(head: Head, image: NDArray[np.generic], scale: float) -> Forward:
    """image: (H, W), as it is stored; a pixel is the stored number divided by `scale`. ValueError for shapes that do not
    fit."""
    check_shapes(head, (image.shape[0], image.shape[1]))
    shifted = layers.shift(to_pixels(image[None], scale, head.dtype), head.kernel_size)
    feature_map = layers.correlate(shifted, head.kernel, head.bias)
    pooled, winner = layers.pool(feature_map)
    logit = layers.logit(pooled, head.weights, head.bias_flat)
    y_hat = sigmoid(logit.astype(np.float64))
    return Forward(feature_map[0], winner[0], pooled[0], (pooled * head.weights)[0], logit[0], y_hat[0])
