"""One head: the parameters of one label's network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Head:
    """The parameters of one head with F kernels, for images of (H, W) pixels; all arrays share one dtype.

    kernel: (F, k, k), k odd. bias: (F,), added to the feature maps. weights: (F, H // 2, W // 2), one for each pooled
    value. bias_flat: (), added to the logit.
    """

    kernel: Array
    bias: Array
    weights: Array
    bias_flat: Array

    @property
    def dtype(self) -> np.dtype[np.floating]:
        return self.kernel.dtype

    @property
    def filters(self) -> int:
        return len(self.kernel)

    @property
    def kernel_size(self) -> int:
        return int(self.kernel.shape[1])

    def arrays(self) -> dict[str, Array]:
        """The parameters by name, in the order of the data's way through the network."""
        return {"kernel": self.kernel, "bias": self.bias, "weights": self.weights, "bias_flat": self.bias_flat}

    def astype(self, dtype: str | np.dtype[np.floating]) -> "Head":
        return Head(**{name: array.astype(dtype) for name, array in self.arrays().items()})

    def is_finite(self) -> bool:
        return all(bool(np.isfinite(array).all()) for array in self.arrays().values())


def check_shapes(head: Head, image_shape: tuple[int, int]) -> None:
    """Raise ValueError unless the head's arrays fit each other and images of `image_shape`, so that nothing broadcasts."""
    filters, rows, columns = head.kernel.shape
    height, width = image_shape
    expected = (filters, height // 2, width // 2)
    if rows != columns or rows % 2 == 0:
        raise ValueError(f"a kernel must be square with an odd size, not {rows} x {columns}")
    if min(height, width) < 2:
        raise ValueError(f"images must have at least 2 x 2 pixels, not {height} x {width}")
    if head.bias.shape != (filters,) or head.weights.shape != expected or head.bias_flat.shape != ():
        raise ValueError(
            f"for {filters} kernels and {height} x {width} images bias must be ({filters},), weights {expected} and "
            f"bias_flat (); they are {head.bias.shape}, {head.weights.shape} and {head.bias_flat.shape}"
        )


def check_group(heads: Sequence[Head], image_shape: tuple[int, int]) -> None:
    """`check_shapes` of every head; ValueError also unless all arrays share one dtype and all kernels one shape."""
    for head in heads:
        check_shapes(head, image_shape)
    kinds = {(array.dtype, head.kernel.shape) for head in heads for array in head.arrays().values()}
    if len(kinds) != 1:
        raise ValueError("the heads of a group must have one dtype and one shape of kernels")
