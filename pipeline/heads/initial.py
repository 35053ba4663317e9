"""Where heads start: random initial parameters.

Every head draws from a stream of its own, seeded by (seed, head), so that the number of workers, their order and the number
of other heads change nothing. Draws are rounded to float32: a last bit that differs between C libraries vanishes, and float32
and float64 heads start from the same numbers. `notebook_draws` alone keeps the notebook's order and full precision.
"""

import numpy as np

from .head import Head
from .notebook import notebook_draws

SMALL = 0.01
# Names the purpose of a stream, so that heads, batches and splits drawn from one seed are independent.
HEAD_STREAM = 1


def initial_head(seed: int, index: int, init: str, filters: int, kernel_size: int, image_shape: tuple[int, int]) -> Head:
    """The initial parameters of head `index`, float64 arrays (cast with `Head.astype`).

    notebook: all parameters 0.01 x standard normal, as in the notebook. he: kernels normal with variance 2 / k^2 (He et al.
    2015, "Delving Deep into Rectifiers", eq. 10, fan-in k^2), those of negative sum sign-flipped because pixels are not
    negative and such a kernel starts dead; weights 0.01 x normal, biases 0. ValueError for any other `init`.
    """
    height, width = image_shape
    random = np.random.default_rng([seed, HEAD_STREAM, index])
    kernel = random.standard_normal((filters, kernel_size, kernel_size))
    weights = SMALL * random.standard_normal((filters, height // 2, width // 2))
    if init == "notebook":
        kernel = SMALL * kernel
        bias, bias_flat = SMALL * random.standard_normal(filters), SMALL * random.standard_normal(())
    elif init == "he":
        kernel = kernel * np.sqrt(2.0 / kernel_size**2)
        kernel = np.where(kernel.sum(axis=(1, 2), keepdims=True) < 0, -kernel, kernel)
        bias, bias_flat = np.zeros(filters), np.zeros(())
    else:
        raise ValueError(f"init must be he or notebook, not {init!r}")
    head = Head(kernel, np.asarray(bias), weights, np.asarray(bias_flat))
    return head.astype("float32").astype("float64")


def initial_heads(
    seed: int, count: int, init: str, filters: int, kernel_size: int | None, image_shape: tuple[int, int], dtype: str
) -> tuple[Head, ...]:
    """The heads of `count` classes before the first iteration. ValueError when `init` and `kernel_size` do not fit.

    notebook_draws: the notebook's own draws, kernel sizes included, so `kernel_size` must be None.
    """
    if init == "notebook_draws":
        heads = [Head(**parameters) for parameters in notebook_draws(seed).parameters]
    elif kernel_size is None:
        raise ValueError(f"init {init} needs a kernel_size")
    else:
        heads = [initial_head(seed, index, init, filters, kernel_size, image_shape) for index in range(count)]
    return tuple(head.astype(dtype) for head in heads)
