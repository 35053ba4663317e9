"""Any points side by side: by what they differ in, with what cannot be compared said, as table, CSV, JSON and Markdown."""

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.base.errors import SettingsError
from pipeline.comparison.gather import gather
from pipeline.comparison.notes import data_names, notes
from pipeline.comparison.outputs import Output, read_outputs, texts, write_output
from tests.comparison.comparison_cases import point, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("experiments")


def record(folder, **values):
    """A record whose metrics and classes are given, the rest are settings: training__alpha=0.5."""
    metrics, classes = values.pop("metrics", None), values.pop("classes", ("ant", "bee"))
    images = values.pop("images", range(6))
    made = point(folder, "", {key.replace("__", "."): value for key, value in values.items()})
    made = replace(made, trajectory=made.trajectory.replace("/", "_"))
    return write(made, classes, images, metrics=metrics)


def test_points_are_named_by_what_they_differ_in(folder):
    found = gather([record(folder, name="one", training__alpha=a, model__kernel_size=5) for a in (0.1, 0.5)])
    assert list(found.records) == ["alpha=0.1", "alpha=0.5"]
    assert list(found.points)[:2] == ["training.alpha", "train_loss"]


def test_points_with_the_same_settings_are_told_by_experiment_then_trajectory(folder):
    same = [record(folder, name=name, training__alpha=0.25) for name in ("first", "second")]
    assert [name.split()[0] for name in gather(same).records] == ["name=first", "name=second"]
    # Two engines' records of one experiment.
    other = write(replace(point(folder, "", {"name": "first", "training.alpha": 0.25}), trajectory="other engine"), filters=2)
    assert [name.split("trajectory=")[1].split("/")[0] for name in gather([same[0], other]).records] == [
        "first 0.25",
        "other engine",
    ]


def test_repeats_are_averaged_beside_points_that_are_alone(folder):
    many = [record(folder, name="seeds", seed=s, metrics={"validation_accuracy": s / 4}) for s in (1, 2)]
    alone = record(folder, name="alone", seed=1, training__alpha=0.5, metrics={"validation_accuracy": 0.25})
    found = gather([*many, alone])
    assert [row["count"] for row in found.summary.settings_at([0, 1])] == [2, 1]
    rows = texts(found, ["a note"], "--markdown").splitlines()
    assert rows[:4] == [
        "| alpha | validation_accuracy | test_accuracy |",
        "| --- | ---: | ---: |",
        "| **0.1** | **0.3750 ± 0.1250** | **0.7500 ± 0.0000** |",
        "| 0.5 | 0.2500 | 0.7500 |",
    ]
    assert rows[4:] == ["", "Best, in bold, by validation_accuracy.", "Means ± standard deviations over seed.", "a note"]


def test_other_classes_and_other_images_are_said_and_joined_within_each(folder, tmp_path):
    digits = [record(folder, name="d", seed=s, images=[4, 5, 6 + s]) for s in (0, 1)]
    mine = record(folder, name="m", data__source="arrays", data__path="a|b.npz", classes=("ant", "cat", "bee"), images=[4, 5])
    found = gather([*digits, mine])
    assert notes(found.records) == [
        "note: the points have different classes: 2 (ant, bee); 3 (ant, cat, bee)",
        "note: the points saw different images: digits (2), arrays a|b.npz (1); metrics compare within each",
    ]
    assert notes(gather(digits).records) == [] and data_names(gather(digits).records) == {}
    said = write_output(found, [], Output("--y-hat", tmp_path / "y.csv"))
    assert said == f"y-hat vectors of 3 points: {tmp_path / 'y.csv'}"
    table = pd.read_csv(tmp_path / "y.csv", dtype={"image": int})
    keys = list(zip(table["data"], table["image"], table["target"], strict=True))
    assert keys == [("digits", 4, "ant"), ("digits", 5, "bee"), ("digits", 6, "ant"), ("digits", 7, "bee"),
                    ("arrays a|b.npz", 4, "cat"), ("arrays a|b.npz", 5, "bee")]  # fmt: skip
    for name, each in found.records.items():
        own = table[table["data"] == ("digits" if each is not mine else "arrays a|b.npz")].set_index("image")
        vectors = each.y_hat.set_index("image")
        for label in each.classes:
            assert own[f"{name} y_hat_{label}"].dropna().to_dict() == vectors[f"y_hat_{label}"].to_dict()
    assert "| arrays | a\\|b.npz |" in texts(found, [], "--markdown")


