"""All points that an experiment's folder has records of, whatever grid had them: what a store that lost them can be told."""

import logging
from collections.abc import Callable, Container, Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from ..base import console
from ..base.errors import MendableError
from ..records.record import Record, is_finished, read_record
from ..records.shelf import SHELF
from ..settings import Settings, TrackingSettings, parse
from ..sweep.grid import Grid
from ..sweep.point import Point
from ..sweep.points import points_of

log = logging.getLogger(__name__)


def all_recorded(folder: Path, tracking: TrackingSettings, say: Callable[[str], object]) -> Iterator[tuple[Point, Path]]:
    """Points that may be in no grid any more, in their places and on the shelf, each alone, under its own name; and where its
    record lies. say: is told why one is left out."""
    for place in sorted(_records(folder)):
        try:
            settings = _settings(read_record(place), folder, tracking)
            [point] = points_of(Grid.of([settings]), write=False)
        except (MendableError, TypeError, KeyError) as error:
            say(f"{place}: {console.explain_error(error)}")
            continue
        # Which arithmetic made it is part of the trajectory's name, and not of the settings that a record carries.
        yield Point(settings, point.name, point.data, point.dataset, place.parent.name), place


def has_records(folder: Path) -> bool:
    """Whether an experiment's folder has any record."""
    return next(_records(folder), None) is not None


def checked(point: Point, place: Path) -> Record:
    """A point's record. FileError when it is damaged, or another's."""
    record = read_record(place)
    record.check(point.trajectory, point.iterations)
    return record


def _records(folder: Path) -> Iterator[Path]:
    """Where they lie, in no order."""
    return filter(is_finished, chain((folder / "points").glob("*/*"), (folder / SHELF).glob("*/*")))


def _settings(record: Record, folder: Path, tracking: TrackingSettings) -> Settings:
    held = {**record.settings, "name": folder.name, "paths": {"experiments": str(folder.parent)}}
    return parse({**held, "tracking": asdict(tracking)})


class Mended:
    """A store that had to be mended. what: was done, in words. is_new: another took its place, which lacks what was recorded.
    folder: the experiment's, whose points it is told of; None for a command that does not know it."""

    def __init__(self, what: str, is_new: bool, folder: Path | None, tracking: TrackingSettings) -> None:
        self._what, self._is_new, self._folder = what, is_new, folder
        self._points = all_recorded(folder, tracking, log.debug) if folder is not None and is_new else iter(())
        self._is_told = False

    def next(self, but: Container[str]) -> tuple[Point, Path] | None:
        """One more point for a new store, and its record's place; none whose key is among `but`; None after the last."""
        found = next((each for each in self._points if each[0].key not in but), None)
        self._is_told = found is None
        return found

    def line(self) -> str:
        """For a person."""
        if not self._is_new:
            return f"MLflow: {self._what}"
        if self._is_told and self._folder is not None:
            return f"MLflow: {self._what} with the points of {self._folder.name}; ovrcnn track logs other experiments"
        return f"MLflow: {self._what}; ovrcnn track logs what was recorded before"
