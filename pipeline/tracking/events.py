"""What MLflow is told, one event at a time, and how each is written into an open store."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..records.record import Record
from ..sweep.point import Point
from . import log, models, table
from .card import card
from .curves import curve_rows, reached
from .keys import clean, run_name
from .known import checked
from .parent import best_rows, command, describe_experiment, in_words, log_settings, note
from .registry import crown, has_others
from .run import Run
from .runs import ERROR, FAILED, FINISHED, RUNNING, Conclusion, Runs
from .view import NOTE, seed_view

# What a sweep leaves in its folder.
OUTPUTS = ("report.html", "config.yaml", "points.csv", "summary.csv", "y_hat.csv", "metrics.json")
FIGURES = "figures"
# The tag that says which comparison a sweep's run has.
COMPARED = "compared"


class Event:
    """Something to be logged; writing it again, after a failure half-way, does no harm."""

    def write(self, runs: Runs) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Opened(Event):
    """The sweep begins; by now its own run is there, for jobs in other processes to find."""

    def write(self, runs: Runs) -> None:
        """Nothing but what was done to get here."""


@dataclass(frozen=True)
class Started(Event):
    """A point's trajectory is being trained."""

    point: Point

    def write(self, runs: Runs) -> None:
        run = runs.open(self.point, table.tag(self.point.dataset.classes))
        if run.status == RUNNING and runs.sweep is None:
            runs.describe(run)
        if run.status == RUNNING:
            runs.hold(self.point.key, log.log_params(runs.store, run, self.point.settings))


@dataclass(frozen=True)
class Curve(Event):
    """How far the trajectory of unfinished points has come. losses: (iteration, heads)."""

    points: tuple[Point, ...]
    losses: NDArray[np.float64]

    def write(self, runs: Runs) -> None:
        for point in self.points:
            run = runs.open(point, table.tag(point.dataset.classes))
            if run.status == RUNNING:
                after = _curved(runs, point, run)
                log.log_rows(runs.store, run, curve_rows(self.losses, point.dataset.classes, point.iterations, after))
                runs.curved[point.key] = len(self.losses)


def _curved(runs: Runs, point: Point, run: Run) -> int:
    """Up to which iteration the curves of the point's run are in the store."""
    if point.key not in runs.curved:
        runs.curved[point.key] = reached(runs.store, run)
    return runs.curved[point.key]


@dataclass(frozen=True)
class Finished(Event):
    """A point has its record; `known`: it was there before this command."""

    point: Point
    record: Record
    known: bool = False

    def write(self, runs: Runs) -> None:
        run = runs.open(self.point, table.tag(self.point.dataset.classes))
        if run.status != FINISHED:
            log.log_record(runs.store, run, self.point, self.record, _curved(runs, self.point, run))
            if runs.sweep is None:
                runs.describe(run)
        if run.model is None:
            runs.keep_model(self.point.key, models.log_model(runs.store, run, self.point, self.record))
        if run.status != FINISHED:
            runs.end(self.point, FINISHED)


@dataclass(frozen=True)
class Known(Event):
    """A recorded point that is none of this command's. place: where its record lies."""

    point: Point
    place: Path

    def write(self, runs: Runs) -> None:
        Finished(self.point, checked(self.point, self.place), known=True).write(runs.apart())


@dataclass(frozen=True)
class Failed(Event):
    """A point will have no record. reason: one line."""

    point: Point
    reason: str

    def write(self, runs: Runs) -> None:
        run = runs.open(self.point, {ERROR: self.reason})
        # What was finished once is not made worse: its numbers are what they are.
        if run.status != FINISHED:
            runs.hold(self.point.key, log.log_params(runs.store, run, self.point.settings))
            runs.store.client.set_tag(run.run_id, ERROR, clean(self.reason))
            runs.end(self.point, FAILED)


@dataclass(frozen=True)
class Compared(Event):
    """What a sweep came to. folder: where its tables and figures lie. best: a point's name. values: the best point's metrics.

    text: the tables as the terminal shows them. metric: what the best was chosen by. champion: the best point and its record.
    points: all of them. typed, ended: the sweep's command and its end, in milliseconds, when it is told of afterwards.
    newest: whether its best point is the experiment's champion.
    """

    folder: Path
    best: str
    values: dict[str, float]
    text: str
    metric: str
    champion: tuple[Point, Record] | None = None
    points: tuple[Point, ...] = ()
    typed: str = ""
    ended: int | None = None
    newest: bool = True

    def digest(self) -> str:
        """SHA-256 of the tables, the figures, the text, the best point's values and the champion's key."""
        champion = self.champion[0].key if self.champion else ""
        found = hashlib.sha256(f"{champion}\n{self.best}\n{self.values}\n{self.text}".encode(errors="surrogatepass"))
        for name, path in self._files().items():
            found.update(f"{name} ".encode() + (path.read_bytes() if path.is_file() else b"-"))
        return found.hexdigest()

    def _files(self) -> dict[str, Path]:
        names = [*OUTPUTS, *sorted(f"{FIGURES}/{path.name}" for path in (self.folder / FIGURES).glob("*.png"))]
        return {name: self.folder / name for name in names}

    def write(self, runs: Runs) -> None:
        if runs.sweep is None or runs.parent is None:
            return
        parent, store, digest = runs.parent, runs.store, self.digest()
        typed = self.typed or command()
        runs.came_to = Conclusion(self.folder, tuple(point.key for point in self.points), typed, self.ended)
        if parent.tags.get(COMPARED) == digest:
            # Another command may have said it, before or after ours made a version beside its own.
            if self.newest and self.champion and not store.is_local:
                self._crown(runs, *self.champion, again=True)
            return
        log.log_files(store, parent, self._files(), {})
        log.log_rows(store, runs.renewed(parent), best_rows(self.values, self.metric, parent.metrics))
        log_settings(runs, self.points, self.champion)
        seed_view(store, runs.sweep, [self.metric, *self.values])
        if self.newest:
            if self.champion:
                self._crown(runs, *self.champion)
            describe_experiment(runs, runs.sweep.name, in_words(run_name(self.best), self.values, self.metric))
        best = in_words(self.best, self.values, self.metric)
        tags = {"best": self.best, "command": typed, NOTE: note(runs, self.text, best, self.points, typed), COMPARED: digest}
        log.log_rows(store, parent, [], tags={key: clean(value) for key, value in tags.items()})

    def _crown(self, runs: Runs, point: Point, record: Record, again: bool = False) -> None:
        # Its own event may still wait, after a failure.
        Finished(point, record, known=True).write(runs)
        run, points, name = runs.open(point, {}), runs.sweep.points if runs.sweep else 0, self.folder.name
        if run.model and (not again or has_others(runs.store, name, run.run_id, run.model)):
            crown(runs.store, name, run.run_id, run.model, card(name, point, record, points))


@dataclass(frozen=True)
class Ended(Event):
    """The sweep, or the point alone, is over."""

    status: str

    def write(self, runs: Runs) -> None:
        runs.close(self.status)
