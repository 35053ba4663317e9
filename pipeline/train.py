"""Stage train: one point, or a sweep of many, composed and launched by Hydra.

python -m pipeline.train data=digits model.kernel_size=5
python -m pipeline.train -m model.kernel_size=3,5 training.alpha=0.5,1
python -m pipeline.train experiment=digits
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hydra
from filelock import FileLock, Timeout

from . import compare
from .base import console, project
from .base.stops import undisturbed
from .data.prepared import prepare
from .records.fingerprint import point_folder
from .records.record import read_record
from .records.shelf import bring_back, set_aside
from .sweep import job, preflight
from .sweep.grid import Grid, compose_grid, explain, parse_arguments, write_grid
from .sweep.job import Plan
from .sweep.progress import Board, bar
from .tracking import runs
from .tracking.store import Store, open_store


def main(arguments: list[str]) -> int:
    """Run the stage; its exit code: 0, or 1 when a point failed. Bad settings raise before anything is written."""
    args = parse_arguments(arguments)
    # Hydra wants its flags first; people write them anywhere.
    arguments = [word for word in arguments if word not in args.overrides] + args.overrides
    if args.help or args.hydra_help or args.cfg or args.info or args.shell_completion:
        return _hydra(arguments)
    grid = compose_grid(args)
    preflight.check(grid)
    return sweep(grid, arguments) if grid.multirun else single(grid, arguments)


def single(grid: Grid, arguments: list[str]) -> int:
    """One point; prints what became of it."""
    with _run(grid, None, arguments) as board:
        code = _hydra(arguments)
    if code or board.points("failed") or not board.points("done"):
        return 1
    settings = grid.first
    record = read_record(point_folder(settings, prepare(settings).digest))
    print(compare.outcome(record))
    print(f"record: {os.path.relpath(record.folder)}")
    return 0


def sweep(grid: Grid, arguments: list[str]) -> int:
    """Many points under one parent run, then their comparison; points/ of a named experiment is kept to its grid."""
    experiment = grid.first.folder
    if experiment.name == "scratch":
        return _tracked_sweep(grid, arguments)
    wanted = [point_folder(point, prepare(point).digest) for point in grid.points]
    with _alone(experiment):
        bring_back(experiment, wanted)
        code = _tracked_sweep(grid, arguments)
        set_aside(experiment, wanted)
    return code


@contextmanager
def _alone(experiment: Path) -> Iterator[None]:
    """Wait until no other sweep of this experiment runs: each would set the other's points aside."""
    lock = FileLock(experiment / "work" / "sweep.lock")
    (experiment / "work").mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        console.say(f"another sweep of {experiment.name} is running; waiting for it to end", error=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _tracked_sweep(grid: Grid, arguments: list[str]) -> int:
    with undisturbed():
        store = open_store(grid.first.tracking, grid.first.name)
        reaped = runs.reap(store) if store else 0
    if store is None:
        return _sweep(grid, arguments, None, None)
    if reaped:
        console.say(f"{reaped} runs of processes that died are now marked KILLED in MLflow")
    status, code = "KILLED", 1
    parent = runs.start(store, f"sweep of {len(grid.points)} points", {"swept": ", ".join(grid.swept())})
    try:
        code = _sweep(grid, arguments, store, parent)
        status = "FAILED" if code else "FINISHED"
    except Exception:
        status = "FAILED"
        raise
    finally:
        runs.end_children(store, parent, "KILLED")
        runs.end(store, parent, status)
    return code


def _sweep(grid: Grid, arguments: list[str], store: Store | None, parent: str | None) -> int:
    with _run(grid, parent, arguments) as board:
        code = _hydra(arguments)
    failed = board.points("failed")
    missing = len(grid.points) - failed - board.points("done")
    comparison = compare.compare(grid, complete=False)
    if comparison is not None:
        print(comparison.text)
        if store is not None and parent is not None:
            with undisturbed():
                compare.track(store, parent, comparison)
    if failed or missing or code:
        console.say(f"{failed + missing} of {len(grid.points)} points failed; see the messages above", error=True)
        return 1
    return 0


@contextmanager
def _run(grid: Grid, parent: str | None, arguments: list[str]) -> Iterator[Board]:
    """Grid and plan on disk, a progress bar in the terminal, and Hydra told to use the plan's folder."""
    assert grid.output is not None
    output = grid.output
    write_grid(grid)
    plan = Plan.of(grid, parent)
    plan.write(output)
    preflight.warn_absent(grid)
    preflight.warm_up(grid)
    if grid.multirun and grid.launcher == "joblib":
        console.say("points run side by side in processes, the heads of each one after the other")
    board = Board(output / "progress")
    text = str(output).replace("'", "\\'")
    arguments.append(f"hydra.{'sweep' if grid.multirun else 'run'}.dir='{text}'")
    with bar(board, plan.points, plan.iterations):
        yield board


def _hydra(arguments: list[str]) -> int:
    """Hand the command line to Hydra; 1 when it refuses, with its reason in one line."""
    project.register_resolver()
    # With this, Hydra raises instead of printing several lines and a hint at itself.
    full = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    before, sys.argv = sys.argv, [sys.argv[0], *arguments]
    try:
        hydra.main(version_base="1.3", config_path=str(project.conf()), config_name="config")(job.job)()
    except (hydra.errors.HydraException, ValueError) as error:
        if full == "1":
            raise
        print(explain(error), file=sys.stderr)
        return 1
    finally:
        sys.argv = before
        if full is None:
            os.environ.pop("HYDRA_FULL_ERROR", None)
    return 0


if __name__ == "__main__":
    console.run(main)
