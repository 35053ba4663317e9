"""What heads take: the shape of their images, and what the stored numbers mean. Images from elsewhere are held against it."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Sources whose stored numbers are the 8-bit levels of pictures.
LEVELS = ("fashion_mnist", "idx", "images", "notebook")
# Pixels so many times those of training, or so small a part of them, were scaled in another way.
ODD_RANGE = 8
COLOURS = {2: "grey and transparency", 3: "three colours", 4: "four colours"}


@dataclass(frozen=True)
class Input:
    """image_shape: (H, W). scale: a pixel is the stored number divided by it. largest: the largest absolute number that is
    stored in an image for training."""

    image_shape: tuple[int, int]
    scale: float
    largest: float

    def plain(self) -> dict[str, Any]:
        """For JSON; `Input.read` is its inverse."""
        return {**asdict(self), "image_shape": list(self.image_shape)}

    @staticmethod
    def read(plain: dict[str, Any]) -> "Input":
        """TypeError, KeyError or ValueError when this is none."""
        height, width = (int(side) for side in plain["image_shape"])
        return Input((height, width), float(plain["scale"]), float(plain["largest"]))

    def white(self, source: str) -> float:
        """The stored number that a picture's white, 255, becomes."""
        if source in LEVELS or 127 < self.largest <= 255:
            return 255.0
        return max(1.0, self.largest)


def odd_range(images: NDArray[np.generic], given: Input) -> str:
    """What is strange about the numbers of images (N, H, W) beside those of training; empty when nothing is."""
    largest, trained = largest_of(images), max(given.largest, 1.0)
    if largest >= ODD_RANGE * trained or (0 < largest <= 1 and trained >= ODD_RANGE):
        return f"pixels reach {largest:g}, those of training {given.largest:g}; bring them to one scale"
    return ""


def learnt_scale(largest: float) -> float:
    """The scale that data.scale=null means: 1 for pixels in [-1, 1], else the largest absolute number."""
    return largest if largest > 1 else 1.0


def largest_of(images: NDArray[np.generic]) -> float:
    """The largest absolute number, 0 for no images."""
    return float(max(images.max(initial=0), -float(images.min(initial=0))))


def image_shape_of(images: Any) -> tuple[int, ...]:
    """(H, W) of (N, H, W) or (N, H, W, 1), () of anything else. ValueError for colours, with what to do."""
    shape: tuple[int, ...] = np.shape(images) if isinstance(images, (list, tuple)) else getattr(images, "shape", ())
    if len(shape) == 4 and shape[-1] in COLOURS:
        held = COLOURS[shape[-1]]
        raise ValueError(
            f"must be grey, (N, H, W), not {held} a pixel, {tuple(shape)}; the mean over axis 3 makes grey of colours"
        )
    if len(shape) == 4 and shape[-1] == 1:
        return tuple(shape[1:3])
    return tuple(shape[1:]) if len(shape) == 3 else ()


def sides(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
