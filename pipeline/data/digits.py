"""scikit-learn's 1797 handwritten digits, 8 x 8, 16 grey levels (E. Alpaydin, C. Kaynak, UCI 1998)."""

import numpy as np

from ..settings import Settings
from .dataset import Dataset, build, stratified_split


def load(settings: Settings) -> Dataset:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    data = settings.data
    split = stratified_split(bunch.target, settings.seed, data.folds, data.fold, data.validation)
    return build("digits", bunch.images.astype(np.uint8), bunch.target, split, data.scale)
