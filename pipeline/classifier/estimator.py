"""The classifier itself."""

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from ..comparison.explanation import Explanation, explain
from ..data.input import Input, largest_of, learnt_scale, odd_range, sides
from ..heads import metrics
from ..heads.batches import alphas, batch_size, batches
from ..heads.block import Block
from ..heads.elementary import sigmoid
from ..heads.head import Head
from ..heads.initial import initial_heads
from ..heads.one_vs_rest import BrokenHeadError, Workers, all_logits, one_vs_rest
from ..records.origin import input_of
from ..records.record import read_record
from ..settings import ComputeSettings, ModelSettings, Settings, TrainingSettings
from ..tracking.autolog import log_fit
from ..training.block import non_finite
from .arguments import (
    GROUPS,
    are_numbers,
    check_targets,
    checked_shape,
    folder_of,
    seed_of,
    settings_of,
    shape_of,
    warn_of_batch,
    warn_of_dead_heads,
    warn_of_pixels,
)

# Training goes on in blocks, so that the batches' indices stay small; their length never changes a result.
BLOCK_IMAGES = 2**18

Images = NDArray[np.generic]
Labels = NDArray[np.int64]


class OneVsRestCNN(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no type hints
    """One small convolutional network a class, each told to know its class from the rest.

    The arguments are the pipeline's settings, with its ranges and its bits: the same images, labels and seed give the same
    heads as `ovrcnn train`. The defaults are its too, but for the iterations: 5000, so that a first fit is of use.
    conf/model and conf/training explain them. Those that are scikit-learn's:

    n_jobs: workers for the heads; None is 1, -1 is one a core. It never changes a bit.
    random_state: the pipeline's seed. None or a RandomState draws one.
    image_shape: (H, W). None: the images' own if X is (N, H, W); of flat X the smallest square of at least 2 x 2 that has
        room for the features, filled row by row, with black pixels (0) for those that are missing. A given image must be
        as large as the kernel; in a guessed square the kernel may reach into the zeros around it.
    warm_start: whether `fit` goes on from the heads of the last call, as `partial_fit` does.

    X is (N, features), (N, H, W) or (N, H, W, 1), in grey, divided by `scale`: give 255 for 8-bit images, None for the
    largest pixel, or scaled or standardised pixels. `fit` warns of pixels that look unscaled, of dead heads, and of a
    batch_size beyond the images, which is then all of them. No sample_weight is taken: all images count alike.

    After `fit`: `classes_` (sorted), `heads_` (a Head a class), `loss_curve_` (iterations, classes: each batch's mean
    loss before its update), `n_iter_`, `image_shape_`, `scale_`, `seed_`, `n_features_in_` (H * W for (N, H, W)).
    ValueError when a setting or the data cannot be used, NonFiniteError (an ArithmeticError) when training meets nan or
    inf; the classifier is then as it was, or, when it was to start anew, not fitted.
    """

    classes_: NDArray[Any]
    heads_: tuple[Head, ...]
    loss_curve_: NDArray[np.float64]
    image_shape_: tuple[int, int]
    scale_: float
    largest_: float
    seed_: int
    n_iter_: int
    n_features_in_: int

    def __init__(
        self,
        *,
        kernel_size: int | None = ModelSettings.kernel_size,
        filters: int = ModelSettings.filters,
        alpha: float = TrainingSettings.alpha,
        iterations: int = 5000,
        batch_size: int | str = TrainingSettings.batch_size,
        loss: str = TrainingSettings.loss,
        schedule: str = TrainingSettings.schedule,
        init: str = ModelSettings.init,
        gradient: str = ModelSettings.gradient,
        dtype: str = ModelSettings.dtype,
        engine: str = ComputeSettings.engine,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = Settings.seed,
        image_shape: tuple[int, int] | None = None,
        scale: float | None = 1.0,
        warm_start: bool = False,
    ) -> None:
        self.kernel_size = kernel_size
        self.filters = filters
        self.alpha = alpha
        self.iterations = iterations
        self.batch_size = batch_size
        self.loss = loss
        self.schedule = schedule
        self.init = init
        self.gradient = gradient
        self.dtype = dtype
        self.engine = engine
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.image_shape = image_shape
        self.scale = scale
        self.warm_start = warm_start

    def fit(self, X: ArrayLike, y: ArrayLike) -> "OneVsRestCNN":
        """Train heads for the classes in y. X: images of finite numbers. y: (N,), two classes or more."""
        warm = self.warm_start and self.__sklearn_is_fitted__()
        fitted = self.partial_fit(X, y) if warm else self._start(X, y, None)
        log_fit(self, X, y)
        return fitted

    @classmethod
    def from_record(cls, path: str | Path) -> "OneVsRestCNN":
        """The point whose record is the folder `path`, fitted: its heads, bit for bit, and its keywords. X are its images as
        they are stored: `scale` is the record's. Classes that are whole numbers come back as such. FileError, a ValueError,
        for what is no record."""
        record = read_record(folder_of(path))
        taken, settings = input_of(record), record.settings
        given = {name: value for group in GROUPS for name, value in settings[group].items()}
        model = cls(**given, random_state=settings["seed"], image_shape=taken.image_shape, scale=taken.scale)
        model.classes_ = np.array([int(name) for name in record.classes] if are_numbers(record.classes) else record.classes)
        model.image_shape_, model.scale_, model.largest_ = taken.image_shape, taken.scale, taken.largest
        model.heads_, model.loss_curve_ = record.heads, np.array(record.losses)
        model.seed_, model.n_iter_, model.n_features_in_ = settings["seed"], len(record.losses), math.prod(taken.image_shape)
        return model

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> "OneVsRestCNN":
        """Go on from the current heads for `iterations` iterations on these images.

        classes: all labels that will ever come, needed at the first call. On the same X, two calls are one `fit` of twice
        the iterations if the schedule is constant; the cosine starts anew with each call.
        """
        if not self.__sklearn_is_fitted__():
            if classes is None:
                raise ValueError("classes: must be given at the first call of partial_fit")
            return self._start(X, y, classes)
        if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes: must be those of the first call, {self.classes_.tolist()}, not {np.unique(classes).tolist()}"
            )
        settings = settings_of(self.get_params(deep=False), self.seed_)
        model, head = settings.model, self.heads_[0]
        if (head.kernel_size, head.filters, head.dtype.name) != (model.kernel_size, model.filters, model.dtype):
            raise ValueError("kernel_size, filters and dtype must stay as they were to go on from the current heads")
        pixels, labels = self._read(X, reset=False, y=y)
        return self._train(settings, self._images(pixels), labels)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The class whose head has the largest y-hat, (N,). Where y-hats round to one number, the logits decide."""
        winners = self._logits(X).argmax(axis=1)
        return np.asarray(self.classes_[winners])

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """The heads' y-hats divided by their sum, (N, classes). The heads know nothing of each other: these numbers rank
        the classes, but nothing calibrates them."""
        y_hat = sigmoid(self._logits(X))
        return np.asarray(y_hat / y_hat.sum(axis=1, keepdims=True))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """The heads' logits, (N, classes). For two classes, as scikit-learn wants, (N,): the log of the second y-hat over
        the first, positive where the second class is predicted and rising with its probability.

        Two classes have two heads, as in the pipeline. The difference of their logits has the same sign, but not the order
        of `predict_proba`.
        """
        logits = self._logits(X)
        return metrics.log_ratio(logits) if logits.shape[1] == 2 else logits

    def explain(self, image: ArrayLike) -> Explanation:
        """What each head sees of one image, (H, W) or (features,): feature map, pool, weights times pooled, logit, y-hat, as
        `arrays()` and as a picture, which a notebook shows. In NumPy's arithmetic: an engine's last bits may differ."""
        check_is_fitted(self)
        pixels, _ = self._read(np.asarray(image)[None], reset=False)
        return explain(self.heads_, [str(name) for name in self.classes_], self._images(pixels)[0], self.scale_)

    def _start(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None) -> "OneVsRestCNN":
        settings = settings_of(self.get_params(deep=False), seed_of(self.random_state))
        if self.__sklearn_is_fitted__():
            # From here on what is known of X may not fit the old heads.
            del self.heads_
        pixels, labels = self._read(X, reset=True, y=y)
        self.classes_ = np.unique(labels if classes is None else classes)
        if len(self.classes_) < 2:
            raise ValueError(f"y: holds 1 class, {self.classes_.tolist()}; one-vs-rest needs at least two")
        self.seed_, self.n_iter_ = settings.seed, 0
        self.image_shape_ = checked_shape(self.image_shape, shape_of(X), self.n_features_in_, settings.model.kernel_size)
        self.largest_ = largest_of(pixels)
        self.scale_ = learnt_scale(self.largest_) if settings.data.scale is None else settings.data.scale
        model = settings.model
        heads = initial_heads(
            self.seed_, len(self.classes_), model.init, model.filters, model.kernel_size, self.image_shape_, model.dtype
        )
        self.loss_curve_ = np.empty((0, len(heads)))
        whole = classes is None
        warn_of_pixels(pixels, self.largest_, self.scale_)
        if whole:
            warn_of_batch(settings.training.batch_size, len(pixels))
        self._train(settings, self._images(pixels), labels, heads)
        if whole:
            warn_of_dead_heads(self.heads_, self.classes_, self._logits_of(pixels))
        return self

    def _train(
        self, settings: Settings, images: Images, y: NDArray[Any], heads: tuple[Head, ...] | None = None
    ) -> "OneVsRestCNN":
        """Move `heads`, or else the current ones, through `iterations` more iterations."""
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y: holds {unknown.tolist()}, which are not among the classes {self.classes_.tolist()}")
        labels = np.searchsorted(self.classes_, y)
        training, names, done = settings.training, [str(name) for name in self.classes_], self.n_iter_
        size = batch_size(training.batch_size, len(images))
        heads = self.heads_ if heads is None else heads
        losses, length = [self.loss_curve_], max(1, BLOCK_IMAGES // size)
        for first in range(0, training.iterations, length):
            last = min(first + length, training.iterations)
            block = Block(
                images,
                self.scale_,
                labels,
                batches(self.seed_, len(images), size, done + first, done + last),
                alphas(training.alpha, training.schedule, training.iterations, first, last),
                training.loss,
                settings.model.gradient,
            )
            try:
                heads, part = one_vs_rest(heads, block, self._workers())
            except BrokenHeadError as error:
                raise non_finite(error, names, done + first, self._taken(), ("alpha", "scale")) from None
            losses.append(part)
        self.heads_, self.loss_curve_ = heads, np.concatenate(losses)
        self.n_iter_ = len(self.loss_curve_)
        return self

    def _logits(self, X: ArrayLike) -> NDArray[np.float64]:
        check_is_fitted(self)
        pixels, _ = self._read(X, reset=False)
        strange = odd_range(pixels, self._taken())
        if strange:
            warnings.warn(f"X: {strange}", stacklevel=3)
        logits = self._logits_of(pixels)
        if not np.isfinite(logits).all():
            raise ValueError(f"X: holds pixels that are too large for {self.heads_[0].dtype}")
        return logits

    def _taken(self) -> Input:
        return Input(self.image_shape_, self.scale_, self.largest_)

    def _logits_of(self, pixels: NDArray[Any]) -> NDArray[np.float64]:
        """(N, features) give (N, heads)."""
        return all_logits(self.heads_, self._images(pixels), self.scale_, self._workers())

    def _workers(self) -> Workers:
        return Workers(self.engine, effective_n_jobs(self.n_jobs))

    def _read(self, X: Any, reset: bool, **labels: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """X as (N, features) in an order and a type that the engines take, copied only if it is in another, and `y` as
        (N,), empty for prediction, which has none. ValueError for what scikit-learn refuses."""
        shape = shape_of(X)
        if shape:
            if not reset and shape != self.image_shape_:
                raise ValueError(f"X: must have images of {sides(self.image_shape_)} pixels, not {sides(shape)}")
            X = np.asarray(X).reshape(-1, math.prod(shape))
        own = np.dtype(self.dtype) if reset else self.heads_[0].dtype
        checks = {"dtype": [own.type, np.float64, np.float32, np.uint8], "order": "C"}
        if not labels:
            return validate_data(self, X, reset=reset, **checks), np.empty(0)
        pixels, y = validate_data(self, X, **labels, reset=reset, **checks)
        check_targets(y)
        return pixels, y

    def _images(self, pixels: NDArray[Any]) -> Images:
        """(N, features) as (N, H, W); copied only when pixels are missing."""
        height, width = self.image_shape_
        missing = height * width - pixels.shape[1]
        return (np.pad(pixels, ((0, 0), (0, missing))) if missing else pixels).reshape(-1, height, width)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "heads_")

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
