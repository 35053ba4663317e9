"""Before the first point: everything wrong with any of them, a line each; data prepared, the engine compiled."""

import sys
import time
from pathlib import Path

import numpy as np

from ..base import console
from ..base.files import FileError
from ..data.dataset import TRAIN, DataError, Dataset
from ..data.prepared import load, prepare, prepared_path, read, write
from ..settings import Settings, SettingsError
from ..tracking.store import check_store
from . import job
from .grid import Grid


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
        if isinstance(dataset, Dataset) and not isinstance(dataset.images, np.memmap):
            write(path, dataset)


def _read_or_load(settings: Settings) -> Dataset | DataError:
    """The data without a trace on disk: nothing is written before every point is known to be good."""
    try:
        return read(prepared_path(settings))
    except FileError:
        pass
    try:
        return load(settings)
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


def warn_absent(grid: Grid) -> None:
    """Say which classes have no image for training, in any data of the grid: their heads can only learn to say no."""
    for path, point in {prepared_path(point): point for point in grid.points}.items():
        dataset = prepare(point)
        members = np.bincount(dataset.labels[dataset.split == TRAIN], minlength=len(dataset.classes))
        absent = [name for name, count in zip(dataset.classes, members, strict=True) if count == 0]
        if absent and dataset.count(TRAIN) > 1:
            console.say(f"warning: no image for training of class {', '.join(absent)} in {path.name}", error=True)


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
        from ..heads.compiled import engine as numba_engine

        if sys.stderr.isatty():
            print(f"{console.CLEAR_LINE}preparing the engine {number}/{len(needed)}", end="", file=sys.stderr, flush=True)
        began = time.monotonic()
        numba_engine.warm_up(dtype, size, stored)
        seconds = time.monotonic() - began
        if seconds > 1:
            console.say(f"compiled the engine for kernel size {size}, {dtype}, in {seconds:.1f} s; kept for later runs")
    if needed and sys.stderr.isatty():
        print(console.CLEAR_LINE, end="", file=sys.stderr, flush=True)
