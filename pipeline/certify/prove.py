"""Records proved: all of their iterations computed again, or random stretches, or held against another machine's."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from tqdm import tqdm

from ..base.errors import FileError
from ..comparison.select import Places, find_records
from ..records.provenance import PROVENANCE
from ..records.record import Record
from .against import against
from .differ import Difference
from .recompute import Found, Move, first_wrong, proved, stretches, whole
from .trail import Claim, NothingToComputeError, by_trajectory, claim
from .verdict import Verdict

Faults = dict[str, list[Difference]]


def prove(records: Sequence[Record], segments: int | None, seed: int) -> Verdict:
    """Checksums, settings and data of all records; then all iterations, or random stretches, of those that hold."""
    faults, opened, claims = Faults(), dict[str, str](), list[Claim]()
    for record in records:
        try:
            claims.append(claim(record))
        except NothingToComputeError as error:
            opened[_name(record)] = str(error)
        except FileError as error:
            faults[_name(record)] = [Difference("not computed", str(error).replace(f"{record.folder}{os.sep}", ""))]
    faults |= {_name(each.record): [_unproven(each)] for each in claims if each.unproven}
    notes = {_name(each.record): each.notes for each in claims if each.notes}
    groups = by_trajectory(claims)
    if not groups:
        found, first, covered = Found(), dict[str, str](), "nothing was computed"
    elif segments is None:
        found, first, covered = _whole(groups)
    else:
        found, first, covered = _segments(groups, segments, seed)
    for record, differ in found:
        faults.setdefault(_name(record), []).append(differ)
    return Verdict(tuple(map(_name, records)), (covered,), faults, opened, first, notes)


def _whole(groups: Sequence[Sequence[Claim]]) -> tuple[Found, dict[str, str], str]:
    """What differs, where each trajectory does first, and what was covered."""
    total, found, first = sum(group[-1].record.result.iterations for group in groups), Found(), dict[str, str]()
    with _bar(total) as bar:
        for group in groups:
            differ, words = whole(group, bar.update)
            found += differ
            first |= {group[0].trajectory: words} if differ and words else {}
    return found, first, f"all {total} iterations of {len(groups)} trajectories computed again, engine {_engines(groups)}"


def _segments(groups: Sequence[Sequence[Claim]], segments: int, seed: int) -> tuple[Found, dict[str, str], str]:
    """The same of random stretches; where one does not come out, the first of its trajectory is looked for."""
    ways = [stretches(group) for group in groups]
    every = [(way, number) for way, all_of_it in enumerate(ways) for number in range(len(all_of_it))]
    order = np.random.default_rng(seed).permutation(len(every))[:segments]
    chosen = [every[number] for number in order.tolist()]
    known: list[dict[int, Found]] = [{} for _ in ways]
    total, first = sum(ways[way][number].length for way, number in chosen), dict[str, str]()
    with _bar(total) as bar:
        for way, number in chosen:
            known[way][number] = proved(ways[way][number], bar.update)
        for all_of_it, computed in zip(ways, known, strict=True):
            if any(computed.values()):
                before = len(computed)
                first[all_of_it[0].claim.trajectory] = _first(all_of_it, computed, bar.update) + (
                    f" ({len(computed) - before} more stretches were computed to know)" if len(computed) > before else ""
                )
    found = [each for computed in known for number in sorted(computed) for each in computed[number]]
    covered = f"checksums of all, {len(chosen)} of {len(every)} stretches ({total} iterations) computed again"
    return found, first, f"{covered}, engine {_engines(groups)}, seed {seed}"


def _first(way: Sequence[Any], computed: dict[int, Found], moved: Move) -> str:
    stretch = way[first_wrong(way, computed, moved)]
    before = f"; what leads to {stretch.first} does" if stretch.first else ""
    if stretch.length == 1:
        return f"iteration {stretch.last} is the first that does not come out{before}"
    return f"iterations {stretch.first + 1} to {stretch.last} are the first that do not come out{before}"


def held_against(records: Sequence[Record], folder: str, places: Places) -> Verdict:
    """Records beside those of another machine. FileError when no point is in both."""
    others = find_records([folder], places)
    found = {_name(record): against(record, others) for record in records}
    common = tuple(name for name, differ in found.items() if differ is not None)
    if not common:
        raise FileError(f"{folder}: has no point of these {len(records)} records: other settings, data or numerics")
    notes = {name: ("the other folder has no record of this point",) for name in found if name not in common}
    covered = f"bytes of {len(common)} points compared with {folder}, which has {len(others)}; nothing was computed"
    return Verdict(common, (covered,), {name: differ for name, differ in found.items() if differ}, notes=notes)


def _unproven(found: Claim) -> Difference:
    return Difference(PROVENANCE, found.unproven.removeprefix(f"{found.record.folder / PROVENANCE}: "))


def _engines(groups: Sequence[Sequence[Claim]]) -> str:
    return " and ".join(sorted({each.settings.compute.engine for group in groups for each in group}))


def _name(record: Record) -> str:
    return os.path.relpath(record.folder)


def _bar(total: int) -> "tqdm[Any]":
    return tqdm(total=total, unit=" iterations", unit_scale=True, leave=False, disable=not sys.stderr.isatty())
