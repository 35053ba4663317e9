"""Certified gradients: what the engines compute against central differences of the loss, which know nothing of derivatives.

A head is piecewise smooth: a step that changes which value of a pool's window is the largest, or whether it is above 0,
crosses a kink. So there are three kinds of random images:
- texture: independent pixels. No two values of a window are equal, and steps are so small that no routing changes, which is
  checked: the loss is smooth there, and its differences are those of its gradient.
- background: a constant with a textured rectangle. Most windows are ties, but between equal patches of the image, which stay
  equal whatever the kernel; so the loss is smooth there too, which is checked in the same way.
- ties: black with pixels of 0 and 1, taps in quarters, bias 0, as heads start with it: different patches give equal values,
  and black ones exactly 0. There the loss has kinks, hence no gradient, and its central differences are the mean of two
  branches. The heads take one branch, the first of equals in reading order and derivative 0 of the ReLU at 0. So the gradient
  must be that of the network whose routing is held at this branch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..heads import layers
from ..heads.block import Block
from ..heads.choices import GRADIENTS
from ..heads.engines import engine
from ..heads.head import Array, Head
from ..heads.losses import loss_value
from ..heads.numpy_engine import gradients

KINDS = ("texture", "background", "ties")
PARAMETERS = ("kernel", "bias", "weights", "bias_flat")
ROUTING_PARAMETERS = PARAMETERS[:2]
TOLERANCE = 1e-6
# The first step that changes no routing is taken; a draw that has none lies too near to a tie, and another is made.
STEPS = (1e-3, 1e-4, 1e-5, 1e-6)
ATTEMPTS = 100
CERTIFY_STREAM = 4
BATCH = 3
# An engine's gradient is read off one long step, in which the parameter's own rounding vanishes.
ALPHA = 1024.0

Gradient = dict[str, Array]


@dataclass(frozen=True)
class Case:
    """image_shape: (H, W), each at least 2. kernel_size: odd. filters: kernels in the head."""

    image_shape: tuple[int, int]
    kernel_size: int
    filters: int


@dataclass(frozen=True)
class Draw:
    """A float64 head, images (B, H, W) and their targets (B,) of 0 and 1."""

    head: Head
    images: Array
    targets: NDArray[np.float64]


@dataclass(frozen=True)
class Routing:
    """winner: (B, F, P, Q), the place in the window that each pooled value comes from. active: whether it is above 0. tied:
    whether another place of the window has the same value."""

    winner: NDArray[np.int8]
    active: NDArray[np.bool_]
    tied: NDArray[np.bool_]

    def __eq__(self, other: object) -> bool:
        """Whether the same values reach the logit, from the same places."""
        if not isinstance(other, Routing) or not np.array_equal(self.active, other.active):
            return False
        return np.array_equal(self.winner[self.active], other.winner[self.active])


@dataclass(frozen=True)
class Row:
    """The worst errors of one parameter's gradient over all draws, relative to its largest entry.

    texture, background: against central differences of the loss. held: on ties, against those with the routing held.
    kinks: on ties, against those of the loss itself, which need not agree. engine: the engine against NumPy, on all kinds,
    the notebook's kernel gradient and the frozen one, which is 0, included.
    """

    kernel_size: int
    loss: str
    parameter: str
    texture: float
    background: float
    held: float
    kinks: float
    engine: float

    @property
    def passes(self) -> bool:
        return max(self.texture, self.background, self.held, self.engine) <= TOLERANCE


@dataclass(frozen=True)
class Notebook:
    """The notebook's kernel gradient beside the exact one: median cosine and share of negative ones, for one loss and kind."""

    kernel_size: int
    loss: str
    kind: str
    cosine: float
    negative: float


@dataclass(frozen=True)
class Certificate:
    """Rows of one kernel size, losses outside, and the share of tied windows of each kind."""

    rows: tuple[Row, ...]
    notebook: tuple[Notebook, ...]
    tied: dict[str, float]


