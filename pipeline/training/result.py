"""What a trained point says about its images: what result.json and y_hat.csv hold."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.input import Input

# The best point is chosen by validation accuracy, so that the test split stays fresh. The notebook's single image has no
# validation split, and every point gets it right sooner or later, so there the margin decides.
CRITERIA = ("validation_accuracy", "train_margin")


@dataclass(frozen=True)
class Result:
    """iterations: of the point. data: the data's digest. images: how many each split has. metrics: of all heads together.

    heads: for each head its class, losses and recalls by split, and whether it is dead or saturated. input: what they take;
    None in
    earlier records, see `records.origin.input_of`.
    """

    iterations: int
    data: str
    images: dict[str, int]
    metrics: dict[str, float]
    heads: tuple[dict[str, Any], ...]
    input: Input | None = None

    @property
    def classes(self) -> list[str]:
        return [str(head["class"]) for head in self.heads]

    @property
    def criterion(self) -> tuple[str, float]:
        """The metric that points are chosen by, and its value."""
        name = next(name for name in CRITERIA if name in self.metrics)
        return name, self.metrics[name]

    def plain(self) -> dict[str, Any]:
        """For JSON; `Result.read` is its inverse."""
        plain = {**asdict(self), "heads": list(self.heads)}
        if self.input is None:
            del plain["input"]
        else:
            plain["input"] = self.input.plain()
        return plain

    @staticmethod
    def read(plain: dict[str, Any]) -> "Result":
        """TypeError, KeyError or ValueError when this is no result."""
        heads = tuple(dict(head) for head in plain["heads"])
        if not all(isinstance(head["class"], str) for head in heads):
            raise ValueError("a head's class must be text")
        metrics = {str(key): value for key, value in plain["metrics"].items()}
        taken = Input.read(plain["input"]) if "input" in plain else None
        return Result(int(plain["iterations"]), str(plain["data"]), dict(plain["images"]), metrics, heads, taken)


@dataclass(frozen=True)
class Vectors:
    """The y-hat vectors that a point shows. image: (n,), indices into the data. target: (n,), indices of classes.

    y_hat: (n, heads), each head's probability that the image is of its class.
    """

    image: NDArray[np.int64]
    target: NDArray[np.int64]
    y_hat: NDArray[np.float64]
