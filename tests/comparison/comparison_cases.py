"""Records made up for comparisons, one by one or by the hundred; and what their pictures and tables are compared with."""

import hashlib
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from pipeline.comparison.axes import values_of
from pipeline.comparison.compare import side_by_side
from pipeline.comparison.figures.layout import Study, study
from pipeline.heads.head import Head
from pipeline.records.record import Record, read_record, write_record
from pipeline.settings import PathSettings, Settings
from pipeline.sweep.point import Point
from pipeline.training.result import Result, Vectors
from tests.helpers.records import mend

SWEPT = ["model.kernel_size", "training.alpha", "training.iterations"]
ODD_NAMES = ("Ankle boot", "$\\frac{", 'q",', "line\nbreak", "é Ж 中", "x" * 300)


def point(folder: Path, name: str, values: dict[str, object]) -> Point:
    """A point that has these values of settings, `training.alpha` and the like; its trajectory is named by the others."""
    settings = Settings("made", paths=PathSettings(str(folder)))
    for key, value in values.items():
        group, _, last = key.rpartition(".")
        inner = replace(getattr(settings, group), **{last: value}) if group else value
        settings = replace(settings, **{group or last: inner})
    trajectory = " ".join(str(value) for key, value in values.items() if key != "training.iterations") or "only"
    return Point(settings, name, Path("unused.npz"), None, trajectory)


def write(point: Point, classes=("ant", "bee"), images=range(6), filters=1, metrics=None) -> Record:
    """Leave a record of this point: made-up numbers, the same for the same arguments."""
    random = np.random.default_rng([point.iterations, len(classes), filters])
    count, size = len(classes), point.settings.model.kernel_size or 3
    shape = (filters, size, size)
    heads = tuple(Head(random.normal(size=shape), np.zeros(filters), np.zeros((filters, 2, 2)), np.array(0.0)) for _ in classes)
    images = np.array(images)
    vectors = Vectors(images, images % count, random.uniform(size=(len(images), count)) ** 9)
    splits = {"train": 20, "validation": 5, "test": len(images)}
    found = {"train_loss": 0.25, "validation_accuracy": 0.5, "test_accuracy": 0.75, "dead_heads": 0} | (metrics or {})
    digest = hashlib.sha256(repr(point.settings.data).encode()).hexdigest()
    result = Result(point.iterations, digest, splits, found, tuple({"class": name} for name in classes))
    losses = np.geomspace(1, 0.01, point.iterations)[:, None] * random.uniform(0.5, 1, (point.iterations, count))
    write_record(point.folder, point.settings, (result, vectors), losses, heads)
    return read_record(point.folder)


def grid(folder: Path, kernel_sizes=(3, 5), alphas=(0.1, 0.5), iterations=(4, 8)) -> list[Point]:
    """Points of three swept settings, without records."""
    return [
        point(folder, f"kernel_size={k} alpha={a} iterations={n}", dict(zip(SWEPT, (k, a, n), strict=True)))
        for k in kernel_sizes for a in alphas for n in iterations
    ]  # fmt: skip


def write_many(points: list[Point], accuracy, classes=("ant", "bee")) -> None:
    """A record for each point, quickly: the files of one, result.json varied. accuracy: of a point's number."""
    first = write(points[0], classes)
    plain = first.result.plain()
    for number, each in enumerate(points):
        if number:
            each.folder.mkdir(parents=True)
            for path in first.folder.iterdir():
                if path.name != "result.json":
                    os.link(path, each.folder / path.name)
        plain["metrics"]["validation_accuracy"] = accuracy(number)
        (each.folder / "result.json").unlink(missing_ok=True)
        (each.folder / "result.json").write_text(json.dumps(plain))
        mend(each.folder)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def places(picture: np.ndarray, tile: np.ndarray) -> list[tuple[int, int]]:
    """Where a tile stands in a picture."""
    height, width, _ = tile.shape
    rows, columns = picture.shape[0] - height + 1, picture.shape[1] - width + 1
    possible = np.ones((rows, columns), bool)
    # Few places survive a look at some of the tile's pixels; those are compared whole.
    for y, x in zip(np.linspace(0, height - 1, 12, dtype=int), np.linspace(width - 1, 0, 12, dtype=int), strict=True):
        possible &= (picture[y : y + rows, x : x + columns] == tile[y, x]).all(axis=2)
    found = [(int(y), int(x)) for y, x in zip(*np.nonzero(possible), strict=True)]
    return [(y, x) for y, x in found if (picture[y : y + height, x : x + width] == tile).all()]


def joined_by_pandas(records) -> bytes:
    """What the table is by definition: an outer join over image and target, a column a point and class."""
    parts = [record.y_hat.set_index(["image", "target"]).add_prefix(f"{name} ") for name, record in records.items()]
    return pd.concat(parts, axis=1).copy().reset_index().to_csv(index=False, lineterminator="\n").encode()


def studied(points: list[Point], swept: list[str], records=None) -> Study:
    """What pictures of these points are drawn from."""
    records = records or {each.name: read_record(each.folder) for each in points}
    rows = [values_of(each.settings, swept) for each in points]
    found = side_by_side(records, rows, swept)
    return study(found.summary, found.records, found.best)


def box(picture: np.ndarray, colour) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the pixels that have exactly this colour."""
    ys, xs = np.nonzero((picture == np.asarray(colour)).all(axis=2))
    return int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max())


def has_white_edges(picture: np.ndarray) -> bool:
    return all((edge == 255).all() for edge in (picture[:3], picture[-3:], picture[:, :3], picture[:, -3:]))
