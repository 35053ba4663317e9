"""What the page is given: every number the record's, what there is no room for is said."""

import base64
import gzip
import json
import re

import numpy as np
import pytest

from pipeline.comparison.compare import side_by_side
from pipeline.comparison.report import blocks, packing, payload
from pipeline.comparison.report.page import page
from pipeline.comparison.report.payload import Shown
from pipeline.data.dataset import build
from pipeline.heads.head import Head
from pipeline.records.record import read_record
from tests.comparison.comparison_cases import SWEPT, grid, point, write, write_many

BLOCK = re.compile(r'id="block-([^"]+)" data-dtype="(\w+)" data-shape="([\d,]*)"( data-packing="shuffle")?>([^<]*)<')


def shown(points, keys=SWEPT, datasets=None):
    from pipeline.comparison.compare import values_of

    records = {each.name: read_record(each.folder) for each in points}
    found = side_by_side(records, [values_of(each.settings, keys) for each in points], keys)
    return Shown(found.records, found.summary, found.best, datasets or {})


def read_back(html):
    """The head and the blocks as a browser finds them."""
    found = {}
    for name, dtype, shape, shuffled, text in BLOCK.findall(html):
        array = np.frombuffer(gzip.decompress(base64.b64decode(text)), np.uint8)
        if shuffled:
            array = np.ascontiguousarray(array.reshape(np.dtype(dtype).itemsize, -1).T).reshape(-1)
        found[name] = array.view(dtype).reshape([int(side) for side in shape.split(",") if side])
    return json.loads(html.split('id="head">')[1].split("</script>")[0]), found


def pictures(count=20, classes=("ant", "bee"), scale=255.0):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, 4, 5), np.uint8)
    return build("made", images, np.arange(count) % len(classes), np.full(count, 2, np.uint8), scale, classes)


def test_the_page_holds_what_the_records_hold(tmp_path):
    points = grid(tmp_path)
    for number, each in enumerate(points):
        write(each, metrics={"validation_accuracy": number / 10}, images=[3, 8, 1, 6])
    dataset = pictures()
    made = payload.payload("made", shown(points, datasets={each.name: dataset for each in points}), tmp_path / "out")
    html = page(made)
    assert html == page(made)
    head, found = read_back(html.decode())
    assert (head["title"], head["keys"], head["best"], head["left_out"]) == ("made", SWEPT, 7, [])
    assert head["axes"] == {"down": "model.kernel_size", "across": "training.alpha", "pages": ["training.iterations"]}
    assert head["images"] == {"split": "test", "count": 4, "pictures": 4, "scale": 255.0, "height": 4, "width": 5}
    np.testing.assert_array_equal(found["image"], [3, 8, 1, 6])
    np.testing.assert_array_equal(found["target"], [1, 0, 1, 0])
    np.testing.assert_array_equal(found["pictures"], dataset.images[[3, 8, 1, 6]])
    for number, (each, row) in enumerate(zip(points, head["points"], strict=True)):
        record = read_record(each.folder)
        assert (row["name"], row["metrics"], row["row"]) == (each.name, record.result.metrics, number)
        assert row["values"] == [row["settings"][key] for key in SWEPT]
        assert (tmp_path / "out" / row["record"]).resolve() == each.folder
        assert (row["vectors"], row["kernels"], row["scale"]) == (True, True, 255.0)
        y_hat = record.y_hat.iloc[:, 2:].to_numpy()
        np.testing.assert_allclose(found[f"y_hat-{number}"], y_hat, rtol=2e-4, atol=1e-7)
        for index, one in enumerate(record.heads):
            for name, array in one.arrays().items():
                np.testing.assert_array_equal(found[f"{name}-{number}"][index], array)
    longest = read_record(points[1].folder)
    assert head["points"][0]["trajectory"] == head["points"][1]["trajectory"] != head["points"][2]["trajectory"]
    np.testing.assert_allclose(found[f"losses-{head['points'][0]['trajectory']}"], longest.losses, rtol=1e-6)
    answers = np.stack([found[f"y_hat-{n}"].argmax(axis=1) for n in range(8)])
    np.testing.assert_allclose(found["agreement"], (answers[:, None] == answers[None]).mean(axis=2))
    apart = np.linalg.norm(found["y_hat-2"] - found["y_hat-5"], axis=1).mean()
    assert found["distance"][2, 5] == pytest.approx(apart, abs=1e-6)


