"""From settings to points: data read, everything that is wrong with any point said at once, nothing written before."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..base import console
from ..base.errors import DataError, FileError, SettingsError
from ..base.text import quoted_if_blank
from ..data import prepared
from ..data.dataset import TRAIN, Dataset
from ..data.input import sides
from ..heads.batches import too_large
from ..records.fingerprint import trajectory
from ..settings import DataSettings, Settings, largest_kernel
from .grid import Grid
from .jobs import said_once
from .point import Point

DataKey = tuple[DataSettings, int, Path]


@dataclass(frozen=True)
class Data:
    """One data set of a sweep. path: its prepared file. dataset: what it holds, or why there is none. is_prepared: whether it
    was read from that file."""

    path: Path
    dataset: Dataset | DataError
    is_prepared: bool = False


def points_of(grid: Grid, write: bool = True) -> tuple[Point, ...]:
    """The points of a grid, made once. SettingsError or DataError, a line a fault, with nothing written.

    write: whether data that is not prepared yet is written once every point is known to be good.
    """
    found = [("", f"name: {folder} is a link; it must be a folder of its own") for folder in _links(grid.points)]
    data = _read_all(grid.points)
    for settings in grid.points:
        dataset = data[_key(settings)].dataset
        name = grid.name(settings) if grid.swept else ""
        if isinstance(dataset, DataError):
            found.append(("", str(dataset)))
        else:
            found += [(name, fault) for fault in data_faults(settings, dataset)]
    if found:
        raise SettingsError(said_once(found))
    datasets = {key: (entry.path, _written(entry, write)) for key, entry in data.items()}
    return tuple(_point(settings, grid, *datasets[_key(settings)]) for settings in grid.points)


def _links(points: Iterable[Settings]) -> list[Path]:
    """Experiments that lie elsewhere than they seem to: what is written there would leave paths.experiments."""
    return [folder for folder in dict.fromkeys(point.folder for point in points) if folder.is_symlink()]


def data_faults(settings: Settings, dataset: Dataset) -> list[str]:
    """Settings that this data does not allow, a line each."""
    found = []
    size, images = settings.model.kernel_size, dataset.count(TRAIN)
    if size is not None and size > min(dataset.image_shape):
        most = largest_kernel(dataset.image_shape)
        found.append(f"model.kernel_size: must be at most {most} for {sides(dataset.image_shape)} images, not {size}")
    if images == 0:
        found.append("data.validation: leaves no image for training; make it smaller")
    return found


def warn_of_batches(points: Iterable[Point]) -> None:
    """Say which batches are larger than the images for training: they are all of them."""
    pairs = {(point.settings.training.batch_size, point.dataset.count(TRAIN)): None for point in points}
    for text in filter(None, (too_large(size, images) for size, images in pairs)):
        console.say(f"warning: training.{text}", error=True)


def warn_of_absent(points: Iterable[Point]) -> None:
    """Say which classes have no image for training, in any data of the points: their heads can only learn to say no."""
    for path, dataset in {point.data: point.dataset for point in points}.items():
        members = np.bincount(dataset.labels[dataset.split == TRAIN], minlength=len(dataset.classes))
        absent = [quoted_if_blank(name) for name, count in zip(dataset.classes, members, strict=True) if count == 0]
        if absent and dataset.count(TRAIN) > 1:
            console.say(f"warning: no image for training of class {', '.join(absent)} in {path.name}", error=True)


def changed_sources(points: Iterable[Point]) -> list[str]:
    """What to say of data whose files are not what they were when these points were made of them, a line each."""
    ones = {point.settings.data.path: point for point in points}.values()
    return [
        f"warning: {point.dataset.name} was replaced or written meanwhile; these points were trained on what it held before, "
        "the next command reads it anew"
        for point in ones
        if prepared.prepared_path(point.settings) != point.data
    ]


def _key(settings: Settings) -> DataKey:
    return settings.data, settings.seed, settings.folder


def _read_all(points: Iterable[Settings]) -> dict[DataKey, Data]:
    """Each data set of the points once, without a trace on disk."""
    found: dict[DataKey, Data] = {}
    for settings in points:
        if _key(settings) in found:
            continue
        path = prepared.prepared_path(settings)
        try:
            found[_key(settings)] = Data(path, prepared.read(path), True)
        except FileError:
            try:
                found[_key(settings)] = Data(path, prepared.load(settings))
            except DataError as error:
                found[_key(settings)] = Data(path, error)
    return found


def _written(data: Data, write: bool) -> Dataset:
    """The data set from its prepared file, so that all of the machine's workers share its images, and whatever becomes of its
    source, they stay."""
    assert isinstance(data.dataset, Dataset)
    if not write or data.is_prepared:
        return data.dataset
    prepared.write(data.path, data.dataset)
    return prepared.read(data.path)


def _point(settings: Settings, grid: Grid, path: Path, dataset: Dataset) -> Point:
    return Point(settings, grid.name(settings), path, dataset, trajectory(settings, dataset.digest))