def certify(case: Case, losses: Sequence[str], draws: int, seed: int, engine_name: str, notebook_draws: int) -> Certificate:
    """Certify heads of one size on `draws` random ones of each kind. ArithmeticError if every draw lies too near to a tie."""
    worst = {(loss, name): dict.fromkeys((*KINDS, "kinks", "engine"), 0.0) for loss in losses for name in PARAMETERS}
    tied: dict[str, float] = {}
    for kind in KINDS:
        random = np.random.default_rng([seed, CERTIFY_STREAM, case.kernel_size, KINDS.index(kind)])
        shares = []
        for _ in range(draws):
            draw, step = differentiable(random, case, kind)
            found = differences(draw, losses, step)
            held = differences(draw, losses, step, held=True) if kind == "ties" else found
            shares.append(routing(feature_map(draw.head, draw.images)).tied.mean())
            for loss in losses:
                exact = exact_gradient(draw, loss)
                engines = engine_errors(draw, loss, engine_name)
                for name in PARAMETERS:
                    row = worst[loss, name]
                    row[kind] = max(row[kind], relative_error(exact[name], held[loss][name]))
                    row["engine"] = max(row["engine"], engines[name])
                    if kind == "ties":
                        row["kinks"] = max(row["kinks"], relative_error(exact[name], found[loss][name]))
        tied[kind] = float(np.mean(shares))
    rows = [
        Row(case.kernel_size, loss, name, e["texture"], e["background"], e["ties"], e["kinks"], e["engine"])
        for (loss, name), e in worst.items()
    ]
    notebook = [notebook_row(case, loss, kind, notebook_draws, seed) for loss in losses for kind in KINDS[:2]]
    return Certificate(tuple(rows), tuple(notebook), tied)


def differentiable(random: np.random.Generator, case: Case, kind: str) -> tuple[Draw, float]:
    """A draw and the step of its differences. Except for ties, no such step changes the routing."""
    for _ in range(ATTEMPTS):
        draw = random_draw(random, case, kind)
        for step in STEPS:
            if kind == "ties" or is_smooth(draw, step):
                return draw, step
    height, width = case.image_shape
    raise ArithmeticError(f"{height} x {width} pixels: every draw has a tie within a step of {STEPS[-1]}; take smaller images")


