"""Stage train: one point, or a sweep of many, composed and launched by Hydra.

python -m pipeline.train data=digits model.kernel_size=5
python -m pipeline.train -m model.kernel_size=3,5 training.alpha=0.5,1
python -m pipeline.train experiment=digits
"""

import os
import shutil
import sys
import warnings
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

import hydra
import numpy as np
from hydra._internal.utils import get_args_parser

from . import compare, console, job, project
from .data.dataset import TRAIN, DataError, Dataset
from .data.prepared import prepare
from .grid import Grid, compose_grid, explain, write_grid
from .job import Plan
from .progress import Board, bar
from .records.fingerprint import point_folder
from .records.record import read_record
from .settings import Settings, SettingsError
from .tracking import log, runs
from .tracking.store import Store, check_store, open_store


def main(arguments: list[str]) -> int:
    """Run the stage; its exit code: 0, or 1 when a point failed. Bad settings raise before anything is written."""
    args = get_args_parser().parse_args(arguments)
    if args.help or args.hydra_help or args.cfg or args.info or args.shell_completion:
        return _hydra(arguments)
    grid = compose_grid(args)
    check(grid)
    return sweep(grid, arguments) if grid.multirun else single(grid, arguments)


def check(grid: Grid) -> None:
    """Prepare the data of every point and hold the settings against it. SettingsError or DataError, a line a fault."""
    check_store(grid.first.tracking)
    swept, found = grid.swept(), []
    for point in grid.points:
        name = f"{job.point_name(point, swept)}: " if swept else ""
        try:
            found += [name + fault for fault in data_faults(point, prepare(point))]
        except DataError as error:
            found.append(str(error))
    if found:
        raise SettingsError(list(dict.fromkeys(found)))


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
    """Many points under one parent run, then their comparison."""
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
    board = Board(output / "progress")
    text = str(output).replace("'", "\\'")
    arguments.append(f"hydra.{'sweep' if grid.multirun else 'run'}.dir='{text}'")
    try:
        with bar(board, plan.points, plan.iterations):
            yield board
    finally:
        shutil.rmtree(output / "progress.old", ignore_errors=True)


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
