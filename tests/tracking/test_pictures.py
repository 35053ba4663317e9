"""The pictures that MLflow's pages put side by side: their colours are the record's numbers."""

import numpy as np
import pytest

from pipeline.comparison.figures.colours import as_colour, coloured, oranges, red_blue
from pipeline.tracking.parent import command
from pipeline.tracking.pictures import MATRIX, kernels_picture, mean_y_hat, pictures, y_hat_picture
from tests.helpers.tracking import make_points, make_record


@pytest.fixture
def record(tmp_path):
    """Three classes, of which the last has no image."""
    [point] = make_points(tmp_path, 1, classes=["a", "b", "long name"])
    return make_record(point, images=5)


def test_a_matrix_holds_the_mean_y_hat_of_each_class(record):
    table, means = record.y_hat, mean_y_hat(record)
    for row, name in enumerate(record.classes):
        for column, other in enumerate(record.classes):
            expected = table.loc[table["target"] == name, f"y_hat_{other}"].mean()
            assert means[row, column] == pytest.approx(expected, nan_ok=True)
    picture, cell = np.asarray(y_hat_picture(record)), MATRIX // 3
    corner = picture.shape[0] - cell * 3 - 8
    colours = coloured(means, 0.0, 1.0, oranges())
    for row, column in np.ndindex(3, 3):
        y, x = (corner + cell // 2 + cell * place for place in (row, column))
        assert as_colour(picture[y, x]) == as_colour(colours[row, column])


def test_kernels_are_red_where_they_let_light_through(record):
    found = {as_colour(pixel) for pixel in np.asarray(kernels_picture(record)).reshape(-1, 3)}
    for kernel in record.kernels:
        limit = np.abs(kernel).max()
        for tap in kernel.ravel():
            assert as_colour(coloured(np.array(tap), -limit, limit, red_blue())) in found


def test_a_record_has_the_same_files_each_time(record):
    first = pictures(record, 7)
    assert first == pictures(record, 7)
    assert sorted(first) == [
        "images/kernels+step+0+timestamp+7+0+compressed.webp", "images/kernels+step+0+timestamp+7+0.png",
        "images/mean y_hat+step+0+timestamp+7+0+compressed.webp", "images/mean y_hat+step+0+timestamp+7+0.png",
    ]  # fmt: skip


def test_a_command_is_shown_without_its_password(monkeypatch):
    monkeypatch.setattr(
        "sys.argv", ["/x/bin/ovrcnn", "train", "-m", "model.kernel_size=3,5", "tracking.uri=http://me:secret@host:1"]
    )
    assert command() == "ovrcnn train -m model.kernel_size=3,5 tracking.uri=http://host:1"
    monkeypatch.setattr("sys.argv", ["/x/pipeline/train.py", "a=b c"])
    assert command() == "python -m pipeline.train 'a=b c'"
