"""What is to be reached, held against what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

from . import memory, peak, sweeps
from .contests import FASHION, NOTEBOOK
from .jobs import NOTEBOOK_HEADS, NOTEBOOK_ITERATIONS
from .plan import FULL_SWEEPS
from .timing import Row, amount, figure

# Milliseconds that the notebook itself takes for one head and iteration, by kernel size, on a quiet core.
NOTEBOOK_MILLISECONDS = {3: 7.4, 5: 14.0}
NOTEBOOK_TIMES, TORCH_TIMES, CORES_TIMES, PEAK_PERCENT, MEGABYTES = 3000.0, 10.0, 1.8, 25.0, 700.0
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
    (COMPILE, sweeps.COMPILED, 12.0),
)
PEAK_CASE = "float32, k = 5, 1 head, 1 filter"


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
    fashion = [row for row in rows if row.section == FASHION and row.values]
    sizes = [f"k = {k}, {filters}" for k in (3, 5) for filters in ("1 filter", "8 filters")]
    epochs = {size: [row for row in fashion if row.job.endswith(size)] for size in sizes}
    epochs = {size: epoch for size, epoch in epochs.items() if epoch or size.startswith("k = 5")}
    for size, epoch in epochs.items():
        torch = [row for row in epoch if row.contestant.startswith("torch")]
        eager = [row for row in torch if not row.contestant.startswith("torch.compile")]
        found.append(_faster(f"Fashion-MNIST epoch, {size}, against torch's best", torch, _ours(epoch)))
        if len(eager) < len(torch):
            found.append(_faster(f"the same without torch.compile, {size}", eager, _ours(epoch)))
    found += [_cores(size, epoch) for size, epoch in epochs.items()]
    found += [_peak(rows), _memory(rows)]
    return found + [_at_most(rows, *most) for most in MOST]


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


def _faster(what: str, theirs: Sequence[Row], ours: Sequence[Row]) -> Bound:
    """The ratio is of the medians or of the shortest times, whichever is smaller: two threads of torch that wait for each
    other suffer more from a busy machine than ours do."""
    them, us, wanted = _fastest(theirs), _fastest(ours), f"{TORCH_TIMES:.0f} times"
    if them is None or us is None:
        return Bound(what, wanted, "", None)
    quickest = min(row.low for row in theirs) / min(row.low for row in ours)
    times = min(them.median / us.median, quickest)
    measured = f"{times:.1f} times ({them.contestant}: {figure(them.median)} s; {us.contestant}: {figure(us.median)} s)"
    return Bound(what, wanted, measured, times >= TORCH_TIMES)


def _cores(size: str, epoch: Sequence[Row]) -> Bound:
    what, wanted = f"Fashion-MNIST epoch, {size}, two cores against one", f"{CORES_TIMES} times"
    one = next((row for row in epoch if row.contestant.startswith("numba, 1 worker")), None)
    two = one and next((r for r in epoch if r.contestant == one.contestant.replace("1 worker", "2 workers")), None)
    if one is None or two is None:
        return Bound(what, wanted, "", None)
    times = one.median / two.median
    return Bound(what, wanted, f"{times:.2f} times ({figure(one.median)} s, {figure(two.median)} s)", times >= CORES_TIMES)


def _peak(rows: Sequence[Row]) -> Bound:
    what, wanted = f"share of a core's FMA peak, {PEAK_CASE}", f"{PEAK_PERCENT:.0f} %"
    row = next((row for row in rows if row.section == peak.SECTION and row.job == PEAK_CASE and row.values), None)
    if row is None:
        return Bound(what, wanted, "", None)
    return Bound(what, wanted, f"{row.median:.1f} % ({row.low:.1f} to {row.high:.1f})", row.median >= PEAK_PERCENT)


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
