"""Records made up for comparisons, one by one or by the hundred."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.heads.head import Head
from pipeline.records.record import Record, read_record, write_record
from pipeline.settings import PathSettings, Settings
from pipeline.sweep.point import Point
from pipeline.training.result import Result, Vectors

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
    count, size = len(classes), point.settings.model.kernel_size
    shape = (filters, size, size)
    heads = tuple(Head(random.normal(size=shape), np.zeros(filters), np.zeros((filters, 2, 2)), np.array(0.0)) for _ in classes)
    images = np.array(images)
    vectors = Vectors(images, images % count, random.uniform(size=(len(images), count)) ** 9)
    splits = {"train": 20, "validation": 5, "test": len(images)}
    found = {"train_loss": 0.25, "validation_accuracy": 0.5, "test_accuracy": 0.75, "dead_heads": 0} | (metrics or {})
    result = Result(point.iterations, "d" * 64, splits, found, tuple({"class": name} for name in classes))
    losses = np.geomspace(1, 0.01, point.iterations)[:, None] * random.uniform(0.5, 1, (point.iterations, count))
    write_record(point.folder, point.settings, (result, vectors), losses, heads)
    return read_record(point.folder)


def grid(folder: Path, kernel_sizes=(3, 5), alphas=(0.1, 0.5), iterations=(4, 8)) -> list[Point]:
    """Points of three swept settings, without records."""
    return [
        point(folder, f"kernel_size={k} alpha={a} iterations={n}", dict(zip(SWEPT, (k, a, n), strict=True)))
        for k in kernel_sizes for a in alphas for n in iterations
    ]  # fmt: skip


SWEPT = ["model.kernel_size", "training.alpha", "training.iterations"]


def write_many(points: list[Point], accuracy) -> None:
    """A record for each point, quickly: the files of one, result.json varied. accuracy: of a point's number."""
    first = write(points[0])
    plain = first.result.plain()
    for number, each in enumerate(points):
        if number:
            each.folder.mkdir(parents=True)
            for path in first.folder.iterdir():
                if path.name != "result.json":
                    os.link(path, each.folder / path.name)
        plain["metrics"]["validation_accuracy"] = accuracy(number)
        (each.folder / "result.json").write_text(json.dumps(plain))
