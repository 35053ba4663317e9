"""The interchangeable engines. An engine is a module with `advance`, `advance_group` and `logits`, see `numpy_engine`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import numpy_engine
from .head import Head


@dataclass(frozen=True)
class Engine:
    """`numerics` names the arithmetic: it changes whenever the engine's bits do, so that old records are not mixed in."""

    numerics: str
    advance: Callable[..., tuple[Head, NDArray[np.float64]]]
    advance_group: Callable[..., tuple[list[Head], NDArray[np.float64]]]
    logits: Callable[[Head, NDArray[Any], float], NDArray[np.float64]]


def engine(name: str) -> Engine:
    """The engine called `name`; ValueError when there is none."""
    if name == "numpy":
        return Engine("numpy-1", numpy_engine.advance, numpy_engine.advance_group, numpy_engine.logits)
    if name == "numba":
        # Imported when asked for: it takes half a second.
        from .compiled import engine as numba_engine

        return Engine(numba_engine.NUMERICS, numba_engine.advance, numba_engine.advance_group, numba_engine.logits)
    raise ValueError(f"engine must be numba or numpy, not {name!r}")
