"""States of a trajectory that are kept: what its records, those beside them and the file of its way hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..base.errors import FileError
from ..heads.head import Head
from ..records.record import Record, is_finished, read_record
from ..records.states import read_way
from .trail import Claim


@dataclass(frozen=True)
class Kept:
    """A state: the heads of `file` after `iteration` iterations. record: whose they are; None of a checkpoint on the way."""

    iteration: int
    file: str
    heads: tuple[Head, ...] = field(repr=False)
    record: Record | None = None


def kept_states(claims: Sequence[Claim]) -> list[Kept]:
    """One state an iteration that anything of the trajectory is kept of, fewest iterations first; a record's rather than one
    on the way, that of a claim rather than another's. claims: of one trajectory, fewest iterations first."""
    longest, records = claims[-1], [claim.record for claim in claims]
    found = {state.iteration: state for state in _on_the_way(longest)}
    for record in [*_siblings(longest), *records]:
        if record.result.iterations <= longest.record.result.iterations:
            found[record.result.iterations] = Kept(record.result.iterations, "checkpoint.npz", record.heads, record)
    return [found[iteration] for iteration in sorted(found)]


def _siblings(claim: Claim) -> list[Record]:
    """Other points of the trajectory beside this one; one that is damaged is no place to start from."""
    found = []
    for folder in claim.record.folder.parent.iterdir() if claim.record.folder.parent.name == claim.trajectory else []:
        try:
            if folder.name.isdigit() and is_finished(folder):
                record = read_record(folder)
                record.check(claim.trajectory, int(folder.name))
                found.append(record)
        except FileError:
            continue
    return found


def _on_the_way(claim: Claim) -> list[Kept]:
    """Checkpoints that training left on its way, in the experiment's work/."""
    parents = claim.record.folder.parents
    path = parents[2] / "work" / f"{claim.trajectory}.npz" if len(parents) > 2 else None
    if path is None or claim.record.folder.parent.name != claim.trajectory or not path.is_file():
        return []
    try:
        states = read_way(path).states
    except FileError:
        return []
    count, last = len(claim.dataset.classes), claim.record.result.iterations
    return [Kept(s.iteration, f"work/{path.name}", s.heads) for s in states if s.iteration < last and len(s.heads) == count]
