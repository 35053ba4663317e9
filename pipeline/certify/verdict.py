"""What a proof found: which records hold, what does not come out and where first, and what was covered."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..base.text import cut, printable
from .differ import Difference

# Records of one verdict that are shown in the terminal; --json has all.
MOST_SHOWN = 20


@dataclass(frozen=True)
class Verdict:
    """records: the names of those that were looked at. covered: what was held against what. faults: by name, of those that have
    any; files that are no record's, too. open: why nothing could be computed, by name. first: where what is kept of a
    trajectory leaves the right way, by trajectory. notes: by name, what is no fault. noun: what the records are."""

    records: tuple[str, ...]
    covered: tuple[str, ...]
    faults: Mapping[str, list[Difference]] = field(default_factory=dict)
    open: Mapping[str, str] = field(default_factory=dict)
    first: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    noun: str = "records"

    @property
    def holds(self) -> bool:
        """Whether all of it does."""
        return not self.faults and not self.open

    @property
    def words(self) -> str:
        right = sum(name not in self.faults and name not in self.open for name in self.records)
        parts = [f"{right} of {len(self.records)} {self.noun} hold"]
        parts += [f"{len(self.open)} could not be computed"] if self.open else []
        parts += ["NOT ALL"] if self.faults else []
        return f"verdict: {', '.join(parts)}"

    def and_also(self, other: "Verdict") -> "Verdict":
        """Both in one."""
        return Verdict(
            (*self.records, *other.records),
            (*self.covered, *other.covered),
            {**self.faults, **other.faults},
            {**self.open, **other.open},
            {**self.first, **other.first},
            {**self.notes, **other.notes},
            self.noun if self.noun == other.noun else "points",
        )


def lines(verdict: Verdict) -> list[str]:
    """What is wrong, record by record; what could not be computed; notes, each once; the verdict last."""
    found = []
    for name, differ in list(verdict.faults.items())[:MOST_SHOWN]:
        found += [f"WRONG  {printable(name)}", *(f"    {printable(str(each))}" for each in differ)]
    found += [f"OPEN   {printable(name)}: {printable(why)}" for name, why in list(verdict.open.items())[:MOST_SHOWN]]
    left = max(0, len(verdict.faults) - MOST_SHOWN) + max(0, len(verdict.open) - MOST_SHOWN)
    found += [f"and {left} more, which --json lists"] if left else []
    found += [f"first: {printable(f'{trajectory}: {words}')}" for trajectory, words in verdict.first.items()]
    said = Counter(note for notes in verdict.notes.values() for note in notes)
    found += [f"note: {count} {verdict.noun if count > 1 else verdict.noun[:-1]}: {note}" for note, count in said.items()]
    if len(verdict.covered) > 1:
        return [*map(cut, found), *(f"covered: {part}" for part in verdict.covered), verdict.words]
    return [*map(cut, found), f"{verdict.words}; {verdict.covered[0]}"]


def plain(verdict: Verdict) -> dict[str, Any]:
    """For JSON."""
    faults = {name: [asdict(each) for each in differ] for name, differ in verdict.faults.items()}
    covered = "; ".join(verdict.covered)
    holds = {
        "holds": verdict.holds,
        "verdict": f"{verdict.words}; {covered}",
        "records": len(verdict.records),
        "covered": covered,
    }
    return {**holds, "faults": faults, "open": verdict.open, "first": verdict.first, "notes": verdict.notes}
