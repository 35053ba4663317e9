"""Stage train: one point, or a sweep of many, composed and launched by Hydra.

python -m pipeline.train data=digits model.kernel_size=5
python -m pipeline.train -m model.kernel_size=3,5 training.alpha=0.5,1
python -m pipeline.train experiment=digits
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hydra
import numpy as np
from filelock import FileLock, Timeout

from . import compare, console, job, project
from .data.dataset import TRAIN, DataError, Dataset
from .data.prepared import load, prepare, prepared_path, read, write
from .grid import Grid, compose_grid, explain, parse_arguments, write_grid
from .job import Plan
from .progress import Board, bar
from .records.fingerprint import point_folder
from .records.record import read_record
from .records.shelf import bring_back, set_aside
from .settings import Settings, SettingsError
from .tracking import runs
from .tracking.store import Store, check_store, open_store


def main(arguments: list[str]) -> int:
    """Run the stage; its exit code: 0, or 1 when a point failed. Bad settings raise before anything is written."""
    args = parse_arguments(arguments)
    # Hydra wants its flags first; people write them anywhere.
    arguments = [word for word in arguments if word not in args.overrides] + args.overrides
    if args.help or args.hydra_help or args.cfg or args.info or args.shell_completion:
        return _hydra(arguments)
    grid = compose_grid(args)
    check(grid)
    return sweep(grid, arguments) if grid.multirun else single(grid, arguments)


def check(grid: Grid) -> None:
    """Prepare the data of every point and hold the settings against it. SettingsError or DataError, a line a fault."""
    check_store(grid.first.tracking)
    swept, found = grid.swept(), []
    datasets: dict[Path, Dataset | DataError] = {}
    for point in grid.points:
        name = f"{job.point_name(point, swept)}: " if swept else ""
        path = prepared_path(point)
        if path not in datasets:
            datasets[path] = _read_or_load(point)
        dataset = datasets[path]
        found += [str(dataset)] if isinstance(dataset, DataError) else [name + f for f in data_faults(point, dataset)]
    if found:
        raise SettingsError(list(dict.fromkeys(found)))
    for path, dataset in datasets.items():
        if isinstance(dataset, Dataset):
            write(path, dataset)


def _read_or_load(settings: Settings) -> Dataset | DataError:
    """The data without a trace on disk: nothing is written before every point is known to be good."""
    path = prepared_path(settings)
    try:
        return read(path) if path.exists() else load(settings)
    except DataError as error:
        return error


def data_faults(settings: Settings, dataset: Dataset) -> list[str]:
    """Settings that this data does not allow, a line each."""
    found = []
    size, batch, images = settings.model.kernel_size, settings.training.batch_size, dataset.count(TRAIN)
    if size is not None and size > min(dataset.image_shape):
        height, width = dataset.image_shape
        found.append(f"model.kernel_size: must be at most {min(height, width)} for {height} x {width} images, not {size}")
    if images == 0:
        found.append("data.validation: leaves no image for training; make it smaller")
    elif batch != "all" and int(batch) > images:
        found.append(f"training.batch_size: must be at most {images}, the images for training, not {batch}")
    return found


def warn_absent(dataset: Dataset) -> None:
    """Say which classes have no image for training: their heads can only learn to say no."""
    members = np.bincount(dataset.labels[dataset.split == TRAIN], minlength=len(dataset.classes))
    absent = [name for name, count in zip(dataset.classes, members, strict=True) if count == 0]
    if absent and dataset.count(TRAIN) > 1:
        console.say(f"warning: no image for training of class {', '.join(absent)}", error=True)


def warm_up(grid: Grid) -> None:
    """Compile what the points need, or load it from disk, before any clock or worker starts; say so when it takes long."""
    # Without a kernel size, the notebook's own is drawn: 3 or 5.
    needed = {
        (point.model.dtype, size, prepare(point).images.dtype.name)
        for point in grid.points
        for size in ([point.model.kernel_size] if point.model.kernel_size else [3, 5])
        if point.compute.engine == "numba"
    }
    for number, (dtype, size, stored) in enumerate(sorted(needed), start=1):
        from .heads import numba_engine

        if sys.stderr.isatty():
            print(f"{console.CLEAR_LINE}preparing the engine {number}/{len(needed)}", end="", file=sys.stderr, flush=True)
        began = time.monotonic()
        numba_engine.warm_up(dtype, size, stored)
        seconds = time.monotonic() - began
        if seconds > 1:
            console.say(f"compiled the engine for kernel size {size}, {dtype}, in {seconds:.1f} s; kept for later runs")
    if needed and sys.stderr.isatty():
        print(console.CLEAR_LINE, end="", file=sys.stderr, flush=True)


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
    store = open_store(grid.first.tracking, grid.first.name)
    if store is None:
        return _sweep(grid, arguments, None, None)
    reaped = runs.reap(store)
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
        store.client.set_terminated(parent, status)
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
            compare.track(store, parent, comparison)
    if failed or missing or code:
        console.say(f"{failed + missing} of {len(grid.points)} points failed; see the messages above", error=True)
        return 1
    return 0


@contextmanager
def _run(grid: Grid, parent: str | None, arguments: list[str]) -> Iterator[Board]:
    """Grid and plan on disk, a progress bar in the terminal, and Hydra told to use the plan's folder."""
    assert grid.output is not None
    settings, output = grid.first, grid.output
    write_grid(grid)
    plan = Plan.of(grid, parent)
    plan.write(output)
    warn_absent(prepare(settings))
    warm_up(grid)
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
