"""The classifier's arguments as the pipeline's settings, and what is said of them and of X."""

import math
import os
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets

from ..base.errors import SettingsError
from ..data.input import image_shape_of, sides
from ..heads import metrics
from ..heads.batches import too_large
from ..heads.head import Head
from ..settings import Settings, largest_kernel, parse

GROUPS = ("model", "training")
# Pixels without negative ones that reach further than this were not scaled.
UNSCALED = 2
# From `warnings.warn` up to the line that calls fit.
CALLER = 4


def settings_of(given: Mapping[str, Any], seed: int) -> Settings:
    """The arguments as settings, checked by the pipeline. ValueError, a line a fault, with the arguments' names."""
    n_jobs = given["n_jobs"]
    if n_jobs is not None and (isinstance(n_jobs, bool) or not isinstance(n_jobs, (int, np.integer)) or n_jobs == 0):
        raise ValueError(f"n_jobs: must be a number of workers, -1 for one a core, or None for 1, not {n_jobs!r}")
    plain: dict[str, Any] = {"seed": seed, "compute": {"engine": given["engine"]}}
    groups = asdict(Settings())
    for group in (*GROUPS, "data"):
        plain[group] = {name: without_numpy(given[name]) for name in groups[group] if name in given}
    try:
        return parse(plain)
    except SettingsError as error:
        text = re.sub(r"^seed:", "random_state:", str(error), flags=re.M)
        text = text.replace(", or null", ", or None").replace(" needs data=notebook;", " is for `ovrcnn train data=notebook`;")
        raise ValueError(re.sub(r"^[a-z]+\.", "", text, flags=re.M)) from None


def checked_shape(image_shape: Any, shape: tuple[int, ...], features: int, kernel_size: int | None) -> tuple[int, int]:
    """The (H, W) of the images, given the argument, and that of X, which may be unknown. ValueError when they do not fit."""
    given = shape if image_shape is None else tuple(np.atleast_1d(image_shape).tolist())
    if not given:
        side = max(2, math.isqrt(features - 1) + 1)
        return side, side
    if len(given) != 2 or not all(isinstance(side, int) and side >= 2 for side in given):
        raise ValueError(f"image_shape: must be (H, W), each at least 2, not {given}")
    if given[0] * given[1] != features or (shape and shape != given):
        raise ValueError(f"image_shape: {sides(given)} does not fit X with {sides(shape) or features} pixels")
    if kernel_size is None or kernel_size > min(given):
        raise ValueError(f"kernel_size: must be at most {largest_kernel(given)} for {sides(given)} images, not {kernel_size}")
    return given[0], given[1]


def warn_of_batch(size: int | str, images: int) -> None:
    """Of a batch that is larger than the images."""
    if text := too_large(size, images):
        warnings.warn(text, stacklevel=CALLER)


def warn_of_pixels(pixels: NDArray[Any], largest: float, scale: float) -> None:
    """Of pixels (N, features) that look unscaled; largest: of their absolute numbers."""
    if largest / scale > UNSCALED and pixels.min() >= 0:
        text = f"X: pixels reach {largest / scale:g} and look unscaled; scale={largest:g} brings them to [0, 1]"
        warnings.warn(text, stacklevel=CALLER)


def warn_of_dead_heads(heads: Sequence[Head], classes: NDArray[Any], logits: NDArray[np.float64]) -> None:
    """logits: (N, heads), of all images for training."""
    names = ", ".join(str(name) for name, dead in zip(classes, metrics.dead(heads, logits), strict=True) if dead)
    if names:
        text = "no pooled feature is active on any image; another random_state, or a smaller alpha, may help"
        warnings.warn(f"dead heads, of {names}: {text}", ConvergenceWarning, stacklevel=CALLER)


def shape_of(X: Any) -> tuple[int, ...]:
    """(H, W) of (N, H, W) and (N, H, W, 1), else (). ValueError for images in colour."""
    try:
        shape = image_shape_of(X)
    except ValueError as error:
        raise ValueError(f"X: {error}") from None
    if 0 in shape:
        raise ValueError(f"X: must have images of at least 2 x 2 pixels, not {sides(shape)}")
    return shape


def check_targets(y: Any) -> None:
    """ValueError for labels that are no classes, or of which some are texts and some numbers."""
    try:
        check_classification_targets(y)
    except TypeError:
        kinds = ", ".join(sorted({type(label).__name__ for label in y}))
        raise ValueError(f"y: must be of one type, not of {kinds}") from None


def folder_of(path: Any) -> Path:
    """ValueError for what is no path."""
    if not isinstance(path, str | os.PathLike):
        raise ValueError(f"path: must be the folder of a record, not {path!r}")
    return Path(path)


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """An int as it is; None draws from NumPy's global generator, a RandomState from itself."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def without_numpy(value: Any) -> Any:
    """NumPy's scalars, of which a grid of parameters may be made, as Python's."""
    return value.item() if isinstance(value, np.generic) else value


def are_numbers(names: Sequence[str]) -> bool:
    """Whether all are whole numbers as Python writes them."""
    return all(re.fullmatch(r"0|-?[1-9][0-9]{0,17}", name) for name in names)
