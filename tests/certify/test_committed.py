"""The committed experiments' numbers are those that this code computes, to the last bit."""

import numpy as np
import pytest

from pipeline.records.record import read_csv
from pipeline.sweep.grid import read_grid
from pipeline.sweep.point import group
from pipeline.sweep.points import points_of
from pipeline.training.block import Task, start, train_block
from tests.helpers.commands import ROOT


@pytest.mark.parametrize("name", ["digits", "notebook_grid"])
def test_every_point_of_points_csv_comes_out_again(name):
    folder = ROOT / "experiments" / name
    path = folder / "points.csv"
    table = read_csv(path, path.read_bytes()).set_index("record")
    points = points_of(read_grid(folder), write=False)
    assert len(points) == len(table) == 27
    for trajectory in group(points):
        first, heads = 0, start(trajectory.last.settings, trajectory.last.dataset)
        for point in trajectory.points:
            done = train_block(Task(point.settings, heads, first, point.iterations, True, -1), point.dataset)
            first, heads = point.iterations, done.heads
            row = table.loc[f"points/{point.key}"]
            metrics = done.point[0].metrics
            wrong = [key for key, value in metrics.items() if np.float64(value) != row[key]]
            assert {*metrics} <= {*table.columns} and wrong == [], (point.name, wrong)
