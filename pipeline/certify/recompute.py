"""The proof of records: training computes them again, from the start or from a checkpoint, and every byte must be equal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import FileError, NonFiniteError
from ..heads.head import Head
from ..records.checkpoint import Checkpoint
from ..records.record import Record, is_finished, read_record, record_files
from ..records.states import read_way
from ..training.block import Task, start, train_block
from ..training.result import Result, Vectors
from .differ import Difference, Telling, differences, heads_differ, losses_differ, told
from .trail import Claim

# Iterations between two steps of the progress bar: many enough to cost nothing.
STEP = 500
Move = Callable[[int], Any]


@dataclass(frozen=True)
class Stretch:
    """Iterations `first` to `last` (exclusive) of a trajectory, from a state that is held to be right to one that is to be
    proved: `file`'s heads, which are those of `record` where it is a point. beside: other records that tell the losses of the
    same iterations."""

    claim: Claim
    start: Checkpoint
    last: int
    file: str
    heads: tuple[Head, ...] = field(repr=False)
    record: Record | None = None
    beside: tuple[Record, ...] = ()

    @property
    def first(self) -> int:
        return self.start.iteration


def whole(claims: Sequence[Claim], moved: Move) -> list[list[Difference]]:
    """Compute one trajectory's points from its start, fewest iterations first; what differs, for each of them. Copies of a
    point cost nothing."""
    state, losses, found = None, np.empty((0, len(claims[0].dataset.classes))), []
    files: dict[str, bytes] = {}
    for claim in claims:
        count = claim.record.result.iterations
        state = state or Checkpoint(start(claim.settings, claim.dataset), 0)
        try:
            if state.iteration < count:
                heads, more, point = advance(claim, state, count, moved, at_point=True)
                assert point is not None
                state, losses = Checkpoint(heads, count), np.concatenate([losses, more])
                files = record_files(claim.trajectory, claim.settings, point, losses, heads)
        except NonFiniteError as error:
            found.append([Difference("losses.npy", f"cannot have been trained: {error}")])
            continue
        found.append(_checked(claim.record, Telling(losses, state.heads, files)))
    return found


def proved(stretch: Stretch, moved: Move) -> list[tuple[Record, Difference]]:
    """Compute one stretch; what differs from what is recorded, each with the record that tells it."""
    claim, classes = stretch.claim, stretch.claim.dataset.classes
    record = stretch.record or claim.record
    try:
        heads, losses, point = advance(claim, stretch.start, stretch.last, moved, stretch.record is not None)
    except (NonFiniteError, ValueError) as error:
        # A state that somebody changed may have any shape.
        return [(record, Difference(stretch.file, f"cannot have been trained from iteration {stretch.first}: {error}"))]
    if point is not None:
        before = record.losses[: stretch.first]
        settings = claim.settings.at(stretch.last) if claim.settings.training.schedule == "constant" else claim.settings
        every = np.concatenate([before, losses])
        right = Telling(every, heads, record_files(claim.trajectory, settings, point, every, heads))
        found = [(record, each) for each in _checked(record, right)]
    else:
        differ = heads_differ(stretch.file, stretch.heads, heads, classes, stretch.last)
        found = [(record, differ)] if differ else []
    # A longer record tells these iterations too, and its own stretch takes them as it tells them.
    for other in stretch.beside:
        differ = losses_differ("losses.npy", other.losses[stretch.first : stretch.last], losses, classes, stretch.first)
        found += [(other, differ)] if differ else []
    return found


def stretches(claims: Sequence[Claim]) -> list[Stretch]:
    """All stretches of one trajectory between neighbouring checkpoints: its start, what its records and the file of its way
    hold."""
    longest = claims[-1]
    places: dict[int, tuple[str, tuple[Head, ...], Record | None]] = {}
    for name, state in _on_the_way(longest):
        places[state.iteration] = name, state.heads, None
    records = [claim.record for claim in claims]
    for record in [*_siblings(longest), *records]:
        if record.result.iterations <= longest.record.result.iterations:
            places[record.result.iterations] = "checkpoint.npz", record.heads, record
    found, before = [], Checkpoint(start(longest.settings, longest.dataset), 0)
    for iteration in sorted(places):
        name, heads, held = places[iteration]
        beside = tuple(each for each in records if each is not held and each.result.iterations >= iteration)
        found.append(Stretch(longest, before, iteration, name, heads, held, beside))
        before = Checkpoint(heads, iteration)
    return found


def advance(
    claim: Claim, state: Checkpoint, last: int, moved: Move, at_point: bool
) -> tuple[tuple[Head, ...], NDArray[np.float64], tuple[Result, Vectors] | None]:
    """The heads at `last`, (T, heads) losses on the way and, at a point, its evaluation. NonFiniteError."""
    heads, losses, point = state.heads, [np.empty((0, len(state.heads)))], None
    for first in range(state.iteration, last, STEP):
        until = min(first + STEP, last)
        done = train_block(Task(claim.settings, heads, first, until, at_point and until == last, -1), claim.dataset)
        heads, point = done.heads, done.point
        losses.append(done.losses)
        moved(until - first)
    return heads, np.concatenate(losses), point


def _checked(record: Record, right: Telling) -> list[Difference]:
    try:
        return differences(told(record), right, record.classes, record.result.iterations)
    except FileError as error:
        return [Difference(str(record.folder), str(error))]


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


def _on_the_way(claim: Claim) -> list[tuple[str, Checkpoint]]:
    """Checkpoints that training left on its way, in the experiment's work/."""
    parents = claim.record.folder.parents
    path = parents[2] / "work" / f"{claim.trajectory}.npz" if len(parents) > 2 else None
    if path is None or claim.record.folder.parent.name != claim.trajectory or not path.is_file():
        return []
    try:
        states = read_way(path).states
    except FileError:
        return []
    count = len(claim.dataset.classes)
    return [(path.name, s) for s in states if s.iteration < claim.record.result.iterations and len(s.heads) == count]