def random_draw(random: np.random.Generator, case: Case, kind: str) -> Draw:
    """A random head whose logits are of the size of 1, and three images of a kind. ValueError for an unknown kind."""
    (height, width), filters, kernel_size = case.image_shape, case.filters, case.kernel_size
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    kernel = random.standard_normal((filters, kernel_size, kernel_size)) * np.sqrt(2.0) / kernel_size
    bias = 0.1 * random.standard_normal(filters)
    images = random.uniform(0, 1, (BATCH, height, width))
    if kind == "ties":
        kernel = random.integers(1, 4, kernel.shape) * random.choice([-0.25, 0.25], kernel.shape)
        bias, images = np.zeros(filters), np.rint(images)
    # As heads start: kernels of negative sum are dead on pixels that are not negative.
    kernel = np.where(kernel.sum(axis=(1, 2), keepdims=True) < 0, -kernel, kernel)
    weights = random.standard_normal((filters, height // 2, width // 2))
    weights /= np.sqrt(weights.size)
    if kind != "texture":
        top, left = (int(random.integers(0, side - side // 2 + 1)) for side in case.image_shape)
        outside = np.ones(case.image_shape, bool)
        outside[top : top + height // 2, left : left + width // 2] = False
        images[:, outside] = 0.0 if kind == "ties" else random.choice([0.0, random.uniform()])
    targets = random.integers(0, 2, BATCH).astype(np.float64)
    return Draw(Head(kernel, bias, weights, np.asarray(0.1 * random.standard_normal())), images, targets)


def differences(draw: Draw, losses: Sequence[str], step: float, held: bool = False) -> dict[str, Gradient]:
    """Central differences of fourth order of each loss, for every number of every parameter.

    held: keep each pooled value's place in its window, and whether it is active, whatever the step does to them.
    """
    head, images = draw.head, draw.images
    here = routing(feature_map(head, images))
    pooled_here = pooled_values(feature_map(head, images), here)
    found: dict[str, Gradient] = {loss: {n: np.empty(a.shape) for n, a in head.arrays().items()} for loss in losses}
    for name, index in numbers(head, PARAMETERS):
        logits = {}
        for n in (-2, -1, 1, 2):
            there, pooled = moved(head, name, index, n * step), pooled_here
            if name in ROUTING_PARAMETERS:
                changed = feature_map(there, images)
                pooled = pooled_values(changed, here if held else routing(changed))
            logits[n] = layers.logit(pooled, there.weights, there.bias_flat).astype(np.float64)
        for loss in losses:
            f = {n: loss_value(loss, z, draw.targets).mean() for n, z in logits.items()}
            found[loss][name][index] = (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * step)
    return found


def is_smooth(draw: Draw, step: float) -> bool:
    """Whether no step of `differences` changes the routing. Values are linear in each number, so the ends of its steps tell."""
    head, images = draw.head, draw.images
    here = routing(feature_map(head, images))
    return all(
        routing(feature_map(moved(head, name, index, n * step), images)) == here
        for name, index in numbers(head, ROUTING_PARAMETERS)
        for n in (-2, 2)
    )


def numbers(head: Head, names: Sequence[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every number of the named parameters, by name and index."""
    for name in names:
        for index in np.ndindex(head.arrays()[name].shape):
            yield name, index


def feature_map(head: Head, images: Array) -> Array:
    """(B, F, H, W), before the ReLU."""
    return layers.correlate(layers.shift(images, head.kernel_size), head.kernel, head.bias)


def windows(values: Array) -> Array:
    """(B, F, H, W) as (4, B, F, H // 2, W // 2), the places of a window in reading order."""
    rows, columns = values.shape[2] // 2 * 2, values.shape[3] // 2 * 2
    return np.stack([values[:, :, p:rows:2, q:columns:2] for p, q in layers.WINDOW])


def routing(values: Array) -> Routing:
    """Said once more, not taken from `layers.pool`: the first place of a window that no other place exceeds."""
    places = windows(values)
    largest = places.max(axis=0)
    equal = places == largest
    return Routing(equal.argmax(axis=0), largest > 0, equal.sum(axis=0) > 1)


def pooled_values(values: Array, route: Routing) -> Array:
    """(B, F, P, Q): the feature map's values that a routing lets through."""
    taken = np.take_along_axis(windows(values), route.winner[None], axis=0)[0]
    return np.where(route.active, taken, 0.0)


def moved(head: Head, name: str, index: tuple[int, ...], step: float) -> Head:
    """The head with one number changed by a step."""
    array = head.arrays()[name].copy()
    array[index] += step
    return Head(**{**head.arrays(), name: array})


def exact_gradient(draw: Draw, loss: str, gradient: str = "exact") -> Gradient:
    """The NumPy engine's gradient, by parameter."""
    arrays, _ = gradients(draw.head, draw.images, draw.targets, loss, gradient)
    return dict(zip(PARAMETERS, arrays, strict=True))


def engine_errors(draw: Draw, loss: str, name: str) -> dict[str, float]:
    """For each parameter, how far the engine's gradients, read off one step, are from the NumPy engine's."""
    errors = dict.fromkeys(PARAMETERS, 0.0)
    for kind in GRADIENTS:
        # The head's own label is 0; the images of the rest bear another.
        labels, batch = np.where(draw.targets == 1, 0, 1), np.arange(BATCH)[None]
        one_step = Block(draw.images, 1.0, labels, batch, np.array([ALPHA]), loss, kind)
        (after,), _ = engine(name).advance([draw.head], one_step)
        expected = exact_gradient(draw, loss, kind)
        for parameter, before in draw.head.arrays().items():
            found = np.asarray((before - after.arrays()[parameter]) / ALPHA)
            errors[parameter] = max(errors[parameter], relative_error(found, expected[parameter]))
    return errors


def relative_error(found: Array, expected: Array) -> float:
    """The largest difference, relative to the largest entry of both; 0 if both are all zeros, infinite for nan."""
    largest = max(np.abs(found).max(), np.abs(expected).max())
    error = np.abs(found - expected).max() / largest if largest != 0 else 0.0
    return float(error) if np.isfinite(error) else float("inf")


def notebook_row(case: Case, loss: str, kind: str, draws: int, seed: int) -> Notebook:
    """Cosines of the notebook's kernel gradient with the exact one over random draws; those without a gradient are left
    out, and nan says that none was left."""
    random = np.random.default_rng([seed, CERTIFY_STREAM, case.kernel_size, len(KINDS) + KINDS.index(kind)])
    cosines = []
    for _ in range(draws):
        draw = random_draw(random, case, kind)
        exact, other = (exact_gradient(draw, loss, gradient)["kernel"] for gradient in ("exact", "notebook"))
        length = np.sqrt((exact**2).sum() * (other**2).sum())
        if length > 0:
            cosines.append((exact * other).sum() / length)
    if not cosines:
        return Notebook(case.kernel_size, loss, kind, float("nan"), float("nan"))
    return Notebook(case.kernel_size, loss, kind, float(np.median(cosines)), float(np.mean(np.array(cosines) < 0)))
