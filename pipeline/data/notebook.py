"""The notebook's data: one random image and its label, drawn from the seed as the notebook draws them."""

import numpy as np

from ..heads.notebook import notebook_draws
from ..settings import Settings
from .dataset import TRAIN, Dataset, build


def load(settings: Settings) -> Dataset:
    """One 32 x 32 image of integers in [1, 255) for training; there is nothing to test on."""
    draws = notebook_draws(settings.seed)
    split = np.array([TRAIN], np.uint8)
    label = np.array([draws.target.argmax()])
    classes = tuple(str(index) for index in range(len(draws.target)))
    image = draws.image[None].astype(np.uint8)
    return build("notebook", image, label, split, settings.data.scale, classes)
