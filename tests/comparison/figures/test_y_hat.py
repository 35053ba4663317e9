"""Pictures of y-hat vectors: means of the right class, images that points disagree on, confusions."""

from itertools import pairwise

import numpy as np
import pytest

from pipeline.base.errors import FileError
from pipeline.comparison.figures.colours import VERMILION, coloured, viridis
from pipeline.comparison.figures.confusions import confusions, draw_confusions
from pipeline.comparison.figures.disagreements import MOST_HEADS, SCALE, SHOWN, disagreements, draw_disagreements, picture
from pipeline.comparison.figures.scales import logit_scale
from pipeline.comparison.figures.y_hat import TALL, WRITTEN, Vectors, read_y_hat, y_hat, y_hat_text
from pipeline.records.record import read_record
from tests.comparison.comparison_cases import ODD_NAMES, box, has_white_edges, pixels, places, point, studied, write
from tests.helpers.records import mend

SHADES = viridis()


def made(folder, classes, images, count=4):
    """Points of two kernel sizes, and their vectors."""
    keys = ["model.kernel_size", "training.iterations"]
    points = [point(folder, f"{n}", dict(zip(keys, (3 + n // 2 * 2, n + 1), strict=True))) for n in range(count)]
    for each in points:
        write(each, classes, images)
    study = studied(points, keys)
    return study, {name: read_y_hat(record) for name, record in study.records.items()}


def test_means_are_of_the_right_class_and_a_class_without_images_has_none():
    vectors = Vectors(np.arange(3), np.array([0, 0, 1]), np.array([[0.2, 0.8, 0], [0.4, 0.6, 0], [0.1, 0.9, 1]], np.float32))
    np.testing.assert_allclose(vectors.own, [0.3, 0.9, np.nan], rtol=1e-6)


def test_a_row_a_point_and_a_column_a_head_in_logit_colours(tmp_path):
    study, vectors = made(tmp_path, ("ant", "bee", "cat"), range(9))
    shown = pixels(y_hat(study, vectors))
    table = np.stack([vectors[row.points[0]].own for row in study.rows])
    colours = coloured(logit_scale(table).place(table), 0, 1, SHADES)
    found = []
    for row in colours:
        # The upper pixels of a cell, which its number leaves free.
        found.append(places(shown[40:], row[None].repeat(4, axis=0).repeat(WRITTEN, axis=1))[0])
    assert [b[0] - a[0] for a, b in pairwise(found)] == [TALL, TALL + 7, TALL]
    assert len({x for _, x in found}) == 1
    assert has_white_edges(shown)


def test_one_image_is_its_vectors_row_by_row(tmp_path):
    study, vectors = made(tmp_path, [str(j) for j in range(30)], [4])
    table = np.concatenate([vectors[row.points[0]].y_hat for row in study.rows]).astype(float)
    colours = coloured(logit_scale(table).place(table), 0, 1, SHADES)
    shown = pixels(y_hat(study, vectors))
    assert all(places(shown, row[None].repeat(TALL, axis=0).repeat(13, axis=1)) for row in colours)
    assert draw_confusions(study, vectors["0"]) is None
    assert draw_disagreements(study, vectors, None) is None


def test_numbers_say_more_near_the_ends():
    assert [y_hat_text(v) for v in (0.5, 0.97, 0.9973, 0.0004, 0.99999, 1.0)] == [".50", ".97", ".997", ".0004", "1", "1"]


def test_the_images_that_are_farthest_apart_come_first():
    random = np.random.default_rng(0)
    tables = random.uniform(size=(5, 40, 3)).astype(np.float32)
    tables[:, 7] = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]]
    tables[:, 3] = 0.5
    for images, shown in ((SHOWN, SHOWN - 1), (40, SHOWN)):
        vectors = [Vectors(np.arange(100, 100 + images), np.arange(images) % 3, table[:images]) for table in tables]
        found = disagreements(vectors)
        assert (found[0].image, found[0].target, found[0].answers.tolist()) == (107, 1, [0, 1, 2, 0, 1])
        assert len(found) == shown and 103 not in {each.image for each in found}
        variances = [each.y_hat.var(axis=0).sum() for each in found]
        assert variances == sorted(variances, reverse=True)


def test_each_image_stands_beside_the_strip_of_what_all_points_say(tmp_path):
    study, vectors = made(tmp_path, ("ant", "bee", "cat"), range(12))
    images = np.random.default_rng(1).integers(0, 256, (12, 8, 8)).astype(np.uint8)
    shown = pixels(draw_disagreements(study, vectors, images))
    for each in disagreements([vectors[row.points[0]] for row in study.rows]):
        [(y, x)] = places(shown, picture(images[each.image], 96))
        colours = coloured(SCALE.place(each.y_hat), 0, 1, SHADES)
        right = shown[y : y + 80, x + 100 : x + 250]
        # All but the framed head's column: rows in their order, as wide as the strip's cells are.
        for r in range(4):
            for c in {0, 1, 2} - {each.target}:
                assert places(right, colours[r, c][None, None].repeat(10, axis=0).repeat(30, axis=1))
        left, _, _, _ = box(right, VERMILION)
        assert left // 40 in (each.target, each.target + 1)
    assert has_white_edges(shown)
    assert pixels(draw_disagreements(study, vectors, None)).shape[1] < shown.shape[1]


def test_of_many_heads_a_strip_has_the_right_one_and_those_that_differ():
    table = np.zeros((2, 1, 100), np.float32)
    table[1, 0, 40:70] = np.linspace(0.1, 1, 30)
    [found] = disagreements([Vectors(np.array([0]), np.array([99]), each) for each in table])
    assert found.heads == (*range(70 - (MOST_HEADS - 1), 70), 99)


def test_confusions_are_counted_and_of_many_classes_the_confused_ones_are_shown(tmp_path):
    target = np.array([0, 0, 1, 1, 2])
    found = confusions(Vectors(np.arange(5), target, np.eye(3, dtype=np.float32)[[0, 1, 1, 1, 0]]))
    assert found.counts.tolist() == [[1, 1, 0], [0, 2, 0], [1, 0, 0]]
    answers = np.arange(200) % 100
    answers[[7, 50]] = 13
    many = confusions(Vectors(np.arange(200), np.arange(200) % 100, np.eye(100, dtype=np.float32)[answers]))
    assert many.classes.tolist() == [7, 13, 50]
    assert many.counts.tolist() == [[1, 1, 0], [0, 2, 0], [0, 1, 1]] and many.members.tolist() == [2, 2, 2]
    study, vectors = made(tmp_path, ("ant", "bee", "cat"), range(30))
    shown = pixels(draw_confusions(study, vectors["0"]))
    counts = confusions(vectors["0"]).counts
    darkest = np.where(np.eye(3, dtype=bool), 0, counts / counts.sum(axis=1)[:, None]).max()
    assert darkest > 0 and (shown == (166, 54, 3)).all(axis=2).sum() > 500
    assert has_white_edges(shown)


@pytest.mark.parametrize("classes", [ODD_NAMES, [f"a rather long class name {j}" for j in range(120)]])
def test_any_classes_can_be_drawn_on_one_screen(tmp_path, classes):
    study, vectors = made(tmp_path, classes, range(2 * len(classes)), 2)
    images = np.zeros((2 * len(classes), 40, 300))
    for png in (y_hat(study, vectors), draw_disagreements(study, vectors, images), draw_confusions(study, vectors["0"])):
        assert has_white_edges(pixels(png)) and pixels(png).shape[0] <= 1000


@pytest.mark.parametrize("change", [(b"cat", b"cow"), (b"y_hat_bee", b"y_hat_cow"), (b"0.", b"o.")])
def test_a_damaged_file_is_named(tmp_path, change):
    record = write(point(tmp_path, "", {}), ("ant", "bee", "cat"))
    path = record.folder / "y_hat.csv"
    path.write_bytes(path.read_bytes().replace(*change))
    mend(record.folder)
    with pytest.raises(FileError, match=r"y_hat\.csv: cannot be read"):
        read_y_hat(read_record(record.folder))
