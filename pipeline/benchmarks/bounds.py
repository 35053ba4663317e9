"""What is to be reached, held against what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import memory, peak, sweeps
from .contests import DIGITS, FASHION, NOTEBOOK
from .jobs import NOTEBOOK_HEADS, NOTEBOOK_ITERATIONS
from .plan import FULL_SWEEPS
from .timing import Row, amount

# Milliseconds that the notebook itself takes for one head and iteration, by kernel size, on a quiet core.
NOTEBOOK_MILLISECONDS = {3: 7.4, 5: 14.0}
NOTEBOOK_TIMES, CORES_TIMES, MEGABYTES = 3000.0, 1.9, 700.0
# Against torch with its compiler by kernel size, against torch without it, and on the digits.
COMPILED_TIMES, EAGER_TIMES, DIGITS_TIMES = {3: 14.0, 5: 9.0}, 10.0, 10.0
DIGITS_SECONDS, NUMPY_SECONDS = 0.0005, 4.6
# Percent of a core's peak, by job.
PEAK_PERCENTS = {
    "float32, k = 5, 1 head, 1 filter": 25.0,
    "float32, k = 3, 10 heads, 8 filters": 45.0,
    "float32, k = 5, 10 heads, 8 filters": 65.0,
    "float32, k = 7, 10 heads, 8 filters": 60.0,
}
# (job, contestant, the most that its median may be) of whole commands.
POINT = sweeps.point_job(FULL_SWEEPS)
MANY, RECORDED = sweeps.many_job(FULL_SWEEPS.many), sweeps.recorded_job(FULL_SWEEPS.recorded)
COMPILE = sweeps.compile_job(FULL_SWEEPS.compiled)
MOST: tuple[tuple[str, str, float], ...] = (
    (sweeps.DIGITS, sweeps.TRACKED, 7.0),
    (sweeps.DIGITS, sweeps.AGAIN, 3.0),
    (sweeps.DIGITS, sweeps.OFF, 5.0),
    (sweeps.DIGITS, sweeps.OFF_AGAIN, 2.0),
    (sweeps.DIGITS, sweeps.COMPARE, 2.5),
    (POINT, sweeps.A_POINT, 0.040),
    (POINT, sweeps.MLFLOW, 0.025),
    (MANY, sweeps.WHOLE, 60.0),
    (MANY, sweeps.FIRST, 4.0),
    (MANY, sweeps.GROWN, 20.0),
    (MANY, sweeps.OPENED, 0.0),
    (RECORDED, sweeps.WHOLE, 10.0),
    (RECORDED, sweeps.PEAK, 600.0),
    (sweeps.ONE, sweeps.WHOLE, 1.2),
    (COMPILE, sweeps.FIRST, 6.0),
    (COMPILE, sweeps.COMPILED, 6.0),
)


@dataclass(frozen=True)
class Bound:
    """reached: None when it was not measured."""

    what: str
    wanted: str
    measured: str
    reached: bool | None

    @property
    def verdict(self) -> str:
        return {True: "yes", False: "no", None: "not measured"}[self.reached]


def bounds(rows: Sequence[Row]) -> list[Bound]:
    """All bounds, in the order in which they were set."""
    found = [_notebook(rows, k) for k in NOTEBOOK_MILLISECONDS]
    sizes = [f"k = {k}, {filters}" for k in COMPILED_TIMES for filters in ("1 filter", "8 filters")]
    epochs = {size: [row for row in rows if row.section == FASHION and row.job.endswith(size)] for size in sizes}
    for size, epoch in epochs.items():
        torch = [row for row in epoch if row.contestant.startswith("torch")]
        eager = [row for row in torch if not row.contestant.startswith("torch.compile")]
        times = COMPILED_TIMES[int(size[4])]
        found.append(_faster(f"Fashion-MNIST epoch, {size}, against torch's best", torch, _ours(epoch), times))
        found.append(_faster(f"the same without torch.compile, {size}", eager, _ours(epoch), EAGER_TIMES))
    digits = [row for row in rows if row.section == DIGITS]
    found += _digits(digits)
    found += [_cores(f"Fashion-MNIST epoch, {size}", epoch) for size, epoch in epochs.items()]
    found += [_cores("digits epoch", digits), _numpy(epochs[sizes[0]])]
    found += [_peak(rows, job, percent) for job, percent in PEAK_PERCENTS.items()]
    return [*found, _memory(rows), *(_at_most(rows, *most) for most in MOST)]


def _digits(rows: Sequence[Row]) -> list[Bound]:
    """One worker's time, and its ratio to torch's best."""
    torch = [row for row in rows if row.contestant.startswith("torch")]
    ours = [row for row in _ours(rows) if "1 worker" in row.contestant]
    one = _below("digits epoch, 10 heads, k = 3, 1 worker", ours, DIGITS_SECONDS)
    return [one, _faster("the same, against torch's best", torch, ours, DIGITS_TIMES)]


def _numpy(epoch: Sequence[Row]) -> Bound:
    """The readable reference."""
    numpy = [row for row in epoch if row.contestant.startswith("NumPy")]
    return _below("Fashion-MNIST epoch, k = 3, 1 filter, NumPy engine", numpy, NUMPY_SECONDS)


def _below(what: str, rows: Sequence[Row], most: float) -> Bound:
    row, wanted = _fastest(rows), f"at most {amount(most, 's')}"
    return Bound(what, wanted, "", None) if row is None else Bound(what, wanted, amount(row.median, "s"), row.median <= most)


def _ours(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.contestant.startswith("numba") and "exact" not in row.contestant]


def _notebook(rows: Sequence[Row], kernel_size: int) -> Bound:
    job = [row for row in rows if row.section == NOTEBOOK and row.job.endswith(f"k = {kernel_size}") and row.values]
    each = NOTEBOOK_MILLISECONDS[kernel_size]
    what, wanted = f"notebook's job, k = {kernel_size}, against the notebook's {each} ms", f"{NOTEBOOK_TIMES:,.0f} times"
    ours = _fastest(_ours(job))
    if ours is None:
        return Bound(what, wanted, "", None)
    times = each / 1000 * NOTEBOOK_HEADS * NOTEBOOK_ITERATIONS / ours.median
    loops = _fastest([row for row in job if row.contestant == "plain loops"])
    beside = f"; {loops.median / ours.median:,.0f} times our own plain loops" if loops else ""
    return Bound(
        what, wanted, f"{times:,.0f} times ({ours.contestant}: {1000 * ours.median:.2f} ms){beside}", times >= NOTEBOOK_TIMES
    )


def _faster(what: str, theirs: Sequence[Row], ours: Sequence[Row], wanted_times: float) -> Bound:
    """The ratio is of the medians or of the shortest times, whichever is smaller: two threads of torch that wait for each
    other suffer more from a busy machine than ours do."""
    them, us, wanted = _fastest(theirs), _fastest(ours), f"{wanted_times:.0f} times"
    if them is None or us is None:
        return Bound(what, wanted, "", None)
    quickest = min(row.low for row in theirs if row.values) / min(row.low for row in ours if row.values)
    times = min(them.median / us.median, quickest)
    each = [f"{row.contestant}: {amount(row.median, 's')}" for row in (them, us)]
    return Bound(what, wanted, f"{times:.1f} times ({'; '.join(each)})", times >= wanted_times)


def _cores(job: str, epoch: Sequence[Row]) -> Bound:
    what, wanted = f"{job}, two cores against one", f"{CORES_TIMES} times"
    one = next((row for row in epoch if row.contestant.startswith("numba, 1 worker")), None)
    two = one and next((r for r in epoch if r.contestant == one.contestant.replace("1 worker", "2 workers")), None)
    if one is None or two is None or not (one.values and two.values):
        return Bound(what, wanted, "", None)
    times = one.median / two.median
    return Bound(
        what, wanted, f"{times:.2f} times ({amount(one.median, 's')}, {amount(two.median, 's')})", times >= CORES_TIMES
    )


def _peak(rows: Sequence[Row], job: str, percent: float) -> Bound:
    what, wanted = f"share of a core's FMA peak, {job}", f"{percent:.0f} %"
    row = next((row for row in rows if row.section == peak.SECTION and row.job == job and row.values), None)
    if row is None:
        return Bound(what, wanted, "", None)
    return Bound(what, wanted, f"{row.median:.1f} % ({row.low:.1f} to {row.high:.1f})", row.median >= percent)


def _memory(rows: Sequence[Row]) -> Bound:
    what, wanted = "peak memory of training on Fashion-MNIST, any n_jobs", f"below {MEGABYTES:.0f} MB"
    runs = [row for row in rows if row.section == memory.SECTION and row.contestant.startswith("n_jobs") and row.values]
    if not runs:
        return Bound(what, wanted, "", None)
    most = max(runs, key=lambda row: row.high)
    return Bound(what, wanted, f"{most.high:.0f} MB ({most.contestant})", most.high < MEGABYTES)


def _at_most(rows: Sequence[Row], job: str, contestant: str, most: float) -> Bound:
    """The median of a row of sweeps, against the largest that it may be."""
    row = next((r for r in rows if (r.section, r.job, r.contestant) == (sweeps.SECTION, job, contestant) and r.values), None)
    unit = {sweeps.GROWN: "kB", sweeps.OPENED: "files", sweeps.PEAK: "MB"}.get(contestant, "s")
    what, wanted = f"{job}: {contestant}", f"at most {amount(most, unit)}"
    if row is None:
        return Bound(what, wanted, "", None)
    spread = f" ({amount(row.low, unit)} to {amount(row.high, unit)})" if len(row.values) > 1 else ""
    return Bound(what, wanted, amount(row.median, unit) + spread, row.median <= most)


def _fastest(rows: Sequence[Row]) -> Row | None:
    return min((row for row in rows if row.values), key=lambda row: row.median, default=None)
