"""A comparison from records to files: what is written, and what it is made from."""

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.base.errors import FileError
from pipeline.comparison import vectors
from pipeline.comparison.compare import compare
from tests.comparison.comparison_cases import SWEPT, grid, joined_by_pandas, point, write, write_many
from tests.helpers.records import mend

FILES = ["champion", "figures", "metrics.json", "plots", "points.csv", "report.html", "summary.csv", "y_hat.csv"]


def stamps(folder):
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_tables_hold_every_finished_point_in_order(tmp_path):
    points = grid(tmp_path)
    for number, each in enumerate(points):
        if number != 2:
            write(each, metrics={"validation_accuracy": number / 10})
    comparison = compare(points, tmp_path / "out", SWEPT)
    finished = [each for number, each in enumerate(points) if number != 2]
    assert list(comparison.records) == [each.name for each in finished]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    assert sorted(path.name for path in (tmp_path / "out" / "figures").iterdir()) == [
        "confusions.png", "disagreements.png", "heatmap.png", "kernels.png", "losses.png", "y_hat.png",
    ]  # fmt: skip
    assert (tmp_path / "out" / "points.csv").read_text().splitlines()[:3] == [
        "model.kernel_size,training.alpha,training.iterations,train_loss,validation_accuracy,test_accuracy,dead_heads,record",
        "3,0.1,4,0.25,0.0,0.75,0,points/3 0.1/4",
        "3,0.1,8,0.25,0.1,0.75,0,points/3 0.1/8",
    ]
    assert (tmp_path / "out" / "summary.csv").read_text().splitlines()[2] == "3,0.1,8,0.25,0.1,0.75,0.0"
    assert (tmp_path / "out" / "y_hat.csv").read_bytes() == joined_by_pandas(comparison.records)
    best = {"train_loss": 0.25, "validation_accuracy": 0.7, "test_accuracy": 0.75, "dead_heads": 0.0}
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == {"best": points[-1].name, **best}
    assert comparison.best == points[-1].name
    assert comparison.text.endswith(f"tables and figures: {tmp_path / 'out'}\nreport: {tmp_path / 'out' / 'report.html'}")


def test_comparing_again_writes_nothing_anew(tmp_path):
    points = grid(tmp_path)
    write_many(points, lambda number: number / 10)
    compare(points, tmp_path / "out", SWEPT)
    before = stamps(tmp_path / "out")
    compare(points, tmp_path / "out", SWEPT)
    assert stamps(tmp_path / "out") == before


def test_without_a_record_there_is_nothing_to_compare(tmp_path):
    assert compare(grid(tmp_path), tmp_path / "out", SWEPT) is None
    assert not (tmp_path / "out").exists()


def test_a_damaged_record_is_named(tmp_path):
    points = grid(tmp_path)
    write_many(points, lambda _: 0.5)
    (points[3].folder / "result.json").unlink()
    (points[3].folder / "result.json").write_text("{}")
    with pytest.raises(FileError, match=r"result\.json: is damaged"):
        compare(points, tmp_path / "out", SWEPT)
    mend(points[3].folder)
    with pytest.raises(FileError, match="is not a finished point"):
        compare(points, tmp_path / "out", SWEPT)


@pytest.mark.parametrize("innermost", [True, False])
def test_repeats_are_averaged_and_the_first_of_the_best_is_named(tmp_path, innermost):
    pairs = [(a, s) for a in (0.1, 0.5) for s in (0, 1)] if innermost else [(a, s) for s in (0, 1) for a in (0.1, 0.5)]
    points = [point(tmp_path, f"alpha={a} seed={s}", {"training.alpha": a, "seed": s}) for a, s in pairs]
    for each, (a, s) in zip(points, pairs, strict=True):
        write(each, metrics={"validation_accuracy": a + s / 10})
    comparison = compare(points, tmp_path / "out", ["training.alpha", "seed"])
    assert comparison.best == "alpha=0.5 seed=0"
    assert len(comparison.points) == 4
    summary = pd.read_csv(tmp_path / "out" / "summary.csv")
    np.testing.assert_allclose(summary["validation_accuracy"], [0.15, 0.55])
    np.testing.assert_allclose(summary["validation_accuracy_std"], [0.05, 0.05])


