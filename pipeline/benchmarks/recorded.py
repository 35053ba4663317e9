"""Thousands of recorded points in seconds: two are trained, the others have their files, and a result of their own."""

import json
import os
from dataclasses import replace

import yaml

from ..base.files import sha256_sums
from ..records.record import SUMS, read_record, recorded
from ..sweep.grid import Grid, read_grid, write_grid
from ..sweep.points import points_of
from .commands import Place

NAME = "recorded"
# What differs between points is written anew; the rest is linked, since no comparison changes it.
VARIED = ("settings.yaml", "result.json", SUMS)
STEP = 0.001


def make_records(place: Place, count: int) -> None:
    """An experiment NAME of two kernel sizes and count / 2 alphas, that `ovrcnn compare name=recorded` takes as its own."""
    place.run("train", "-m", f"name={NAME}", "model.kernel_size=3,5", "training.iterations=2")
    folder = place.experiments / NAME
    trained = {point.settings.model.kernel_size: point.folder for point in points_of(read_grid(folder))}
    held = {size: {path.name: path for path in source.iterdir()} for size, source in trained.items()}
    contents = {size: {name: path.read_bytes() for name, path in files.items()} for size, files in held.items()}
    results = {size: read_record(source).result.plain() for size, source in trained.items()}
    first = read_grid(folder).points
    alphas = [round(STEP * number, 6) for number in range(1, count // 2 + 1)]
    grid = Grid.of(replace(s, training=replace(s.training, alpha=alpha)) for s in first for alpha in alphas)
    write_grid(grid)
    for number, point in enumerate(points_of(grid)):
        size = point.settings.model.kernel_size
        if point.folder == trained[size]:
            continue
        plain = results[size]
        # Accuracies in no order, each its own.
        plain["metrics"]["validation_accuracy"] = (number * 7919 % 10_007) / 10_007
        files = dict(contents[size])
        files["settings.yaml"] = yaml.dump(recorded(point.settings), Dumper=yaml.CSafeDumper, sort_keys=False).encode()
        files["result.json"] = (json.dumps(plain, indent=1) + "\n").encode()
        del files[SUMS]
        files[SUMS] = sha256_sums(files)
        point.folder.mkdir(parents=True)
        for name, path in held[size].items():
            if name in VARIED:
                (point.folder / name).write_bytes(files[name])
            else:
                os.link(path, point.folder / name)
