"""Time to accuracy: scikit-learn's one-vs-rest logistic regression, and how soon the heads are as good."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..heads.batches import batches
from ..heads.head import Head
from ..heads.metrics import accuracy
from ..heads.one_vs_rest import Workers, all_logits, one_vs_rest
from .jobs import DIGITS_KERNEL_SIZE, SEED, Job, Pictures, epoch
from .plan import Plan
from .timing import PAUSE_SECONDS, Row, Say, counted, load

SECTION = "time to accuracy"
# scikit-learn trains one class after the other, too.
WORKERS = Workers("numba", 1)
SCIKIT_LEARN = "scikit-learn, 1 thread"
LOSS, STEP = "binary_cross_entropy", 0.3


@dataclass(frozen=True)
class Curve:
    """Test accuracy over seconds of training; one point for what is trained in one go."""

    data: str
    name: str
    seconds: tuple[float, ...]
    accuracy: tuple[float, ...]


def logistic_regression(data: Pictures, iterations: int) -> Curve:
    """scikit-learn's, with its usual settings, on float32 pixels scaled beforehand. Its BLAS gets one thread, as ours does:
    on a busy machine two of them wait for each other, and take twenty times as long."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from threadpoolctl import threadpool_limits

    def flat(images: NDArray[np.generic]) -> NDArray[np.float32]:
        return images.reshape(len(images), -1).astype(np.float32) / np.float32(data.scale)

    pixels, test = flat(data.images), flat(data.test_images)
    model = OneVsRestClassifier(LogisticRegression(max_iter=iterations))
    begin = time.perf_counter()
    with warnings.catch_warnings(), threadpool_limits(limits=1):
        # It says so when it stops before it has converged; its accuracy has by then.
        warnings.simplefilter("ignore")
        model.fit(pixels, data.labels)
    seconds = time.perf_counter() - begin
    score = float(np.mean(model.predict(test) == data.test_labels))
    return Curve(data.name, SCIKIT_LEARN, (seconds,), (score,))


def heads_curve(data: Pictures, filters: int, kernel_size: int, epochs: int) -> Curve:
    """The heads, epoch by epoch, until `epochs` are done; looking at the test images is not timed."""
    job = epoch(data, int(data.labels.max()) + 1, filters, kernel_size, 32, "float32")
    steps, seconds, found = job.iterations, [0.0], []
    for number in range(epochs):
        begin = time.perf_counter()
        rows = batches(SEED, len(data.images), 32, number * steps, (number + 1) * steps)
        job = job.start_from(_move(job, rows))
        seconds.append(seconds[-1] + time.perf_counter() - begin)
        found.append(accuracy(all_logits(job.heads, data.test_images, data.scale, WORKERS), data.test_labels))
    return Curve(data.name, heads_name(filters), tuple(seconds[1:]), tuple(found))


def heads_name(filters: int) -> str:
    return f"ovrcnn, 1 worker, {counted(filters, 'filter')}"


def _move(job: Job, rows: NDArray[np.int64]) -> tuple[Head, ...]:
    block = replace(job.block, batches=rows, alphas=np.full(len(rows), STEP), loss=LOSS)
    return one_vs_rest(job.heads, block, WORKERS)[0]


def reached(curve: Curve, goal: float) -> float:
    """Seconds until the accuracy is at least `goal`; NaN if it never is."""
    return next((s for s, a in zip(curve.seconds, curve.accuracy, strict=True) if a >= goal), float("nan"))


def times_to_accuracy(plan: Plan, sources: Sequence[Pictures], say: Say) -> tuple[list[Row], list[Curve]]:
    """Rows of seconds until scikit-learn's accuracy, and the curves of the last round."""
    rows: list[Row] = []
    curves: list[Curve] = []
    for data in (source.some(plan.accuracy_images, plan.test) for source in sources):
        kernel_size = DIGITS_KERNEL_SIZE if data.name == "digits" else plan.kernel_size
        say(f"{SECTION}: {data.name}, {len(data.images):,} images")
        rounds, loads = [], []
        for _ in range(plan.accuracy_rounds):
            theirs = logistic_regression(data, plan.logistic_iterations)
            time.sleep(PAUSE_SECONDS)
            rounds.append([theirs, *(heads_curve(data, filters, kernel_size, plan.epochs) for filters in plan.filters)])
            loads.append(load())
        curves += rounds[-1]
        for each in zip(*rounds, strict=True):
            rows.append(_row(plan, data, each, rounds[0][0].accuracy[0], float(np.mean(loads))))
            say(rows[-1].text() + (f"; {rows[-1].note}" if rows[-1].values else ""))
    return rows, curves


def _row(plan: Plan, data: Pictures, runs: Sequence[Curve], goal: float, load_now: float) -> Row:
    times = tuple(reached(curve, goal) for curve in runs)
    last = max(runs[0].accuracy)
    job = f"{data.name}, {len(data.images):,} images: until test accuracy {goal:.4f}"
    note = (
        f"its own accuracy after at most {plan.logistic_iterations} iterations"
        if runs[0].name == SCIKIT_LEARN
        else f"best in {plan.epochs} epochs: {last:.4f}"
    )
    if not np.isfinite(times).all():
        return Row(SECTION, job, runs[0].name, "s", (), load_now, f"never reached it; {note}")
    return Row(SECTION, job, runs[0].name, "s", times, load_now, note)
