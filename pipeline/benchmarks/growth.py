"""How the time of an epoch grows with images, heads, filters and kernel size: one worker, the others held fixed."""

from collections.abc import Sequence

import numpy as np

from .contests import HEADS, ours
from .jobs import Job, Pictures, epoch
from .plan import Plan
from .timing import Contestant, Row, Say, compete

SECTION = "growth"


def grow(plan: Plan, data: Pictures, say: Say) -> list[Row]:
    """A row a value; the contestant's name is the value."""
    rows = []
    for what, values in plan.growth:
        contestants = []
        for value in values:
            job = varied(plan, data, what, value)
            if job is not None:
                ours(job.first(1))()
                contestants.append(Contestant(str(value), ours(job)))
        fixed = {"images": plan.growth_images, "heads": HEADS, "filters": 1, "kernel size": plan.kernel_size}
        others = ", ".join(f"{name} {count}" for name, count in fixed.items() if name != what)
        rows += compete(SECTION, f"{what} ({others})", contestants, plan.rounds, say)
    return rows


def varied(plan: Plan, data: Pictures, what: str, value: int) -> Job | None:
    """An epoch with one thing changed; None when there are not so many images."""
    sizes = {"images": min(plan.growth_images, len(data.images)), "heads": HEADS, "filters": 1, "kernel size": plan.kernel_size}
    sizes[what] = value
    if sizes["images"] > len(data.images):
        return None
    some = data.some(sizes["images"], 0)
    return epoch(some, sizes["heads"], sizes["filters"], sizes["kernel size"], plan.batches[0], "float32")


def curves(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of each thing that was varied, by its name."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row.section == SECTION:
            found.setdefault(row.job.split(" (")[0], []).append(row)
    return found


def exponent(rows: Sequence[Row]) -> float:
    """p of the line time ~ value^p that fits the medians best, on logarithmic axes; NaN for a single value."""
    if len(rows) < 2:
        return float("nan")
    values, times = np.log([float(row.contestant) for row in rows]), np.log([row.median for row in rows])
    return float(np.polyfit(values, times, 1)[0])
