"""predict and explain as a user meets them: the record's own numbers, tables, pictures, one line for what is wrong."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.base.errors import MendableError
from pipeline.comparison.explanation import explain as seen_by
from pipeline.explain import lines_of
from pipeline.explain import main as explain
from pipeline.heads.initial import initial_heads
from pipeline.predict import main as predict
from pipeline.records.record import Record, read_record
from pipeline.train import main as train
from tests.helpers.command_lines import answer
from tests.helpers.commands import ROOT, points, run_in

FEW = ["tracking=off", "training.iterations=30", "training.batch_size=500"]


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Points of pictures in colour that were resized, and of digits; batches are larger than the pictures."""
    folder = tmp_path_factory.mktemp("here")
    random = np.random.default_rng(0)
    for number in range(40):
        name = folder / "pictures" / ("bright", "dark")[number % 2] / f"{number:02}.png"
        name.parent.mkdir(parents=True, exist_ok=True)
        levels = random.integers(0, (256, 90)[number % 2], (9 + number, 11, 3), np.uint8)
        Image.fromarray(levels).save(name)
    place = [f"paths.experiments={folder / 'experiments'}", *FEW]
    pictures = ["name=pictures", "data=images", f"data.path={folder / 'pictures'}", "data.size=8x6", "data.scale=null"]
    assert train([*place, *pictures]) == 0
    assert train([*place, "name=digits", "-m", "model.kernel_size=3,5"]) == 0
    return folder


@pytest.fixture
def place(here, monkeypatch) -> list[str]:
    monkeypatch.chdir(here)
    return [f"paths.experiments={here / 'experiments'}", "tracking=off"]


def only(here, name="pictures") -> Record:
    return read_record(points(here / "experiments" / name)[0])


def test_the_files_of_training_give_the_records_vectors_bit_for_bit(here, place, capsys):
    files = sorted(str(path) for path in (here / "pictures").glob("*/*.png"))
    assert predict(["pictures", *files, *place]) == 0
    printed = capsys.readouterr()
    found, record = pd.read_csv(io.StringIO(printed.out)), only(here)
    assert list(found) == ["file", "image", "answer", "y_hat_bright", "y_hat_dark"] and printed.err == ""
    assert found["file"].tolist() == files and (found["image"] == 0).all()
    vectors = record.y_hat
    columns = ["y_hat_bright", "y_hat_dark"]
    assert found.loc[vectors["image"], columns].to_numpy().tobytes() == vectors[columns].to_numpy().tobytes()
    answers = np.where(found["y_hat_bright"] >= found["y_hat_dark"], "bright", "dark")
    assert found["answer"].tolist() == answers.tolist()


def test_a_point_is_named_by_its_settings_and_the_table_may_be_json_in_a_file(here, place, capsys):
    np.savez(here / "two.npz", images=np.random.default_rng(0).integers(0, 17, (2, 8, 8)))
    assert predict(["digits", "kernel_size=5", "two.npz", "--json", "--out", "found.json", *place]) == 0
    assert capsys.readouterr().out == "y-hat vectors of 2 images: found.json\n"
    plain = json.loads((here / "found.json").read_text())
    assert [(each["file"], each["image"]) for each in plain] == [("two.npz", 0), ("two.npz", 1)]
    assert [max(each["y_hat"], key=each["y_hat"].get) for each in plain] == [each["answer"] for each in plain]
    other = predict([str(only(here, "digits").folder), "two.npz", *place])
    assert other == 0 and len(pd.read_csv(io.StringIO(capsys.readouterr().out))) == 2


def test_pixels_of_another_scale_are_warned_of(here, place, capsys):
    np.savez(here / "large.npz", images=np.full((1, 8, 8), 255))
    assert predict(["digits/best", "large.npz", *place]) == 0
    assert capsys.readouterr().err == "warning: pixels reach 255, those of training 16; bring them to one scale\n"


def test_a_row_of_explain_is_no_longer_for_a_long_class():
    shown = seen_by(initial_heads(0, 2, "he", 1, 3, (6, 6), "float32"), ["é" * 300, "b"], np.zeros((6, 6)), 1.0)
    lines = lines_of(shown, "an image")
    assert max(map(len, lines)) < 90 and lines[2][2:5] == "ééé" and "…" in lines[2]


