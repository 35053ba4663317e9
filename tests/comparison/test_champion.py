"""The best point's files under names that stay: a record like any other, and what is plotted of it."""

import numpy as np
import pandas as pd

from pipeline.comparison.champion import MOST_ROWS
from pipeline.comparison.compare import compare
from tests.comparison.comparison_cases import ODD_NAMES, SWEPT, grid, write
from tests.helpers.commands import contents
from tests.helpers.records import record_files


def test_it_is_the_best_points_record_and_follows_it(tmp_path):
    points = grid(tmp_path)
    for number, each in enumerate(points):
        write(each, metrics={"validation_accuracy": number / 10})
    for best in (points[-1], points[0]):
        write(best, metrics={"validation_accuracy": 0.95 if best is points[0] else 0.9})
        comparison = compare(points, tmp_path / "out", SWEPT)
        assert comparison.best == best.name
        assert contents(tmp_path / "out" / "champion") == record_files(best.folder)


def test_what_is_plotted_agrees_with_the_record(tmp_path):
    [point] = grid(tmp_path, (3,), (0.1,), (3 * MOST_ROWS + 1,))
    record = write(point, classes=ODD_NAMES, images=range(20))
    compare([point], tmp_path, SWEPT)
    losses = pd.read_csv(tmp_path / "plots" / "losses.csv")
    assert len(losses) == MOST_ROWS and losses["iteration"].iloc[-1] == point.iterations
    stretches = np.diff(losses["iteration"], prepend=0)
    assert set(stretches) == {3, 4}
    # The means of all stretches, weighed, are the mean of all.
    np.testing.assert_allclose((losses["loss"] * stretches).sum() / point.iterations, record.losses.mean(), rtol=1e-12)
    np.testing.assert_allclose(losses["loss"][0], record.losses[: stretches[0]].mean(), rtol=1e-12)
    answers = pd.read_csv(tmp_path / "plots" / "confusion.csv", keep_default_na=False)
    y_hat = record.y_hat
    assert answers["actual"].tolist() == y_hat["target"].tolist() and len(answers) == 20
    largest = y_hat.drop(columns=["image", "target"]).to_numpy().argmax(axis=1)
    assert answers["predicted"].tolist() == [record.classes[j] for j in largest]
