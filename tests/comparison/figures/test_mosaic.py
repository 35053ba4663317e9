"""Kernels as pictures: every tap is a square in the colour of its number, on one scale a head."""

import numpy as np
import pytest

from pipeline.comparison.figures.colours import coloured, red_blue
from pipeline.comparison.figures.kernels import kernels, panels, start
from pipeline.comparison.figures.mosaic import APART, LARGE_TILE, MOST_FILTERS, kernel_tile, kernels_png
from pipeline.heads.initial import initial_heads
from tests.comparison.comparison_cases import SWEPT, grid, has_white_edges, pixels, places, point, studied, write

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("size", [1, 3, 5, 7, 11])
def test_every_tap_is_a_square_in_its_colour(size):
    kernel = RANDOM.normal(size=(1, size, size)) * 1e-3
    tile, side = kernel_tile(kernel, 2e-3, 48), 48 // size
    assert tile.shape == (side * size, side * size, 3)
    expected = coloured(kernel[0], -2e-3, 2e-3, red_blue())
    for y, x in np.ndindex(size, size):
        assert (tile[y * side : (y + 1) * side, x * side : (x + 1) * side] == expected[y, x]).all()


def test_the_largest_tap_is_darkest_and_zeros_are_pale():
    tile = kernel_tile(np.array([[[2.0, 0, 0], [0, 0, 0], [0, 0, -2.0]]]), 2.0, 48)
    assert tile[0, 0].tolist() == [103, 0, 31]
    assert tile[-1, -1].tolist() == [5, 48, 97]
    assert (kernel_tile(np.zeros((1, 3, 3)), 0.0, 48) >= 240).all()


def test_many_filters_stand_apart_in_their_order():
    kernel = RANDOM.normal(size=(5, 3, 3))
    tile, step = kernel_tile(kernel, 3.0, 24), 24 + APART
    assert tile.shape == (2 * step - APART, 3 * step - APART, 3)
    for index, one in enumerate(kernel):
        y, x = index // 3 * step, index % 3 * step
        assert (tile[y : y + 24, x : x + 24] == kernel_tile(one[None], 3.0, 24)).all()
    assert (tile[24:step] == 255).all() and (tile[step:, 2 * step :] == 255).all()


@pytest.mark.parametrize("shape", [(1024, 5, 5), (1, 301, 301), (64, 11, 11)])
def test_a_tile_never_becomes_endless(shape):
    assert max(kernel_tile(np.zeros(shape), 1.0, 22).shape) <= 8 * (22 + APART)
    assert MOST_FILTERS < 1024


def test_one_points_kernels_are_large_in_their_order_with_the_same_bytes_each_time():
    drawn = [RANDOM.normal(size=(1, 3, 3)) for _ in range(4)]
    png = kernels_png(drawn, ["a", "b", "c", "d"])
    assert png == kernels_png(drawn, ["a", "b", "c", "d"])
    picture = pixels(png)
    [found] = zip(*(places(picture, kernel_tile(k, np.abs(k).max(), LARGE_TILE)) for k in drawn), strict=True)
    assert [x for _, x in found] == sorted(x for _, x in found) and len({y for y, _ in found}) == 1


@pytest.mark.parametrize(
    ("count", "filters", "missing"), [(100, 1, ""), (10, 32, ""), (1000, 1, "heads"), (3, 200, "filters"), (100, 8, "heads")]
)
def test_many_heads_and_filters_fit_a_screen_and_what_does_not_is_said(monkeypatch, count, filters, missing):
    said = []
    monkeypatch.setattr("pipeline.comparison.figures.mosaic.write_title", lambda canvas, title, note: said.append(note))
    picture = pixels(
        kernels_png([RANDOM.normal(size=(filters, 3, 3)) for _ in range(count)], [f"class {j}" for j in range(count)])
    )
    assert picture.shape[0] <= 1000 and picture.shape[1] <= 1600
    assert ("the first" in said[0]) == bool(missing) and missing in said[0]


def test_a_panel_a_kernel_size_from_the_start_over_the_points_at_the_best_ones_alpha(tmp_path):
    points = grid(tmp_path)
    for number, each in enumerate(points):
        write(each, metrics={"validation_accuracy": number / 10})
    study = studied(points, SWEPT)
    found = panels(study)
    assert [panel.title for panel in found] == ["kernel_size 3, alpha 0.5", "kernel_size 5, alpha 0.5"]
    assert [text for text, _ in found[0].rows] == ["start", "4", "8"]
    begun = [head.kernel for head in initial_heads(0, 2, "he", 1, 3, (8, 8), "float32")]
    assert all((a == b).all() for a, b in zip(found[0].rows[0][1], begun, strict=True))
    picture = pixels(kernels(study))
    tops = []
    for panel in found:
        for _, row in panel.rows:
            tiles = [kernel_tile(kernel, limit, 52) for kernel, limit in zip(row, panel.limits, strict=True)]
            [(y, x)], [(other_y, other_x)] = (places(picture, tile) for tile in tiles)
            assert y == other_y and x < other_x
            tops.append(y)
    assert tops == sorted(tops)
    assert has_white_edges(picture)


def test_where_the_best_ones_alpha_was_not_tried_the_best_of_each_kernel_size_is_shown(tmp_path):
    points = [point(tmp_path, f"{k} {a}", {SWEPT[0]: k, SWEPT[1]: a}) for k, a in ((3, 0.1), (3, 0.2), (5, 0.3))]
    for number, each in enumerate(points):
        write(each, metrics={"validation_accuracy": number / 10})
    titles = [panel.title for panel in panels(studied(points, SWEPT[:2]))]
    assert titles == ["kernel_size 3, alpha 0.2", "kernel_size 5, alpha 0.3"]


@pytest.mark.parametrize(("classes", "filters"), [([str(j) for j in range(13)], 1), (("a", "b"), 4)])
def test_with_many_filters_or_heads_the_best_is_drawn_alone(tmp_path, classes, filters):
    points = [point(tmp_path, f"{n}", {"model.filters": filters, "training.iterations": n}) for n in (1, 2)]
    for number, each in enumerate(points):
        write(each, classes, filters=filters, metrics={"validation_accuracy": number / 10})
    study = studied(points, ["training.iterations"])
    picture = pixels(kernels(study))
    kernel = study.best_record.kernels[0]
    assert len(places(picture, kernel_tile(kernel, np.abs(kernel).max(), LARGE_TILE))) == 1
    assert has_white_edges(picture)


def test_the_notebooks_start_has_the_notebooks_own_kernels(tmp_path):
    each = point(tmp_path, "", {"model.init": "notebook_draws", "model.kernel_size": None})
    record = write(each, "0123")
    expected = initial_heads(0, 4, "notebook_draws", 1, None, (32, 32), "float32")
    assert all((a == b.kernel).all() for a, b in zip(start(record), expected, strict=True))
