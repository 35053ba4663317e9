"""The share of a core's peak of fused multiply-adds that training reaches; the peak is measured in the same rounds.

Only useful work counts: k^2 multiply-adds a pixel forward, k^2 a pooled cell above 0 backward, and 2 a pooled cell for the
weights. Padding, the pool, choosing maxima and the loss are not counted.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ..heads import layers
from ..heads.compiled.vectors import fma, lane_sum, lanes_of, load
from ..heads.head import Head
from ..heads.numpy_engine import to_pixels
from ..heads.one_vs_rest import Workers, one_vs_rest
from .contests import ours
from .jobs import Job, Pictures, epoch
from .plan import Plan
from .timing import PAUSE_SECONDS, Row, Say, counted, take_turn
from .timing import load as machine_load

SECTION = "FMA peak"
CHAINS, LINKS = 12, 400_000
SAMPLE = 500


@njit(nogil=True)
def chains(numbers: Any, links: Any) -> Any:
    """CHAINS independent chains of vector multiply-adds: enough that none waits for another."""
    x, y = load(numbers, 0), load(numbers, 1)
    a, b, c, d = load(numbers, 2), load(numbers, 3), load(numbers, 4), load(numbers, 5)
    e, f, g, h = load(numbers, 6), load(numbers, 7), load(numbers, 8), load(numbers, 9)
    i, j, k, m = load(numbers, 10), load(numbers, 11), load(numbers, 12), load(numbers, 13)
    for _ in range(links):
        a, b, c, d = fma(a, x, y), fma(b, x, y), fma(c, x, y), fma(d, x, y)
        e, f, g, h = fma(e, x, y), fma(f, x, y), fma(g, x, y), fma(h, x, y)
        i, j, k, m = fma(i, x, y), fma(j, x, y), fma(k, x, y), fma(m, x, y)
    total = fma(a, b, fma(c, d, fma(e, f, fma(g, h, fma(i, j, fma(k, m, x))))))
    return lane_sum(total)


def peak_work(dtype: str) -> tuple[Callable[[], Any], float]:
    """What to time, and how many multiply-adds it does."""
    numbers = np.linspace(0.1, 0.5, 64).astype(dtype)
    chains(numbers, 1)
    return lambda: chains(numbers, LINKS), float(CHAINS * LINKS * lanes_of(dtype))


def useful_work(head: Head, pixels: NDArray[Any]) -> float:
    """Multiply-adds that one image's training takes for this head, on average over `pixels` (B, H, W)."""
    pooled, _ = layers.pool(layers.correlate(layers.shift(pixels, head.kernel_size), head.kernel, head.bias))
    taps, (height, width) = head.kernel_size**2, pixels.shape[1:]
    active = float((pooled > 0).sum()) / len(pixels)
    return float(taps * height * width * head.filters + taps * active + 2 * head.weights.size)


@dataclass(frozen=True)
class Case:
    """A job to train, the multiply-adds it takes, and how many times a filter meets an image."""

    name: str
    dtype: str
    job: Job
    work: float
    meetings: int

    def limit(self, rate: float, peak: float) -> str:
        """The time of a filter and image at so many useful multiply-adds a second, and if they ran at the peak."""
        each = 1e9 * self.work / self.meetings
        return f"{each / rate:.0f} ns a filter and image; {each / peak:.0f} at the peak"


def case(plan: Plan, data: Pictures, heads: int, filters: int, kernel_size: int, dtype: str) -> Case:
    """A block of training from heads that have learnt for as long before; the cells above 0 are counted before and after."""
    job = epoch(data.some(plan.peak_images, 0), heads, filters, kernel_size, 32, dtype)
    before = trained(job)
    after = trained(job.start_from(before))
    sample = to_pixels(job.block.images[:SAMPLE], job.block.scale, job.heads[0].dtype)
    work = [sum(useful_work(head, sample) for head in some) for some in (before, after)]
    name = f"{dtype}, k = {kernel_size}, {counted(heads, 'head')}, {counted(filters, 'filter')}"
    return Case(name, dtype, job.start_from(before), job.seen * sum(work) / 2, job.seen * heads * filters)


def trained(job: Job) -> Sequence[Head]:
    """The heads after the job."""
    return one_vs_rest(job.heads, job.block, Workers())[0]


def shares_of_peak(plan: Plan, data: Pictures, say: Say) -> list[Row]:
    """Peaks in billion multiply-adds a second, and what share of it one worker's training reaches, in percent."""
    k = plan.kernel_size
    sizes = (3, 5, 7) if plan.rounds > 2 else (3,)
    settings = [(heads, filters, size, "float32") for size in sizes for heads, filters in ((10, 1), (10, 8))]
    settings = [(1, 1, k, "float32"), *settings, (10, 1, k, "float64")]
    cases = [case(plan, data, *setting) for setting in settings]
    say(f"{SECTION}: one core, Fashion-MNIST")
    peaks: dict[str, list[float]] = {"float32": [], "float64": []}
    shares: dict[str, list[float]] = {case.name: [] for case in cases}
    loads = []
    for _ in range(plan.rounds):
        for dtype, rates in peaks.items():
            work, count = peak_work(dtype)
            rates.append(count / float(np.median(take_turn(work))))
        for one in cases:
            rate = one.work / float(np.median(take_turn(ours(one.job))))
            shares[one.name].append(100 * rate / peaks[one.dtype][-1])
        loads.append(machine_load())
        time.sleep(PAUSE_SECONDS)
    load_now = float(np.mean(loads))
    note = "vectors of 64 bytes, 12 chains"
    rows = [
        Row(SECTION, f"peak of a core, {dtype}", "multiply-adds", "G/s", tuple(r / 1e9 for r in rates), load_now, note)
        for dtype, rates in peaks.items()
    ]
    for one in cases:
        values, top = tuple(shares[one.name]), float(np.median(peaks[one.dtype]))
        note = one.limit(float(np.median(values)) / 100 * top, top)
        rows.append(Row(SECTION, one.name, "numba, 1 worker", "%", values, load_now, note))
    for row in rows:
        say(row.text().replace(row.contestant, row.job, 1))
    return rows
