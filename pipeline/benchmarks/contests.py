"""The jobs that everyone competes in: the notebook's example, and epochs of digits and Fashion-MNIST.

Who competes is first held against the compiled engine on the job's first batches: all must compute the same losses.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..heads.one_vs_rest import Workers, one_vs_rest
from . import loops, torch_heads
from .jobs import Job, Pictures, epoch, notebook_job
from .plan import Plan
from .timing import Contestant, Row, Say, compete, counted

NOTEBOOK, DIGITS, FASHION = "notebook", "digits", "Fashion-MNIST"
HEADS = 10
# How far two contestants' losses may lie apart in the first batches, relative to the largest.
TOLERANCE = {"float32": 1e-4, "float64": 1e-9}
CHECKED_BATCHES = 5
# An epoch of the digits is a millisecond: a turn is some in a row, as sweeps train, and its time is divided by their number.
EPOCHS = {DIGITS: 10}
Work = Callable[[], NDArray[np.float64]]


class DisagreementError(ArithmeticError):
    """A contestant does not do the same job."""


def ours(job: Job, n_jobs: int = 1, engine: str = "numba") -> Work:
    """The job through the project's public door; returns the (T, heads) losses."""
    workers = Workers(engine, n_jobs)
    return lambda: one_vs_rest(job.heads, job.block, workers)[1]


def check(name: str, make: Callable[[Job], Work], job: Job) -> None:
    """Raise DisagreementError unless the contestant's losses of the first batches are the compiled engine's."""
    few = job.first(CHECKED_BATCHES * job.batch_size)
    expected, got = ours(few)(), make(few)()
    far = float(np.abs(got - expected).max() / np.abs(expected).max())
    if not far <= TOLERANCE[job.heads[0].dtype.name]:
        raise DisagreementError(f"{name}: its losses differ from the compiled engine's by {far:.1e} of the largest")


def entered(name: str, make: Callable[[Job], Work], job: Job, most: int, whole: Job) -> Contestant:
    """A contestant that is known to do the job; a turn is its first `most` (images x heads x filters)."""
    check(name, make, tiny(job) if make is plain_loops else job)
    part = job.first(max(1, most // (len(job.heads) * job.heads[0].filters)))
    return Contestant(name, make(part), whole.share(part))


def tiny(job: Job) -> Job:
    """Two batches of one image, for two heads: plain loops take a hundredth of a second for each."""
    return job.start_from(job.heads[:2]).with_batches(job.block.batches[:2, :1])


def plain_loops(job: Job) -> Work:
    return lambda: loops.train(job)


def numpy(job: Job) -> Work:
    return ours(job, engine="numpy")


def two_workers(job: Job) -> Work:
    return ours(job, 2)


def compiled_torch(job: Job) -> Work:
    return torch_heads.together(job, compiled=True)


def notebook_contest(plan: Plan, kernel_size: int, say: Say) -> list[Row]:
    """7 heads, 500 iterations, one image."""
    job = notebook_job(kernel_size)
    exact, whole = job.with_gradient("exact"), job.seen * len(job.heads)
    name = f"{len(job.heads)} heads x {job.iterations} iterations, float64, k = {kernel_size}"
    contestants = [
        entered("plain loops", plain_loops, job, plan.loops, job),
        entered("NumPy", numpy, job, plan.numpy, job),
        entered("numba, 1 worker", ours, job, whole, job),
        entered("numba, 2 workers", two_workers, job, whole, job),
        entered("numba, 1 worker, exact gradient", ours, exact, whole, job),
    ]
    others, absent = _torch(plan, exact, plan.one_by_one, job, ", exact gradient")
    rows = compete(NOTEBOOK, name, [*contestants, *others], plan.rounds, say)
    return rows + _absent(NOTEBOOK, name, absent, say)


def epoch_contest(plan: Plan, section: str, data: Pictures, kernel_size: int, filters: int, say: Say) -> list[Row]:
    """Every image once, float32, ten heads."""
    job = epoch(data, HEADS, filters, kernel_size, plan.batches[0], "float32")
    epochs = EPOCHS.get(section, 1)
    jobs = [epoch(data, HEADS, filters, kernel_size, batch, "float32", epochs) for batch in plan.batches]
    size = f"k = {kernel_size}, {counted(filters, 'filter')}"
    name = f"epoch of {len(data.images):,} images, {HEADS} heads, float32, {size}"
    everything, batch = jobs[0].seen * HEADS * filters, plan.batches[0]
    wide = jobs[0].start_from([head.astype("float64") for head in job.heads])
    contestants = [
        entered(f"plain loops, float64, batch {batch}", plain_loops, wide, plan.loops, job),
        entered(f"NumPy, batch {batch}", numpy, jobs[0], plan.numpy, job),
        entered(f"numba, 1 worker, batch {batch}", ours, jobs[0], everything, job),
        *(entered(f"numba, 2 workers, batch {j.batch_size}", two_workers, j, everything, job) for j in jobs),
    ]
    absent: list[tuple[str, str]] = []
    for j in jobs:
        others, missing = _torch(plan, j, plan.torch, job, f", batch {j.batch_size}")
        contestants += others
        absent += missing
    rows = compete(section, name, contestants, plan.rounds, say)
    return rows + _absent(section, name, absent, say)


def _torch(plan: Plan, job: Job, most: int, whole: Job, what: str) -> tuple[list[Contestant], list[tuple[str, str]]]:
    """torch's contestants, and the names of those that cannot compete with the reason."""
    contestants, absent = [], []
    for name, make, limit in _ways(plan, most):
        if reason := torch_heads.missing():
            absent.append((name + what, reason))
            continue
        try:
            contestants.append(entered(name + what, make, job, limit, whole))
        except DisagreementError:
            raise
        except Exception as error:
            # torch.compile needs a C++ compiler and much else; whatever it lacks, the others go on.
            absent.append((name + what, f"torch fails here: {type(error).__name__} {error}".splitlines()[0][:120]))
    return contestants, absent


def _ways(plan: Plan, most: int) -> Iterator[tuple[str, Callable[[Job], Work], int]]:
    yield "torch", torch_heads.together, most
    if plan.compiled:
        yield "torch.compile", compiled_torch, most
    yield "torch, a model a head", torch_heads.one_by_one, plan.one_by_one


def _absent(section: str, job: str, absent: list[tuple[str, str]], say: Say) -> list[Row]:
    rows = [Row(section, job, name, "s", (), note=reason) for name, reason in absent]
    for row in rows:
        say(row.text())
    return rows
