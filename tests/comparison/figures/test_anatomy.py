"""The picture of what heads see: its tiles are the arrays, its bars y-hat, and it is the same each time."""

import itertools

import numpy as np
import pytest

from pipeline.comparison.explanation import explain
from pipeline.comparison.figures import anatomy
from pipeline.comparison.figures.anatomy import BAR, LOST, anatomy_png, limits_of, notes_of, row_of, side_of, tile
from pipeline.comparison.figures.colours import coloured, red_blue
from tests.comparison.comparison_cases import ODD_NAMES, pixels, places
from tests.helpers.heads import random_head


def shown(heads=3, filters=1, size=3, shape=(8, 6), names=None):
    random = np.random.default_rng(0)
    found = [random_head(random, filters, size, shape) for _ in range(heads)]
    return explain(found, names or [f"class {j}" for j in range(heads)], random.integers(0, 17, shape, np.uint8), 16.0)


@pytest.mark.parametrize(("heads", "filters"), [(3, 1), (3, 4), (7, 1)])
def test_every_step_of_every_head_stands_in_its_row_and_column(heads, filters):
    one = shown(heads, filters)
    picture = pixels(anatomy_png(one, "a title"))
    rows = [row_of(one, j) for j in range(heads)]
    side = anatomy.side_of(rows)
    assert side == (anatomy.LARGE_TILE if heads <= anatomy.FEW else anatomy.TILE)
    corners = []
    for row in rows:
        found = [places(picture, tile(maps, limit, side)) for maps, limit in zip(row.maps, limits_of(rows), strict=True)]
        assert all(found), row.name
        corners.append([place[0] for place in found])
    ys, xs = np.array(corners)[..., 0], np.array(corners)[..., 1]
    assert (np.diff(xs, axis=1) > 0).all() and (np.diff(ys, axis=0) > 0).all()
    assert picture.shape[0] <= 1000 and picture.shape[1] <= 1300


def test_a_tile_is_its_map_in_colours_and_lost_places_are_grey():
    seen = shown().forwards[0]
    maps = np.where(seen.winners, seen.feature_map, np.nan)
    drawn = tile(maps, 5.0, 64)
    step = drawn.shape[0] // 8
    assert drawn.shape == (8 * step, 6 * step, 3)
    for (i, j), value in np.ndenumerate(maps[0]):
        expected = LOST if np.isnan(value) else coloured(np.array(value), -5.0, 5.0, red_blue()).tolist()
        assert drawn[i * step + step // 2, j * step + step // 2].tolist() == list(expected)
    assert max(tile(np.zeros((9, 300, 200)), 1.0, 64).shape) <= 64
    assert tile(np.ones((1, 1, 1)), 1.0, 64).shape == (64, 64, 3)


def test_maps_keep_their_pixels_as_long_as_a_screen_has_room():
    one = shown(heads=10, filters=8, shape=(28, 28))
    rows = [row_of(one, j) for j in range(10)]
    assert side_of(rows) == 86 and pixels(anatomy_png(one)).shape[0] <= 1050
    assert tile(rows[0].maps[1], 1.0, 86).shape == (86, 86, 3)


def test_the_image_is_drawn_in_grey():
    one = shown()
    grey = anatomy.image_tile(one)
    step = grey.shape[0] // 8
    assert places(pixels(anatomy_png(one)), grey)
    small = grey[step // 2 :: step, step // 2 :: step, 0]
    levels = one.image.astype(float) - one.image.min()
    assert (small == (levels / levels.max() * 255).astype(np.uint8)).all()


def test_a_bar_is_as_long_as_y_hat():
    one = shown()
    picture = pixels(anatomy_png(one))
    blue = (picture == (33, 102, 172)).all(axis=2)
    assert blue.any()
    lengths = [int(length) for length in blue[:, -BAR - 20 :].sum(axis=1) if length]
    found = [lengths[0], *(b for a, b in itertools.pairwise(lengths) if a != b)]
    expected = [round(BAR * float(seen.y_hat)) + 1 for seen in one.forwards]
    assert [abs(a - b) for a, b in zip(found, expected, strict=True)] == [0] * len(expected)


def test_of_many_heads_and_kernels_those_that_count_are_drawn_and_it_is_said():
    one = shown(heads=20, filters=12, names=[f"{j}" for j in range(20)])
    rows = pixels(anatomy_png(one))
    assert rows.shape[0] <= 1100
    said = notes_of(one, anatomy.MOST_HEADS)
    assert said[1:] == ["the 12 of 20 heads with the largest y-hat", "of 12 kernels a head, the 9 that move its logit most"]
    row = row_of(one, 3)
    moves = np.abs(one.forwards[3].contributions.sum(axis=(1, 2)))
    assert sorted(np.abs(row.maps[5].sum(axis=(1, 2)))) == sorted(np.sort(moves)[-9:])


@pytest.mark.parametrize("shape", [(2, 2), (3, 40), (64, 64)])
def test_any_shape_and_name_is_drawn_with_the_same_bytes_each_time(shape):
    one = shown(heads=6, size=1, shape=shape, names=list(ODD_NAMES))
    assert anatomy_png(one) == anatomy_png(one)
    still = explain(one.heads, one.classes, np.zeros(shape), 1.0)
    assert still._repr_png_().startswith(b"\x89PNG")
