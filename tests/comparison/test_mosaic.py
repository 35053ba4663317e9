"""Pictures of many small matrices: every pixel is the colour of a number."""

import numpy as np
import pytest
from matplotlib import colormaps

from pipeline.comparison.labels import column_width, label, widest
from pipeline.comparison.mosaic import (
    GAP,
    MOST_FILTERS,
    MOST_HEADS,
    TILE,
    WIDEST_TILE,
    Sheet,
    coloured,
    kernel_mosaic,
    kernel_tile,
    kernels_png,
    kernels_sheet_png,
    matrix_mosaic,
    red_blue,
)  # fmt: skip
from pipeline.heads.head import Head
from tests.comparison.comparison_cases import ODD_NAMES, pixels, places

RANDOM = np.random.default_rng(0)
WHITE = [255, 255, 255]


def heads(count: int, filters=1, size=3) -> list[Head]:
    shape = (filters, size, size)
    return [Head(RANDOM.normal(size=shape), np.zeros(filters), np.zeros((filters, 1, 1)), np.array(0.0)) for _ in range(count)]


def test_the_colours_are_matplotlibs():
    theirs = colormaps["RdBu_r"](np.arange(256), bytes=True)[:, :3].astype(int)
    assert np.abs(red_blue().astype(int) - theirs).max() <= 1


def test_a_value_has_the_colour_of_its_place_and_none_is_white():
    shades = np.arange(768, dtype=np.uint8).reshape(256, 3)
    found = coloured(np.array([-1.0, 0.0, 1.0, np.nan, 5.0]), -1.0, 1.0, shades)
    assert found.tolist() == [shades[0].tolist(), shades[128].tolist(), shades[255].tolist(), WHITE, shades[255].tolist()]


@pytest.mark.parametrize("size", [1, 3, 5, 7, 11])
def test_every_tap_is_a_square_in_its_colour(size):
    kernel = RANDOM.normal(size=(1, size, size)) * 1e-3
    tile, side = kernel_tile(kernel), TILE // size
    assert tile.shape == (side * size, side * size, 3)
    expected = coloured(kernel[0], -np.abs(kernel).max(), np.abs(kernel).max(), red_blue())
    for y, x in np.ndindex(size, size):
        assert (tile[y * side : (y + 1) * side, x * side : (x + 1) * side] == expected[y, x]).all()


def test_the_largest_tap_is_darkest_and_zeros_are_pale():
    tile = kernel_tile(np.array([[[2.0, 0, 0], [0, 0, 0], [0, 0, -2.0]]]))
    assert tile[0, 0].tolist() == [103, 0, 31]
    assert tile[-1, -1].tolist() == [5, 48, 97]
    assert (kernel_tile(np.zeros((1, 3, 3))) >= 240).all()


def test_many_filters_have_white_between_them():
    kernel = np.ones((5, 3, 3))
    tile = kernel_tile(kernel)
    side = tile.shape[1] // 11
    small = tile[::side, ::side]
    assert small.shape == (7, 11, 3)
    assert (small[3] == 255).all()
    assert (small[:, [3, 7]] == 255).all()
    assert (small[4:, 8:] == 255).all()
    assert (small[:3, :3] == [103, 0, 31]).all()


@pytest.mark.parametrize("shape", [(1024, 5, 5), (1, 301, 301), (64, 11, 11)])
def test_a_tile_never_becomes_endless(shape):
    assert max(kernel_tile(np.zeros(shape)).shape) <= WIDEST_TILE
    assert MOST_FILTERS < 1024


def test_a_mosaic_holds_every_tile_in_the_middle_of_its_place():
    rows = [[head.kernel for head in heads(3, size=size)] for size in (3, 7)]
    picture, sheet = kernel_mosaic(rows)
    assert picture.shape[:2] == sheet.shape == (2 * TILE + GAP, 3 * TILE + 2 * GAP)
    for r, row in enumerate(rows):
        for c, kernel in enumerate(row):
            tile, margin = kernel_tile(kernel), (0, 3)[r]
            assert places(picture, tile) == [(r * (TILE + GAP) + margin, c * (TILE + GAP) + margin)]
    assert (picture[TILE : TILE + GAP] == 255).all()


def test_matrices_lie_where_the_sheet_says():
    matrices, shades = RANDOM.uniform(size=(5, 4, 4)), colormaps["viridis"](np.arange(256), bytes=True)[:, :3]
    sheet = Sheet(5, 3, (8, 8), (20, 11))
    picture = matrix_mosaic(matrices, sheet, shades)
    assert picture.shape == (28, 30, 3)
    for index, matrix in enumerate(matrices):
        y, x = sheet.corner(index)
        assert (picture[y : y + 8 : 2, x + 1 : x + 8 : 2] == coloured(matrix, 0, 1, shades)).all()
    assert (picture[20:, 22:] == 255).all()


def test_one_points_picture_shows_its_kernels_in_order_and_the_same_bytes_each_time():
    drawn = [head.kernel for head in heads(4)]
    png = kernels_png(drawn, ["a", "b", "c", "d"])
    assert png == kernels_png(drawn, ["a", "b", "c", "d"])
    picture = pixels(png)
    [found] = zip(*(places(picture, kernel_tile(kernel)) for kernel in drawn), strict=True)
    assert [x for _, x in found] == sorted(x for _, x in found)
    assert len({y for y, _ in found}) == 1


@pytest.mark.parametrize("classes", [[str(j) for j in range(30)], [f"a rather long name {j}" for j in range(30)], ODD_NAMES])
def test_names_are_written_over_their_tiles_and_nothing_reaches_the_edge(classes):
    drawn = heads(len(classes), size=5)
    rows = {f"kernel_size=5 alpha={j}": [head.kernel for head in drawn] for j in range(3)}
    picture = pixels(kernels_sheet_png(rows, classes, "a note"))
    for edge in (picture[:3], picture[-3:], picture[:, :3], picture[:, -3:]):
        assert (edge == 255).all()
    for head in drawn[:MOST_HEADS]:
        (y, x), *_ = places(picture, kernel_tile(head.kernel))
        assert (picture[y - 30 : y - 2, x : x + TILE] < 128).any()
    assert all(places(picture, kernel_tile(head.kernel)) == [] for head in drawn[MOST_HEADS:])


def test_labels_are_printable_short_and_keep_both_ends():
    assert [label(name) for name in ("plain", "$\\frac{", "a\tb", "")] == ["plain", "$\\frac{", "a\\tb", ""]
    assert label("\udc80") == "\\udc80"
    cut = label("start" + "x" * 300 + "end", 20)
    assert (len(cut), cut[:5], cut[-3:]) == (20, "start", "end")


def test_columns_are_as_wide_as_their_names_or_the_names_stand_upright():
    names = ["Ankle boot", "Bag"]
    assert column_width(names, 11, 2, 20) == (widest(names, 11) + 8, False)
    assert column_width(names, 11, 2, 200) == (200, False)
    assert column_width(names, 11, 30, 20) == (20, True)