def test_repeats_share_a_row_and_images_that_a_point_lacks_are_nan(tmp_path):
    points = [point(tmp_path, f"alpha={a} seed={s}", {"training.alpha": a, "seed": s}) for a in (0.1, 0.5) for s in (0, 1)]
    for number, each in enumerate(points):
        write(each, images=[0, 1, 2] if number % 2 else [2, 4], metrics={"validation_accuracy": number / 10})
    made = payload.payload("made", shown(points, ["training.alpha", "seed"]), tmp_path)
    head, found = read_back(page(made).decode())
    assert head["repeats"] == ["seed"]
    assert [row["points"] for row in head["rows"]] == [[0, 1], [2, 3]]
    assert head["rows"][1]["means"]["validation_accuracy"] == pytest.approx(0.25)
    assert head["rows"][1]["deviations"]["validation_accuracy"] == pytest.approx(0.05)
    assert head["points"][head["best"]]["name"] == "alpha=0.5 seed=0"
    assert found["image"].tolist() == [2, 4, 0, 1]
    assert np.isnan(found["y_hat-0"]).any(axis=1).tolist() == [False, False, True, True]
    assert np.isnan(found["y_hat-3"]).any(axis=1).tolist() == [False, True, False, False]
    assert head["left_out"] == ["There are no pictures: the images are not at hand."]


def test_classes_without_letters_can_be_seen(tmp_path):
    each = point(tmp_path, "", {})
    write(each, ["", "  ", "ant"])
    assert payload.payload("made", shown([each], ["seed"]), tmp_path).head["classes"] == ['""', '"  "', "ant"]


def test_points_of_other_classes_have_their_metrics_alone(tmp_path):
    points = grid(tmp_path, (3,), (0.1, 0.5), (4,))
    write(points[0], metrics={"validation_accuracy": 0.9})
    write(points[1], classes=("ant", "bee", "cat"))
    made = payload.payload("made", shown(points), tmp_path)
    assert [row["vectors"] for row in made.head["points"]] == [True, False]
    assert made.head["points"][1]["metrics"]["train_loss"] == 0.25
    assert "1 of 2 points have other classes or images" in made.head["left_out"][0]
    assert np.isnan(made.blocks["agreement"]).tolist() == [[False, True], [True, True]]


def test_heads_of_many_kernel_sizes_lie_in_the_middle_of_the_largest():
    random = np.random.default_rng(0)
    made = [
        Head(random.normal(size=(2, k, k)), np.zeros(2), np.zeros((2, 3, 3)), np.array(0.5)) for k in (3, 5)
    ]  # fmt: skip
    found = blocks.head_arrays(made)
    assert found["kernel"].shape == (2, 2, 5, 5)
    assert np.isnan(found["kernel"][0]).sum() == 2 * 16
    np.testing.assert_array_equal(found["kernel"][0, :, 1:4, 1:4], made[0].kernel)
    assert found["bias_flat"].tolist() == [0.5, 0.5]


def test_what_there_is_no_room_for_is_said_and_the_best_and_the_first_are_kept(tmp_path, monkeypatch):
    points = grid(tmp_path, (3,), [a / 10 for a in range(1, 13)], (4,))
    write_many(points, lambda number: 0.5 if number != 7 else 0.75)
    whole = payload.payload("made", shown(points), tmp_path)
    assert all(row["vectors"] and row["kernels"] for row in whole.head["points"])
    monkeypatch.setattr(payload, "MOST_LETTERS", 8000 + 0.8 * blocks.letters(whole.blocks.values()))
    monkeypatch.setattr(blocks, "MOST_PAIRED", 11)
    made = payload.payload("made", shown(points), tmp_path)
    kept = [row["vectors"] for row in made.head["points"]]
    assert kept[0] and kept[7] and not all(kept) and len(page(made)) < len(page(whole)) - 1000
    assert [row["kernels"] for row in made.head["points"]] == kept
    assert [f"y_hat-{number}" in made.blocks for number in range(12)] == kept
    assert f"{kept.count(False)} of 12 points stay in their records" in made.head["left_out"][0]
    assert "agreement" not in made.blocks
    monkeypatch.setattr(payload, "MOST_POINTS", 5)
    few = payload.payload("made", shown(points), tmp_path)
    assert [row["name"] for row in few.head["points"]] == [points[n].name for n in (0, 1, 2, 3, 7)]
    assert (few.head["best"], few.head["left_out"][0]) == (4, "7 of 12 points are in points.csv alone.")


def test_of_many_images_the_first_are_kept(tmp_path, monkeypatch):
    points = grid(tmp_path, (3,), (0.1, 0.5), (4,))
    for each in points:
        write(each, images=range(3000))
    monkeypatch.setattr(payload, "MOST_LETTERS", 30_000)
    monkeypatch.setattr(packing, "FEW_BYTES", 0)
    dataset = pictures(3000)
    made = payload.payload("made", shown(points, datasets={each.name: dataset for each in points}), tmp_path)
    images = made.head["images"]
    assert 0 < images["pictures"] < images["count"] < 3000
    assert made.blocks["y_hat-1"].shape == (images["count"], 2)
    np.testing.assert_array_equal(made.blocks["pictures"], dataset.images[: images["pictures"]])
    assert blocks.letters(made.blocks.values()) < 30_000
    assert any("images were left out" in line for line in made.head["left_out"])
    assert any("have their pictures" in line for line in made.head["left_out"])
