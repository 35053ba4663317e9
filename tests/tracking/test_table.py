"""The y-hat table that MLflow's pages put side by side."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.base.errors import FileError
from pipeline.records.record import y_hat_csv
from pipeline.tracking.table import MANY, ROWS, heads_table, tag, y_hat_table
from pipeline.training.result import Vectors
from tests.helpers.tracking import make_points, make_record


def write(path, y_hat, targets, classes):
    y_hat = np.array(y_hat)
    path.write_bytes(y_hat_csv(Vectors(np.arange(len(y_hat)) + 7, np.array(targets), y_hat), classes))
    return record_of(path, classes)


def record_of(path, classes):
    return SimpleNamespace(folder=path.parent, classes=classes, content=lambda name: (path.parent / name).read_bytes())


def test_output_names_the_likeliest_classes_and_the_target(tmp_path):
    table = y_hat_table(write(tmp_path / "y_hat.csv", [[0.25, 0.75], [0.5, 0.5]], [1, 1], ["a", "b"]))
    # The pages group by the first column and compare the one called output.
    assert table["columns"] == ["image", "target", "y_hat_a", "y_hat_b", "output"]
    assert [row[-1] for row in table["data"]] == ["b (right): a=0.2500  b=0.7500", "a (wrong: b): a=0.5000  b=0.5000"]
    assert table["data"][0][:4] == [7, "b", 0.25, 0.75]


def test_output_shows_blank_classes_in_quotes(tmp_path):
    table = y_hat_table(write(tmp_path / "y_hat.csv", [[0.25, 0.75], [0.5, 0.5]], [1, 1], ["", " "]))
    outputs = ['" " (right): ""=0.2500  " "=0.7500', '"" (wrong: " "): ""=0.5000  " "=0.5000']
    assert [row[-1] for row in table["data"]] == outputs


def test_many_images_and_classes_are_cut(tmp_path):
    classes = [str(number) for number in range(30)]
    y_hat = np.tile(np.arange(30) / 100, (600, 1))
    table = y_hat_table(write(tmp_path / "y_hat.csv", y_hat, [0] * 600, classes))
    assert len(table["data"]) == ROWS < 600
    verdict, _, rest = table["data"][0][-1].partition(": ")[2].partition(": ")
    assert verdict == "0)"
    # Nine of the likeliest and the target, in the classes' order.
    assert [word.partition("=")[0] for word in rest.split()] == ["0", *map(str, range(21, 30))]


def test_it_is_the_form_that_mlflow_reads(tmp_path):
    import pandas as pd

    classes, y_hat = ["=é\nf", 'a, "b"'], [[1 / 3, 1e-308]]
    table = json.loads(json.dumps(y_hat_table(write(tmp_path / "y_hat.csv", y_hat, [0], classes))))
    frame = pd.DataFrame(table["data"], columns=table["columns"])
    assert frame["target"].tolist() == ["=é\nf"] and frame['y_hat_a, "b"'].tolist() == [1e-308]
    assert json.loads(tag(classes)["mlflow.loggedArtifacts"]) == [{"path": "y_hat.json", "type": "table"}]


def test_many_heads_are_a_table():
    heads = [
        {"class": str(number), "train_loss": number / 8, "test_recall": None, "dead": number == 1} for number in range(MANY)
    ]
    table = heads_table(heads)
    assert table["columns"] == ["class", "train_loss", "test_recall", "dead", "output"]
    assert table["data"][1] == ["1", 0.125, None, True, "train_loss 0.1250, test_recall None, dead True"]
    found = json.loads(tag([str(number) for number in range(MANY)])["mlflow.loggedArtifacts"])
    assert [entry["path"] for entry in found] == ["y_hat.json", "heads.json"]


@pytest.mark.parametrize("content", [b"", b"image,target,y_hat_a\n1,a\n", b"image,target,y_hat_a\n1,a,x\n", b"\xff\xfe"])
def test_a_damaged_file_is_a_file_error(tmp_path, content):
    (tmp_path / "y_hat.csv").write_bytes(content)
    with pytest.raises(FileError, match=r"y_hat\.csv: cannot be read"):
        y_hat_table(record_of(tmp_path / "y_hat.csv", ["a"]))


def test_a_changed_digit_reaches_no_page(tmp_path):
    [point] = make_points(tmp_path, 1)
    record = make_record(point)
    path = record.folder / "y_hat.csv"
    path.write_bytes(path.read_bytes().replace(b"0.", b"1.", 1))
    with pytest.raises(FileError, match=r"y_hat\.csv: is damaged"):
        y_hat_table(record)