def test_csv_and_json_hold_every_digit_and_whole_paths(folder):
    values = {"validation_accuracy": 1 / 3, "train_loss": float("nan")}
    drawn = record(folder, name="n", model__kernel_size=None, metrics=values)
    found = gather([record(folder, name="n", model__kernel_size=7), drawn])
    table = pd.read_csv(io.StringIO(texts(found, [], "--csv")), dtype=str, keep_default_na=False)
    assert table["model.kernel_size"].tolist() == ["7", ""]
    assert table.iloc[1][["validation_accuracy", "train_loss", "record"]].tolist() == [repr(1 / 3), "", str(drawn.folder)]
    plain = json.loads(texts(found, ["a note"], "--json"), parse_constant=lambda word: pytest.fail(word))
    assert (plain["metric"], plain["best"], plain["notes"]) == ("validation_accuracy", "kernel_size=7", ["a note"])
    assert plain["points"][1]["name"] == "kernel_size=None" and plain["points"][1]["record"] == str(drawn.folder)
    assert plain["points"][1]["metrics"]["validation_accuracy"] == 1 / 3 and plain["points"][1]["metrics"]["train_loss"] is None
    assert plain["points"][0]["settings"]["model.kernel_size"] == 7


def test_a_report_of_any_points_needs_no_data(folder, tmp_path):
    one = [record(folder, name="one", training__alpha=a) for a in (0.1, 0.5)]
    other = record(folder, name="other", data__source="arrays", data__path="gone.npz", classes=("ant", "cat", "bee"))
    said = write_output(gather([*one, other]), [], Output("--report", tmp_path / "deep" / "r.html"))
    assert said == f"report of 3 points: {tmp_path / 'deep' / 'r.html'}"
    text = (tmp_path / "deep" / "r.html").read_text()
    head = json.loads(re.search(r'<script[^>]* id="head">(.*?)</script>', text, re.S)[1])
    assert head["title"] == "one, other" and head["points"][0]["name"] == "source=digits path=None alpha=0.1"
    assert head["images"] is None or "block-pictures" not in text
    assert any("picture" in line for line in head["left_out"])
    assert (tmp_path / "deep" / head["points"][2]["record"]).resolve() == other.folder


@pytest.mark.parametrize(
    ("words", "outputs", "rest"),
    [
        (["--csv", "digits"], [("--csv", None)], ["digits"]),
        (["digits", "--csv", "a.csv", "x=1"], [("--csv", "a.csv")], ["digits", "x=1"]),
        (["--json=odd name", "--markdown"], [("--json", "odd name"), ("--markdown", None)], []),
        (["--y-hat", "v.csv", "-m"], [("--y-hat", "v.csv")], ["-m"]),
    ],
)
def test_outputs_are_read_from_the_command_line(words, outputs, rest):
    assert read_outputs(words) == ([Output(flag, file and Path(file)) for flag, file in outputs], rest)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--y-hat", "name=x"], "--y-hat: is missing its file; give it as --y-hat FILE.csv"),
        (["--csv="], "--csv: is missing its file; give it as --csv FILE.csv"),
        (["--csv", "--json"], "--csv, --json: one of them fits the terminal; give the others as --json FILE.json"),
    ],
)
def test_outputs_that_cannot_be_written(words, said):
    with pytest.raises(SettingsError, match=said):
        read_outputs(words)
