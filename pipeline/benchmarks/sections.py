"""The sections of the benchmark: each can be measured alone, by the name that --only takes."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from . import accuracy, growth, memory, peak, sweeps, targets
from . import bounds as limits
from .contests import DIGITS, FASHION, NOTEBOOK, epoch_contest, notebook_contest
from .jobs import DIGITS_KERNEL_SIZE, Pictures, pictures
from .plan import Plan
from .timing import Row, Say

# In the order in which they are measured and written: what fills this process with other libraries comes last.
NAMES = {
    "notebook": NOTEBOOK,
    "digits": DIGITS,
    "fashion_mnist": FASHION,
    "peak": peak.SECTION,
    "targets": targets.SECTION,
    "growth": growth.SECTION,
    "memory": memory.SECTION,
    "accuracy": accuracy.SECTION,
    "sweep": sweeps.SECTION,
}


@dataclass
class Measured:
    """rows: everything measured. curves: of time to accuracy. missing: data sets that were not there, and why."""

    rows: list[Row] = field(default_factory=list)
    curves: list[accuracy.Curve] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def measure(plan: Plan, chosen: Iterable[str], say: Say) -> Measured:
    """The chosen sections (keys of NAMES); what this machine lacks is left out and named."""
    chosen, found = set(chosen), Measured()
    if "notebook" in chosen:
        found.rows += [row for k in limits.NOTEBOOK_MILLISECONDS for row in notebook_contest(plan, k, say)]
    sources = _sources(chosen, found)
    for data in sources:
        # The images decide the shapes; accuracy takes its own part of them.
        few = data if data.name == "digits" else data.some(plan.images, plan.test)
        for name in (name for name in NAMES if name in chosen):
            found.rows += _of(plan, name, few, say)
    if "accuracy" in chosen:
        rows, found.curves = accuracy.times_to_accuracy(plan, sources, say)
        found.rows += rows
    if "targets" in chosen:
        found.rows += targets.targets(plan, say)
    if "sweep" in chosen:
        found.rows += sweeps.sweeps(plan, say)
    found.rows = in_order(found.rows)
    return found


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows section by section; within one as they come."""
    places = {section: place for place, section in enumerate(NAMES.values())}
    return sorted(rows, key=lambda row: places.get(row.section, len(places)))


def _sources(chosen: set[str], found: Measured) -> list[Pictures]:
    """The data sets that the chosen sections need."""
    digits, fashion = {"digits", "accuracy"}, {"fashion_mnist", "peak", "growth", "memory", "accuracy"}
    wanted = [source for source, users in (("digits", digits), ("fashion_mnist", fashion)) if users & chosen]
    there = []
    for data in map(pictures, wanted):
        if isinstance(data, Pictures):
            there.append(data)
        else:
            found.missing.append(data)
    return there


def _of(plan: Plan, section: str, data: Pictures, say: Say) -> list[Row]:
    """What a section measures on one data set."""
    if data.name == "digits":
        return epoch_contest(plan, DIGITS, data, DIGITS_KERNEL_SIZE, 1, say) if section == "digits" else []
    if section == "fashion_mnist":
        sizes = [(k, filters) for k in plan.epoch_kernel_sizes for filters in plan.filters]
        return [row for k, filters in sizes for row in epoch_contest(plan, FASHION, data, k, filters, say)]
    if section == "peak":
        return peak.shares_of_peak(plan, data, say)
    if section == "growth":
        return growth.grow(plan, data, say)
    return memory.peaks(plan, say) if section == "memory" and plan.memory else []
