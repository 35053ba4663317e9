"""Time, side by side: all contestants of a job take turns, so that a change of the machine's load meets all of them."""

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

# After each turn: threads of the one before may still be spinning, in wait of more work.
PAUSE_SECONDS = 0.05
# A short contestant is called again within its turn, until it took this long or was called this often.
TURN_SECONDS, MOST_CALLS = 0.2, 20

Say = Callable[[str], None]


@dataclass(frozen=True)
class Contestant:
    """`work` does the share `share` of the job; a turn's time is divided by it."""

    name: str
    work: Callable[[], Any]
    share: float = 1.0


@dataclass(frozen=True)
class Row:
    """One line of the table. values: one measurement each, in `unit`. load: the mean of the load averages beside them.

    A row without values says in its note why there are none.
    """

    section: str
    job: str
    contestant: str
    unit: str
    values: tuple[float, ...]
    load: float = float("nan")
    note: str = ""
    share: float = 1.0

    @property
    def median(self) -> float:
        return float(np.median(self.values)) if self.values else float("nan")

    @property
    def low(self) -> float:
        return min(self.values, default=float("nan"))

    @property
    def high(self) -> float:
        return max(self.values, default=float("nan"))

    def text(self) -> str:
        """For the terminal."""
        spread = f"{amount(self.low, self.unit)} to {amount(self.high, self.unit)}"
        figures = f"{amount(self.median, self.unit)} ({spread}), load {self.load:.1f}"
        return f"  {self.contestant:38s} {figures if self.values else 'not measured: ' + self.note}"


@dataclass
class _Turns:
    values: list[float] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    unit: str = "s"
    note: str = ""


class Sheet:
    """The rows of one job, measurement by measurement, for what takes no turns."""

    def __init__(self, section: str, job: str) -> None:
        self._section, self._job = section, job
        self._turns: dict[str, _Turns] = {}

    def add(self, contestant: str, value: float, unit: str = "s", note: str = "") -> None:
        """One measurement more. NaN is none: the system or the command did not tell."""
        turns = self._turns.setdefault(contestant, _Turns(unit=unit))
        turns.note = note
        if value == value:
            turns.values.append(value)
            turns.loads.append(load())
        elif not turns.values:
            turns.note = "not told"

    def extend(self, contestant: str, values: Sequence[float], note: str = "") -> None:
        """Seconds that were measured in one go."""
        for value in values:
            self.add(contestant, value, note=note)

    def absent(self, contestant: str, reason: str) -> None:
        """What could not be measured, and why."""
        self._turns.setdefault(contestant, _Turns(note=reason))

    def rows(self) -> list[Row]:
        return [
            Row(self._section, self._job, name, t.unit, tuple(t.values), float(np.mean(t.loads or [np.nan])), t.note)
            for name, t in self._turns.items()
        ]


def compete(section: str, job: str, contestants: Sequence[Contestant], rounds: int, say: Say) -> list[Row]:
    """Seconds that each contestant takes for the job: `rounds` rounds, in each of which everyone has a turn."""
    say(f"{section}: {job}" if job else section)
    turns = [_Turns() for _ in contestants]
    for _ in range(rounds):
        for contestant, turn in zip(contestants, turns, strict=True):
            turn.values += [seconds / contestant.share for seconds in take_turn(contestant.work)]
            turn.loads.append(load())
            time.sleep(PAUSE_SECONDS)
    rows = []
    for c, turn in zip(contestants, turns, strict=True):
        rows.append(Row(section, job, c.name, "s", tuple(turn.values), float(np.mean(turn.loads)), share=c.share))
        say(rows[-1].text())
    return rows


def take_turn(work: Callable[[], Any]) -> list[float]:
    """The seconds of each call of one turn."""
    times: list[float] = []
    while not times or (sum(times) < TURN_SECONDS and len(times) < MOST_CALLS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return times


def load() -> float:
    """The machine's load average of the last minute; what this benchmark itself runs is part of it."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def counted(count: int, noun: str) -> str:
    """A count with its noun: 1 filter, 8 filters."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def figure(value: float) -> str:
    """A number with three digits that count, without an exponent."""
    if not np.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    places = max(0, 2 - int(np.floor(np.log10(abs(value)))))
    return f"{value:,.{places}f}"


def amount(value: float, unit: str) -> str:
    """A value with its unit; seconds below one in milliseconds."""
    if value != value:
        return "-"
    if unit == "files":
        return f"{value:,.0f}"
    if unit == "s" and value < 1:
        return f"{figure(1000 * value)} ms"
    return f"{figure(value)} {unit}"


class Bystanders:
    """How much of the machine other processes took while this one measured."""

    def __init__(self) -> None:
        self._begin = self._state()

    def text(self) -> str:
        """In cores, on average; what a virtual machine's host took away is said beside it."""
        if self._begin is None or (end := self._state()) is None:
            return "other processes: unknown on this system"
        wall, busy, stolen, own = (b - a for a, b in zip(self._begin, end, strict=True))
        others = max(0.0, busy - own) / max(wall, 1e-9)
        return (
            f"other processes took {others:.2f} cores on average, the host of a virtual machine {stolen / max(wall, 1e-9):.2f}"
        )

    @staticmethod
    def _state() -> tuple[float, float, float, float] | None:
        """Seconds so far: of the clock, of busy cores, stolen, and of this process with its ended children."""
        try:
            words = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
            user, nice, system, _idle, _wait, irq, softirq, steal = (int(word) / os.sysconf("SC_CLK_TCK") for word in words[:8])
        except (OSError, ValueError):
            return None
        return time.perf_counter(), user + nice + system + irq + softirq, steal, sum(os.times()[:4])


def machine() -> str:
    """Processor, cores, memory and system, in one line."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        memory = f", {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (OSError, ValueError, StopIteration):
        processor, memory = platform.processor() or platform.machine(), ""
    return f"{processor}, {os.cpu_count()} cores{memory}, {platform.system()} {platform.machine()}"