def test_an_image_is_explained_by_its_number_or_its_file(here, place, capsys):
    record = only(here)
    vectors = record.y_hat.set_index("image")
    number = int(vectors.index[0])
    assert explain(["pictures", "--image", str(number), "--out", "seen.npz", *place]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith(f"target {vectors.loc[number, 'target']}") and said[-1] == "arrays: seen.npz"
    with np.load(here / "seen.npz") as seen:
        y_hat = [float(seen[f"head{j}/y_hat"]) for j in range(2)]
        np.testing.assert_allclose(y_hat, vectors.loc[number, ["y_hat_bright", "y_hat_dark"]].astype(float), rtol=1e-5)
        assert seen["image"].shape == (8, 6) and seen["head1/kernel"].shape == (1, 3, 3)
    for line, value in zip(said[2:4], y_hat, strict=True):
        assert line.split()[-1] == f"{value:.4g}"
    assert [line.startswith("* ") for line in said[2:4]] == [value == max(y_hat) for value in y_hat]
    file = next((here / "pictures" / "dark").glob("*.png"))
    assert explain(["pictures", "--image", str(file), "--out", "seen.png", *place]) == 0
    assert capsys.readouterr().out.splitlines()[0] == file.name
    with Image.open(here / "seen.png") as picture:
        assert picture.width > 600


def test_the_readmes_picture_is_what_its_commands_draw(tmp_path, place):
    place[0] = f"paths.experiments={tmp_path}"
    assert train(["data=digits", "model.kernel_size=5", "training.alpha=0.2", "training.iterations=2000", *place]) == 0
    assert explain(["scratch", "--image", "7", "--out", str(tmp_path / "explained.png"), *place]) == 0
    with Image.open(tmp_path / "explained.png") as drawn, Image.open(ROOT / "docs" / "head.png") as committed:
        np.testing.assert_array_equal(np.asarray(drawn), np.asarray(committed))


WRONG = {
    "predict": "files: none is named; give pictures, .npz or IDX files after the point, POINT",
    "predict digits": "files: none is named; give pictures, .npz or IDX files after the point, digits",
    "predict nothing x.png": "nothing: is no experiment, no folder of a record and no trajectory; ",
    "predict digits x.png": "x.png: cannot be read (No such file or directory)",
    "predict digits kernel_size=4 x.png": "kernel_size=4: no point is left; model.kernel_size is 3, 5",
    "predict digits x.png --out": "command line: argument --out: expected one argument; --help lists what there is",
    "predict digits x.png --format=xml": "command line: unrecognized arguments: --format=xml",
    "explain digits": "command line: --image is missing; give a number as in y_hat.csv, or a file",
    "explain digits --image 1797": "--image: must be from 0 to 1796, as the column image of y_hat.csv, not 1797",
    "explain digits --image x.png": "x.png: cannot be read (No such file or directory)",
    "explain digits --image 3 --out x.pdf": "command line: --out must end in .png or .npz, not '.pdf'",
    "explain digits --image {three}": "{three}: holds 3 images; explain takes a file of one, or the number of an image",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_is_wrong_is_said_in_one_line_and_nothing_is_written(here, place, words):
    np.savez(here / "three.npz", images=np.ones((3, 8, 8)))
    three, before = str(here / "three.npz"), sorted(here.iterdir())
    stage, *rest = words.format(three=three).split()
    with pytest.raises(MendableError) as caught:
        {"predict": predict, "explain": explain}[stage]([*place, *rest])
    assert str(caught.value).startswith(WRONG[words].format(three=three)) and "\n" not in str(caught.value)
    assert sorted(here.iterdir()) == before


@pytest.mark.slow
def test_the_command_lines(here, place):
    ended = run_in(here, "predict", "digits", "x.png", *place)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "x.png: cannot be read (No such file or directory)\n")
    for words in ("predict POINT FILE...", "explain POINT --image I"):
        code, said, _ = answer([words.split()[0], "--help"], here)
        assert code == 0 and f"usage: ovrcnn {words} [options]" in said


def test_a_batch_beyond_the_images_is_all_of_them_and_that_is_said_once(here, place, capsys):
    np.savez(here / "mine.npz", images=np.random.default_rng(0).random((20, 6, 4)), labels=np.arange(20) % 2)
    mine = [*place, "data=arrays", "data.path=mine.npz", "training.iterations=2,4", "-m"]
    assert train([*mine, "name=large", "training.batch_size=500"]) == 0
    said = capsys.readouterr().err.splitlines()
    text = "training.batch_size: 500 is more than the 12 images for training; a batch is all of them"
    assert said.count(f"warning: {text}") == 1
    assert train([*mine, "name=all", "training.batch_size=all"]) == 0
    large, everything = (points(here / "experiments" / name)[0] for name in ("large", "all"))
    assert "is more than" not in capsys.readouterr().err
    assert (large / "checkpoint.npz").read_bytes() == (everything / "checkpoint.npz").read_bytes()