def test_a_point_that_is_named_twice_counts_once(tmp_path):
    points = grid(tmp_path)
    write_many(points, lambda _: 0.5)
    assert len(compare([*points, *points], tmp_path / "out", SWEPT).points) == len(points)


def test_a_single_point_is_laid_out_over_the_usual_settings(tmp_path):
    only = point(tmp_path, "", {})
    write(only)
    comparison = compare([only], tmp_path / "out", [])
    assert list(comparison.points)[:3] == ["model.kernel_size", "training.alpha", "training.iterations"]
    assert "* best: kernel_size=3 alpha=0.1 iterations=2000" in comparison.text


def test_repeats_alone_are_averaged_and_every_one_is_shown(tmp_path):
    points = [point(tmp_path, f"seed={s}", {"seed": s, "model.kernel_size": 3}) for s in (0, 1, 2)]
    for each, accuracy in zip(points, (0.25, 0.75, 0.5), strict=True):
        write(each, metrics={"validation_accuracy": accuracy, "test_accuracy": 0.00001})
    lines = compare(points, tmp_path / "out", ["seed"]).text.splitlines()
    assert lines[:5] == [
        "3 points, by validation_accuracy",
        "seed validation_accuracy test_accuracy",
        "   1              0.7500      1.00e-05",
        "   2              0.5000      1.00e-05",
        "   0              0.2500      1.00e-05",
    ]
    where = "kernel_size=3 alpha=0.1 iterations=2000"
    assert f"* mean of 3: {where}   validation_accuracy 0.5000 +- 0.2041  test_accuracy 1.00e-05 +- 0.0000" in lines
    assert "  means +- standard deviations over seed" in lines
    assert pd.read_csv(tmp_path / "out" / "summary.csv")["validation_accuracy_std"].tolist() == [
        pytest.approx(0.2041, abs=1e-4)
    ]
    assert pd.read_csv(tmp_path / "out" / "points.csv")["record"].tolist() == [f"points/{s} 3/2000" for s in (0, 1, 2)]


def test_a_kernel_size_that_is_drawn_is_null_in_words_and_no_number(tmp_path):
    points = [
        point(tmp_path, f"alpha={a}", {"model.kernel_size": None, "training.alpha": a, "model.init": "notebook_draws"})
        for a in (0.1, 0.5)
    ]
    for each in points:
        write(each, "0123", images=[0])
    comparison = compare(points, tmp_path / "out", ["model.kernel_size", "training.alpha"])
    assert "* best: kernel_size=null alpha=0.1   " in comparison.text
    assert comparison.summary.best["model.kernel_size"] is None


def test_a_setting_that_is_null_can_be_swept_and_be_the_best(tmp_path):
    points = [point(tmp_path, f"scale={scale}", {"data.scale": scale}) for scale in (16.0, None)]
    for each, accuracy in zip(points, (0.25, 0.75), strict=True):
        write(each, metrics={"validation_accuracy": accuracy})
    comparison = compare(points, tmp_path / "out", ["data.scale"])
    assert comparison.best == "scale=None"
    assert "0.7500*" in comparison.text


def test_hundreds_of_points_are_compared_and_their_vectors_stay_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "MOST_NUMBERS", 1000)
    points = grid(tmp_path, (3, 5, 7), [a / 10 for a in range(1, 11)], range(1, 11))
    write_many(points, lambda number: number * 7 % 300 / 300)
    (tmp_path / "made").mkdir(exist_ok=True)
    (tmp_path / "made" / "y_hat.csv").write_text("of an earlier, smaller sweep")
    comparison = compare(points, tmp_path / "made", SWEPT)
    best = next(number for number in range(300) if number * 7 % 300 == 299)
    assert comparison.best == points[best].name
    assert len(pd.read_csv(tmp_path / "made" / "points.csv")) == 300
    assert not (tmp_path / "made" / "y_hat.csv").exists()
    said = "the y-hat vectors of 300 points stay in their records; `ovrcnn compare name=made --y-hat FILE.csv` joins them"
    assert said in comparison.text.splitlines()
    vectors.join_y_hat(comparison.records, tmp_path / "joined.csv")
    assert (tmp_path / "joined.csv").read_bytes() == joined_by_pandas(comparison.records)
