"""A store filled from the records: what it lacks is logged, as the sweeps would have done it, at the times when they did."""

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tqdm import tqdm

from ..base import console
from ..base.errors import FileError, MendableError
from ..base.text import printable
from ..comparison.axes import values_of
from ..comparison.compare import axes_for, look, side_by_side, write_tables
from ..comparison.text import table_lines
from ..records.record import Record, is_finished
from ..records.times import Times
from ..settings import TrackingSettings, flatten
from ..sweep.grid import Grid, deciding, read_grid
from ..sweep.point import Point, count
from ..sweep.points import points_of
from .events import COMPARED, Compared, Event, Finished
from .keys import clean
from .known import all_recorded, checked
from .lease import Lease
from .runs import FAILED, FINISHED, KILLED, Conclusion, Runs
from .store import open_store, store_uri
from .sweeps import SweepView, sweep_key
from .trouble import LATER, explain

# A store that is busy for a moment is asked again.
TRIES = 3


@dataclass(frozen=True)
class Sweep:
    """The last sweep of an experiment. view: None for a point that was trained alone, and when no point has a
    record. began, ended: in milliseconds."""

    points: tuple[Point, ...]
    grid: Grid
    view: SweepView | None
    status: str
    command: str
    began: int | None
    ended: int | None


def refill(folder: Path, tracking: TrackingSettings) -> tuple[int, int]:
    """Tell a store of an experiment's records: how many points it lacked, and how many there are.

    FileError or SettingsError, one line, for a store that does not take them and for data that is gone.
    """
    sweep = _last_sweep(folder)
    recorded = {point.key: (point, point.folder) for point in sweep.points if is_finished(point.folder)}
    others = {point.key: (point, place) for point, place in all_recorded(folder, tracking, _say) if point.key not in recorded}
    hidden, name = not sys.stderr.isatty(), printable(folder.name)
    lease = Lease(store_uri(tracking), folder)
    with tqdm(total=len(recorded) + len(others), unit=" points", desc=name, disable=hidden, leave=False) as bar:
        try:
            store = open_store(tracking, folder.name)
            if store.mended:
                console.say(f"MLflow: {store.mended}", error=True)
            alone = Runs(store, None, lease)
            logged = _tell(alone, list(others.values()), bar)
            for noted in Times(folder).other_sweeps(sweep_key(sweep.points)):
                _tell_earlier(alone, folder, noted, {**others, **recorded})
            view = _of_whom(alone, sweep.view)
            runs = Runs(store, view, lease, began=sweep.began)
            logged += _tell(runs, list(recorded.values()), bar)
            if view is not None and view.whole:
                _conclude(runs, folder, sweep)
            runs.close(sweep.status)
        except MendableError:
            raise
        except Exception as error:
            # MLflow raises a dozen kinds of errors; to the person they are one line.
            trouble = explain(error, store_uri(tracking))
            mend = "try again" if trouble.mend == LATER else trouble.mend
            raise FileError(f"{trouble.what}; {bar.n} of {bar.total} points were looked at; {mend}") from None
        finally:
            lease.let_go()
    return logged, len(recorded) + len(others)


def _tell(runs: Runs, points: Sequence[tuple[Point, Path]], bar: Any) -> int:
    """Log points as finished; how many the store lacked. A damaged record is left out, with a line."""
    logged = 0
    for point, place in points:
        try:
            record = checked(point, place)
        except FileError as error:
            _say(str(error))
        else:
            before = runs.is_finished(point.key)
            _write(runs, Finished(point, record, known=True))
            logged += not before
        bar.update()
    return logged


def _say(reason: str) -> None:
    console.say(f"not logged: {reason}", error=True)


def _write(runs: Runs, event: Event) -> None:
    for left in reversed(range(TRIES)):
        try:
            event.write(runs)
            return
        except MendableError:
            raise
        except Exception:
            if not left:
                raise


