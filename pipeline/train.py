"""Stage train: one point, or a sweep of many.

python -m pipeline.train data=digits model.kernel_size=5
python -m pipeline.train -m model.kernel_size=3,5 training.alpha=0.5,1
python -m pipeline.train experiment=digits
"""

import hashlib
import os
import warnings
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from .base import console
from .base.errors import SettingsError
from .base.guard import guard_workers
from .records.record import is_finished, read_record
from .settings import Settings
from .sweep.driver import Outcome, drive
from .sweep.executors import pool
from .sweep.experiment import at_work, beside
from .sweep.foreign import Job, asked_for
from .sweep.grid import Grid, check_own_name, deciding
from .sweep.hydra import Command, hand_over, is_question, parse_arguments, read_command
from .sweep.logs import marked
from .sweep.plan import plan_of
from .sweep.point import Observer, Point, count
from .sweep.points import changed_sources, points_of
from .sweep.pool import Pool
from .sweep.progress import Bar, Lines, Observers
from .tracking.events import Compared
from .tracking.store import check_store, resolved
from .tracking.sweeps import SweepView, sweep_key
from .tracking.tracker import Tracker


def main(arguments: list[str]) -> int:
    """Run the stage; its exit code: 0, or 1 when a point failed. Bad settings raise before anything is written."""
    args = parse_arguments(arguments)
    if is_question(args):
        hand_over(args, lambda _: None)
        return 0
    command = read_command(args)
    check_store(command.first.tracking)
    grid = Grid.of(command.points or (command.first,))
    check_own_name(grid, command.changed, () if command.jobs else command.keys)
    if command.foreign:
        points = points_of(grid)
        with _run_folder(command):
            return foreign(args, command, grid, points)
    # Before anything is written: a cluster may not be there.
    with closing(pool(command.first.compute)) as workers:
        points = points_of(grid)
        with _run_folder(command):
            return sweep(grid, points, workers) if command.multirun else single(grid, points, workers)


def single(grid: Grid, points: Sequence[Point], workers: Pool) -> int:
    """One point, beside those that its experiment has; prints what became of it."""
    from .comparison.outcome import outcome

    [point] = points
    tracker = _tracker(grid.first, None)
    with _closing(tracker) as status, beside(grid, points):
        failed = _drive(points, workers, tracker).failed
        status[0] = "FAILED" if failed else "FINISHED"
        # Before another sweep of the experiment may put the point on the shelf.
        said = "" if failed else outcome(read_record(point.folder))
    if failed:
        return 1
    console.say(said)
    console.say(f"record: {os.path.relpath(point.folder)}")
    return 0


def sweep(grid: Grid, points: Sequence[Point], workers: Pool) -> int:
    """Many points, then their comparison."""
    tracker = _tracker(grid.first, SweepView(sweep_key(points), count(points), grid.swept))
    console.say(plan_of(points).first_line(workers.cores()))
    with _closing(tracker) as status, at_work(grid, points) as experiment:
        outcome = _drive(points, workers, tracker)
        with experiment.tables():
            _compare(points, grid.swept, tracker)
        status[0] = "FAILED" if outcome.failed else "FINISHED"
    return _conclude(outcome.failed, count(points))


