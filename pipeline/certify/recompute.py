"""The proof of records: training computes them again, from the start or from a checkpoint, and every byte must be equal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.errors import FileError, NonFiniteError
from ..heads.head import Head
from ..records.checkpoint import Checkpoint
from ..records.record import Record, record_files
from ..training.block import Task, start, train_block
from ..training.result import Result, Vectors
from .differ import Difference, Telling, differences, heads_differ, losses_differ, told
from .kept import Kept, kept_states
from .trail import Claim

# Iterations between two steps of the progress bar: many enough to cost nothing.
STEP = 500
Move = Callable[[int], Any]
Found = list[tuple[Record, Difference]]


@dataclass(frozen=True)
class Stretch:
    """Iterations `start.iteration` to `end.iteration` (exclusive) of a trajectory, from a state that is held to be right to one
    that is to be proved. beside: other records that tell the losses of the same iterations."""

    claim: Claim
    start: Checkpoint
    end: Kept
    beside: tuple[Record, ...] = field(default=(), repr=False)

    @property
    def first(self) -> int:
        return self.start.iteration

    @property
    def last(self) -> int:
        return self.end.iteration

    @property
    def length(self) -> int:
        return self.last - self.first


def whole(claims: Sequence[Claim], moved: Move) -> tuple[Found, str]:
    """Compute one trajectory's points from its start, fewest iterations first. What differs, each with the record that tells
    it; and between which of the states that are kept the first difference lies, in words: empty when all states come out."""
    longest, found = claims[-1], Found()
    kept = {state.iteration: state for state in kept_states(claims)}
    state, losses, right, words = Checkpoint(start(longest.settings, longest.dataset), 0), np.empty((0, 0)), 0, ""
    for iteration in sorted(kept):
        here = [claim.record for claim in claims if claim.record.result.iterations == iteration]
        try:
            heads, more, point = advance(longest, state, iteration, moved, at_point=bool(here))
        except NonFiniteError as error:
            later = [claim.record for claim in claims if claim.record.result.iterations >= iteration]
            return [*found, *((r, Difference("losses.npy", f"cannot have been trained: {error}")) for r in later)], words
        state, losses = Checkpoint(heads, iteration), np.concatenate([losses.reshape(-1, len(heads)), more])
        if point is not None:
            telling = Telling(losses, heads, record_files(longest.trajectory, longest.settings, point, losses, heads))
            found += [(record, each) for record in here for each in _checked(record, telling)]
        differ = heads_differ(kept[iteration].file, kept[iteration].heads, heads, longest.dataset.classes, iteration)
        if differ and not words:
            # Those after it follow from it.
            found += [(longest.record, differ)] if kept[iteration].record is None else []
            where = f"{differ.file}, head {differ.head}"
            words = f"the states that are kept come out until iteration {right}, and no more at {iteration} ({where})"
        right = iteration
    return found, words


def proved(stretch: Stretch, moved: Move) -> Found:
    """Compute one stretch; what differs from what is recorded, each with the record that tells it."""
    claim, end, classes = stretch.claim, stretch.end, stretch.claim.dataset.classes
    record = end.record or claim.record
    try:
        heads, losses, point = advance(claim, stretch.start, end.iteration, moved, end.record is not None)
    except (NonFiniteError, ValueError) as error:
        # A state that somebody changed may have any shape.
        return [(record, Difference(end.file, f"cannot have been trained from iteration {stretch.first}: {error}"))]
    found: Found = []
    if point is not None:
        every = np.concatenate([record.losses[: stretch.first], losses])
        right = Telling(every, heads, record_files(claim.trajectory, claim.settings, point, every, heads))
        found += [(record, each) for each in _checked(record, right)]
    else:
        differ = heads_differ(end.file, end.heads, heads, classes, end.iteration)
        found += [(record, differ)] if differ else []
    # A longer record tells these iterations too, and its own stretch takes them as it tells them.
    for other in stretch.beside:
        differ = losses_differ("losses.npy", other.losses[stretch.first : stretch.last], losses, classes, stretch.first)
        found += [(other, differ)] if differ else []
    # Whether that state is right, other stretches say.
    since = f", from the state kept at {stretch.first}" if stretch.first else ""
    return [(record, replace(each, words=each.words + since)) for record, each in found]


def stretches(claims: Sequence[Claim]) -> list[Stretch]:
    """All stretches of one trajectory between neighbouring states: its start, and what is held of it."""
    longest, found = claims[-1], []
    before = Checkpoint(start(longest.settings, longest.dataset), 0)
    for state in kept_states(claims):
        records = (claim.record for claim in claims)
        beside = tuple(r for r in records if r is not state.record and r.result.iterations >= state.iteration)
        found.append(Stretch(longest, before, state, beside))
        before = Checkpoint(state.heads, state.iteration)
    return found


def first_wrong(every: Sequence[Stretch], known: dict[int, Found], moved: Move) -> int:
    """The first of a trajectory's stretches that does not come out, where one that does not is known: by bisecting between it
    and the last before it that does. known: what differs in those that were computed, by their number; more are added."""
    wrong = min(number for number, found in known.items() if found)
    right = max((number for number, found in known.items() if not found and number < wrong), default=-1)
    while wrong - right > 1:
        middle = (right + wrong) // 2
        known[middle] = proved(every[middle], moved)
        right, wrong = (right, middle) if known[middle] else (middle, wrong)
    return wrong


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
