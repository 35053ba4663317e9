"""All pictures of a comparison together: which there are, their size, their bytes, and names that are odd."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pipeline.comparison.figures.draw import draw
from pipeline.comparison.figures.layout import distinct
from tests.comparison.comparison_cases import ODD_NAMES, SWEPT, grid, has_white_edges, pixels, point, studied, write, write_many

NAMES = ["heatmap", "losses", "y_hat", "disagreements", "confusions", "kernels"]


def test_any_name_is_drawn_as_it_is_with_the_same_bytes_each_time(tmp_path):
    points = [
        point(tmp_path, name, {"data.path": name[:200], "training.iterations": 1 + n}) for n, name in enumerate(ODD_NAMES)
    ]
    for each in points:
        write(each, ODD_NAMES, range(12))
    study = studied(points, ["data.path", "training.iterations"])
    pictures = draw(study, None)
    assert list(pictures) == NAMES and all(pictures.values())
    assert pictures == draw(study, None)
    for picture in pictures.values():
        assert has_white_edges(pixels(picture))
        assert "Software" not in Image.open(io.BytesIO(picture)).info


def test_a_single_image_has_neither_disagreements_nor_confusions(tmp_path):
    points = grid(tmp_path)
    for each in points:
        write(each, images=[0])
    assert [name for name, picture in draw(studied(points, SWEPT), None).items() if picture is None] == NAMES[3:5]


def test_a_single_point_is_compared_with_nothing(tmp_path):
    each = point(tmp_path, "", {"training.iterations": 9})
    write(each)
    pictures = draw(studied([each], SWEPT), None)
    assert [name for name, picture in pictures.items() if picture is None] == ["heatmap", "disagreements"]


@pytest.mark.parametrize(("count", "sizes", "iterations"), [(2, 20, 3), (2, 3, 40), (100, 3, 3)])
def test_no_picture_is_taller_than_a_screen(tmp_path, count, sizes, iterations):
    points = grid(tmp_path, range(1, 2 * sizes, 2), (0.1, 0.2, 0.3, 0.5), range(1, iterations + 1))
    write(points[0], [f"class {j}" for j in range(count)], range(count))
    write_many(points, lambda number: number / 1000, [f"class {j}" for j in range(count)])
    pictures = draw(studied(points, SWEPT), np.zeros((count, 8, 8)))
    # All of these records have the same vectors.
    assert pictures.pop("disagreements") is None
    for name, picture in pictures.items():
        assert pixels(picture).shape[0] <= 1000 and pixels(picture).shape[1] <= 1700, name


def test_only_points_of_the_best_ones_classes_are_drawn(tmp_path):
    points = [
        point(tmp_path, name, {"training.iterations": n + 1, "data.path": name})
        for n, name in enumerate(("one", "two", "three"))
    ]
    for each, classes in zip(points, (("ant", "bee"), ("ant", "bee", "cat"), ("ant", "bee", "cat")), strict=True):
        write(each, classes, metrics={"validation_accuracy": len(classes) / 10})
    study = studied(points, ["data.path"])
    assert [row.points for row in study.rows] == [("two",), ("three",)]
    assert all(draw(study, None).values())


def test_rows_are_in_the_order_of_their_settings_and_the_best_ones_are_kept(tmp_path):
    points = [point(tmp_path, f"{k} {n}", {SWEPT[2]: n, SWEPT[0]: k}) for n in (8, 4, 16) for k in (5, 3)]
    for number, each in enumerate(points):
        write(each, metrics={"validation_accuracy": number / 10})
    study = studied(points, [SWEPT[2], SWEPT[0]])
    assert study.names == ("kernel_size", "iterations")
    assert [row.values for row in study.rows] == [(3, 4), (3, 8), (3, 16), (5, 4), (5, 8), (5, 16)]
    assert [row.values for row in study.first(2)] == [(3, 16), (5, 16)]
    assert study.best.values == (3, 16) and study.words(study.best) == "kernel_size 3, iterations 16"
    assert distinct([5, None, 3, 5]) == [None, 3, 5] and distinct(["b", "a", "b"]) == ["b", "a"]


@pytest.mark.slow
def test_drawing_needs_no_matplotlib():
    code = "import pipeline.comparison.figures, sys; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