def foreign(args: Namespace, command: Command, grid: Grid, points: Sequence[Point]) -> int:
    """Points that another launcher or sweeper runs, one a job; then their comparison, as for any sweep."""
    first, known = command.first, bool(command.jobs)
    swept = grid.swept if known else command.keys
    view = SweepView(sweep_key(points) if known else _search_key(command), count(points) if known else 0, swept)
    tracker = _tracker(first, view)
    watch = partial(Tracker, resolved(first.tracking), first.name, view.of_a_job(), first.folder) if tracker else None
    with _closing(tracker) as status, at_work(grid, points, known) as experiment:
        if tracker:
            tracker.open()
        if any("joblib" in chosen for chosen in command.foreign):
            guard_workers()
            # Without /dev/shm its jobs run in threads: nothing that anybody need do something about.
            warnings.filterwarnings("ignore", "joblib backend 'loky' is not available")
        keys = frozenset(point.key for point in points if known)
        hand_over(args, Job(command.output, swept, os.getpid(), watch, str(first.folder.parent), keys), command.axes)
        _tell_of_sources(points)
        asked = asked_for(command.output, str(first.folder.parent))
        if not asked:
            raise SettingsError(["no point was trained; see the messages above"])
        if not known:
            grid = Grid.of(asked)
            points = points_of(grid)
            experiment.becomes(grid, points)
        _tell(points, tracker)
        with experiment.tables():
            missing = _compare(points, grid.swept, tracker)
        status[0] = "FAILED" if missing else "FINISHED"
    return _conclude(missing, count(points))


def _conclude(failed: int, points: int) -> int:
    if failed:
        console.say(f"{failed} of {points} points failed; see the messages above", error=True)
    return 1 if failed else 0


def _drive(points: Sequence[Point], workers: Pool, tracker: Tracker | None) -> Outcome:
    bar = Bar(points)
    observers: list[Observer] = [Lines(count(points)), bar, *([tracker] if tracker else [])]
    try:
        return drive(points, workers, Observers(tuple(observers)))
    finally:
        bar.close()
        _tell_of_sources(points)


def _tell_of_sources(points: Sequence[Point]) -> None:
    for line in changed_sources(points):
        console.say(line, error=True)


def _tell(points: Sequence[Point], tracker: Tracker | None) -> None:
    """What jobs could not log, the sweep itself does."""
    for point in points:
        if tracker and is_finished(point.folder):
            tracker.finished(point, read_record(point.folder), known=True)


def _compare(points: Sequence[Point], swept: Sequence[str], tracker: Tracker | None) -> int:
    """Compare what is there, and print it; how many points are missing."""
    # Imported here: pandas and matplotlib take a second, which training need not wait.
    from .comparison.compare import compare

    comparison = compare(points, points[0].settings.folder, swept)
    if comparison is None:
        return count(points)
    console.say(comparison.text)
    if tracker:
        best = comparison.summary.best
        values = {key: float(best[key]) for key in comparison.summary.metrics}
        folder, metric = comparison.folder, comparison.summary.metric
        champion = next(point for point in points if point.name == comparison.best)
        record = comparison.records[comparison.best]
        tracker.compared(Compared(folder, comparison.best, values, comparison.text, metric, (champion, record), tuple(points)))
    return count([point for point in points if not is_finished(point.folder)])


def _tracker(settings: Settings, view: SweepView | None) -> Tracker | None:
    return None if settings.tracking.store == "off" else Tracker(settings.tracking, settings.name, view, settings.folder)


@contextmanager
def _closing(tracker: Tracker | None) -> Iterator[list[str]]:
    """Close the tracker with the status that the block leaves in the list; without one, the block was stopped."""
    status = ["KILLED"]
    try:
        yield status
    except Exception:
        status[0] = "FAILED"
        raise
    finally:
        for line in tracker.close(status[0]) if tracker else []:
            console.say(line, error=True)


@contextmanager
def _run_folder(command: Command) -> Iterator[None]:
    """The run's folder with its log; the folders that hydra.sweep.subdir asks for; the working folder, if chdir says so."""
    console.configure_logging(command.output / "train.log")
    for job in command.jobs:
        if job.folder != Path():
            (command.output / job.folder).mkdir(parents=True, exist_ok=True)
            (command.output / job.folder / "overrides.txt").write_text("".join(f"{word}\n" for word in job.overrides))
    before = Path.cwd()
    if command.chdir:
        os.chdir(command.output)
    try:
        with marked(command.output, command.first.folder):
            yield
    finally:
        os.chdir(before)


def _search_key(command: Command) -> str:
    """What a search is known by: its points are not known before it ends."""
    text = f"{deciding(command.first)} {command.keys}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


if __name__ == "__main__":
    console.run(main)
