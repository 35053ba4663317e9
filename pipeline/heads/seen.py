"""One image as every head of a point sees it, as arrays."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .forward import Forward
from .head import Head


@dataclass(frozen=True)
class Seen:
    """One image as every head of a point sees it. image: (H, W), as stored; a pixel is the stored number divided by `scale`.
    A head a class, and what it computes."""

    image: NDArray[np.generic] = field(repr=False)
    scale: float
    classes: tuple[str, ...]
    heads: tuple[Head, ...] = field(repr=False)
    forwards: tuple[Forward, ...] = field(repr=False)

    @property
    def logits(self) -> NDArray[np.float64]:
        """(heads,)"""
        return np.array([float(each.logit) for each in self.forwards])

    @property
    def answer(self) -> int:
        """The head with the largest logit, the first of equals."""
        return int(self.logits.argmax())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """`image`, `scale` and `classes`; of head j, as headJ/kernel, headJ/feature_map and so on, its parameters and
        everything that `Forward` has."""
        found: dict[str, NDArray[Any]] = {"image": self.image, "scale": np.array(self.scale), "classes": np.array(self.classes)}
        for j, (head, each) in enumerate(zip(self.heads, self.forwards, strict=True)):
            parts: dict[str, NDArray[Any]] = {**head.arrays(), **each.arrays()}
            found |= {f"head{j}/{name}": array for name, array in parts.items()}
        return found