def _conclude(runs: Runs, folder: Path, sweep: Sweep) -> None:
    """The sweep's own run: what it came to, unless it says so already."""
    found = look(sweep.points, folder, sweep.grid.swept)
    if found is not None:
        values = {key: float(found.summary.best[key]) for key in found.summary.metrics}
        champion = next(point for point in sweep.points if point.name == found.best), found.records[found.best]
        told = found.summary.metric, champion, sweep.points, sweep.command, sweep.ended
        _write(runs, Compared(folder, found.best, values, found.text, *told))


def _tell_earlier(alone: Runs, folder: Path, noted: dict[str, Any], known: dict[str, tuple[Point, Path]]) -> None:
    """A sweep before the last: its run, with those of its points that are there, when it was, what was typed; its tables."""
    found = [known[key] for key in noted["keys"] if isinstance(key, str) and key in known]
    view = _of_whom(alone, _view(noted))
    if not found or view is None or not view.whole:
        return
    runs = Runs(alone.store, view, alone.lease, began=noted.get("began"))
    for point, _ in found:
        runs.open(point, {})
    command = str(noted.get("command", ""))
    _tell_tables(runs, noted, found, command)
    runs.came_to = Conclusion(folder, tuple(point.key for point, _ in found), command, noted.get("ended"))
    if runs.parent is not None:
        alone.store.client.set_tag(runs.parent.run_id, "command", clean(command))
    runs.close(_status(noted, FINISHED if len(found) == len(noted["keys"]) else KILLED))


def _tell_tables(runs: Runs, noted: dict[str, Any], found: Sequence[tuple[Point, Path]], command: str) -> None:
    """What a sweep before the last came to, unless its run says so already: its tables, made anew of the records. Figures and
    report, which take seconds, are the last one's alone."""
    if runs.parent is None or COMPARED in runs.parent.tags:
        return
    flat = flatten(deciding(found[0][0].settings))
    grid = Grid(tuple(point.settings for point, _ in found), tuple(key for key in _view(noted).swept if key in flat))
    points, records = dict[str, Point](), dict[str, Record]()
    for point, place in found:
        # One that is damaged was told of.
        with contextlib.suppress(FileError):
            name = grid.name(point.settings)
            records[name], points[name] = checked(point, place), replace(point, name=name)
    if not records:
        return
    keys = axes_for(grid.swept)
    made = side_by_side(records, [values_of(point.settings, keys) for point in points.values()], keys)
    values = {key: float(made.summary.best[key]) for key in made.summary.metrics}
    text = "\n".join(table_lines(made.summary, made.laid)).lstrip("\n")
    told = made.summary.metric, (points[made.best], records[made.best]), tuple(points.values()), command, noted.get("ended")
    with TemporaryDirectory() as folder:
        write_tables(Path(folder), made)
        _write(runs, Compared(Path(folder), made.best, values, text, *told, newest=False))


def _of_whom(runs: Runs, view: SweepView | None) -> SweepView | None:
    """A sweep that somebody runs at this moment is theirs to conclude."""
    return view.of_a_job() if view is not None and runs.is_at_work(view) else view


def _view(noted: dict[str, Any]) -> SweepView:
    return SweepView(str(noted["sweep"]), int(noted.get("count", 0)), tuple(map(str, noted.get("swept", ()))))


def _status(noted: dict[str, Any], known: str) -> str:
    return str(noted["status"]) if noted.get("status") in (FINISHED, KILLED, FAILED) else known


def _last_sweep(folder: Path) -> Sweep:
    """As it was noted when it ended; else as its grid and its records tell."""
    grid = read_grid(folder)
    points = points_of(grid, write=False)
    times = Times(folder)
    key = sweep_key(points)
    noted = times.sweep(key) or {}
    done = [point.key for point in points if is_finished(point.folder)]
    began = noted.get("began") or min((found for each in done if (found := times.began(each))), default=None)
    ended = noted.get("ended") or max((found for each in done if (found := times.ended(each))), default=None)
    view = _view(noted) if noted else SweepView(key, count(points), grid.swept) if len(points) > 1 else None
    status = _status(noted, FINISHED if len(done) == len(points) else KILLED)
    # A grid that no record is of, as that of a sweep which never began, is no sweep.
    return Sweep(points, grid, view if done else None, status, str(noted.get("command", "")), began, ended)
