"""The picture of the y-hat vectors: means by true class, as colours where they belong."""

import numpy as np
import pytest

from pipeline.base.errors import FileError
from pipeline.comparison import y_hat as module
from pipeline.comparison.mosaic import coloured
from pipeline.comparison.y_hat import class_means, read_y_hat, viridis, y_hat
from pipeline.records.record import read_record
from tests.comparison.comparison_cases import ODD_NAMES, pixels, places, point, write
from tests.helpers.records import mend


def records(folder, classes, images, count=4):
    return {
        f"alpha={a}": write(point(folder, f"alpha={a}", {"training.alpha": a, "training.iterations": a}), classes, images)
        for a in range(1, count + 1)
    }


def test_means_are_taken_by_true_class_and_a_class_without_images_has_none():
    vectors = np.array([[0.2, 0.8, 0.0], [0.4, 0.6, 0.0], [0.1, 0.9, 1.0]])
    found = class_means(vectors, np.array([0, 0, 1]))
    np.testing.assert_allclose(found[:2], [[0.3, 0.7, 0.0], [0.1, 0.9, 1.0]])
    assert np.isnan(found[2]).all()


def test_the_vectors_of_a_record_know_their_classes(tmp_path):
    [record] = records(tmp_path, ("b,", "1", "c"), range(5), 1).values()
    vectors, target = read_y_hat(record)
    assert (vectors.shape, target.tolist()) == ((5, 3), [0, 1, 2, 0, 1])


@pytest.mark.parametrize("classes", [("ant", "bee", "cat"), ODD_NAMES, [f"class {j}" for j in range(30)]])
def test_each_point_has_its_matrix_of_means(tmp_path, classes):
    shown = records(tmp_path, classes, range(2 * len(classes)))
    png = y_hat(shown)
    assert png == y_hat(shown)
    picture, count = pixels(png), len(classes)
    found = []
    for record in shown.values():
        means = coloured(class_means(*read_y_hat(record)), 0, 1, viridis())
        side = max(13, 180 // count)
        [place] = places(picture, means.repeat(side, axis=0).repeat(side, axis=1))
        found.append(place)
    assert found == sorted(found)
    assert found[0][0] == found[2][0] < found[3][0]
    for edge in (picture[:3], picture[-3:], picture[:, :3], picture[:, -3:]):
        assert (edge == 255).all()


@pytest.mark.parametrize("classes", [("0", "1", "2"), [f"a longer name {j}" for j in range(30)]])
def test_one_image_is_a_row_a_point(tmp_path, classes):
    shown = records(tmp_path, classes, [1])
    picture = pixels(y_hat(shown))
    table = coloured(np.concatenate([read_y_hat(record)[0] for record in shown.values()]), 0, 1, viridis())
    wide = max(18, 240 // len(classes))
    assert len(places(picture, table.repeat(30, axis=0).repeat(wide, axis=1))) == 1
    for edge in (picture[:3], picture[-3:], picture[:, :3], picture[:, -3:]):
        assert (edge == 255).all()


def test_the_right_head_of_one_image_is_named(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(module, "y_hat_rows", lambda table, *named: seen.append(named) or b"")
    y_hat(records(tmp_path, ("0", "1", "2"), [4], 2))
    assert seen == [(["alpha=1", "alpha=2"], ["0", "1 (right)", "2"], "head")]


@pytest.mark.parametrize("images", [range(300), [1]])
def test_a_thousand_classes_make_a_picture_of_the_first(tmp_path, images):
    picture = pixels(y_hat(records(tmp_path, [str(j) for j in range(1000)], images, 1)))
    assert max(picture.shape) < 2500


@pytest.mark.parametrize("change", [(b"cat", b"cow"), (b"y_hat_bee", b"y_hat_cow"), (b"0.", b"o.")])
def test_a_damaged_file_is_named(tmp_path, change):
    shown = records(tmp_path, ("ant", "bee", "cat"), range(5), 1)
    path = shown["alpha=1"].folder / "y_hat.csv"
    path.write_bytes(path.read_bytes().replace(*change))
    mend(path.parent)
    shown["alpha=1"] = read_record(path.parent)
    with pytest.raises(FileError, match=r"y_hat\.csv: cannot be read"):
        y_hat(shown)
