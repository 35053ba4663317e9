"""y-hat vectors side by side: the bytes that pandas would write, however many blocks they are joined from."""

import pytest

from pipeline.base.errors import FileError
from pipeline.comparison import vectors
from pipeline.comparison.vectors import count_numbers, join_y_hat, write_y_hat
from pipeline.records.record import read_record
from tests.comparison.comparison_cases import ODD_NAMES, joined_by_pandas, point, write
from tests.helpers.records import mend


def made(folder, images, classes=("ant", "bee")):
    return {
        f"alpha={a}": write(point(folder, f"alpha={a}", {"training.alpha": a, "training.iterations": a}), classes, shown)
        for a, shown in enumerate(images, start=1)
    }


CASES = {
    "the same images": [range(6)] * 4,
    "other images in each": [[1, 4, 9], [4, 1], [2, 9, 30], [7]],
    "one point": [range(3)],
    "one image": [[5]] * 3,
}


@pytest.mark.parametrize("images", CASES.values(), ids=CASES)
@pytest.mark.parametrize("block", [1, 9, 30, 1000])
def test_the_table_is_the_one_that_pandas_joins(tmp_path, monkeypatch, images, block):
    records = made(tmp_path, images)
    monkeypatch.setattr(vectors, "MOST_NUMBERS", block)
    join_y_hat(records, tmp_path / "joined" / "table.csv")
    assert (tmp_path / "joined" / "table.csv").read_bytes() == joined_by_pandas(records)
    assert [path.name for path in (tmp_path / "joined").iterdir()] == ["table.csv"]


@pytest.mark.parametrize("block", [1, 1000])
def test_any_class_name_comes_through(tmp_path, monkeypatch, block):
    monkeypatch.setattr(vectors, "MOST_NUMBERS", block)
    records = made(tmp_path, [range(12), range(6, 18)], ODD_NAMES)
    join_y_hat(records, tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == joined_by_pandas(records)


def test_points_of_other_data_stand_beside_each_other(tmp_path):
    records = {
        "one": write(point(tmp_path, "one", {"seed": 1}), ("ant", "bee"), range(4)),
        "two": write(point(tmp_path, "two", {"seed": 2}), ("ant", "bee", "cat"), range(4)),
    }
    join_y_hat(records, tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes() == joined_by_pandas(records)


def test_blocks_never_become_too_many_files(tmp_path, monkeypatch):
    records = made(tmp_path, CASES["the same images"])
    monkeypatch.setattr(vectors, "MOST_NUMBERS", 1)
    monkeypatch.setattr(vectors, "MOST_BLOCKS", 2)
    assert [len(block) for block in vectors._blocks(list(records.items()))] == [2, 2]


def test_too_many_numbers_are_not_written_and_an_older_table_goes(tmp_path, monkeypatch):
    records, path = made(tmp_path, [range(6), range(6)]), tmp_path / "y_hat.csv"
    assert sum(map(count_numbers, records.values())) == 24
    monkeypatch.setattr(vectors, "MOST_NUMBERS", 24)
    assert write_y_hat(records, path)
    before = path.stat().st_ino, path.stat().st_mtime_ns
    assert write_y_hat(records, path)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == before
    monkeypatch.setattr(vectors, "MOST_NUMBERS", 23)
    assert not write_y_hat(records, path)
    assert not path.exists()
    assert not write_y_hat(records, path)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text.replace(b"y_hat_bee", b"y_hat_cow"), "its columns are not those of result.json"),
        (lambda text: text[: text.rindex(b",")], "line 7 has 3 columns, not 4"),
        (lambda text: text[:60] + b"\xff" + text[60:], "can't decode"),
        (lambda _: b"", "its columns"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, damage, said):
    records = made(tmp_path, [range(6)])
    path = records["alpha=1"].folder / "y_hat.csv"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FileError, match=r"y_hat\.csv: is damaged"):
        join_y_hat(records, tmp_path / "table.csv")
    mend(path.parent)
    records = {name: read_record(record.folder) for name, record in records.items()}
    with pytest.raises(FileError, match=r"y_hat\.csv: cannot be read") as caught:
        join_y_hat(records, tmp_path / "table.csv")
    assert said in str(caught.value)
    assert not (tmp_path / "table.csv").exists()
