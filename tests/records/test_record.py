"""Records and checkpoints: to the bit, the same bytes each time, whole or not there at all, and read without trust."""

import math
import os
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as law
from hypothesis import strategies as st
from record_cases import FILES, contents, small_settings

from pipeline.base.files import FileError, atomic_write, write_text
from pipeline.heads.head import Head
from pipeline.heads.initial import initial_heads
from pipeline.records import record
from pipeline.records.checkpoint import read_checkpoint, write_checkpoint
from pipeline.records.record import is_finished, read_record, write_record

NAMES = ["ant", "01", 'a, "b"', "é\nf"]
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
RANDOM = np.random.default_rng(0)
HEADS = initial_heads(0, 4, "notebook", 2, 3, (5, 4), "float64")


def write(folder, losses=None, names=NAMES, heads=HEADS, y_hat=None):
    losses = RANDOM.normal(size=(3, len(names))) if losses is None else losses
    result = {"metrics": {"test_loss": 0.1 + 0.2}, "heads": [{"class": name, "recall": None} for name in names]}
    if y_hat is None:
        y_hat = pd.DataFrame({"image": [7, 3], "target": names[:2]} | {f"y_hat_{n}": [1 / 3, 1e-308] for n in names})
    write_record(folder, small_settings(folder.parent), result, y_hat, losses, heads)
    return folder


@law(max_examples=20, deadline=None, derandomize=True, database=None,
     suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=5))
def test_losses_come_back_to_the_bit(tmp_path, rows):
    losses = np.array(rows)
    read = read_record(write(tmp_path / "5", losses, NAMES[:2], HEADS[:2]))
    found = read.losses
    assert found.to_numpy().tobytes() == losses.tobytes()
    assert found.index.tolist() == list(range(1, len(rows) + 1)) and found.columns.tolist() == NAMES[:2]


def test_everything_comes_back(tmp_path):
    read = read_record(write(tmp_path / "5"))
    assert read.result["metrics"]["test_loss"] == 0.1 + 0.2 and read.classes == NAMES
    assert read.result["heads"][0]["recall"] is None
    assert read.y_hat["target"].tolist() == ["ant", "01"] and read.y_hat["image"].tolist() == [7, 3]
    assert read.y_hat[f"y_hat_{NAMES[3]}"].tolist() == [1 / 3, 1e-308]
    assert read.settings["training"]["alpha"] == 0.5 and set(read.settings) == {"name", "seed", "data", "model", "training"}
    for found, head in zip(read.heads, HEADS, strict=True):
        for a, b in zip(found.arrays().values(), head.arrays().values(), strict=True):
            assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


@pytest.mark.parametrize("name", ["iteration", "target", "image", "nan", "", "NA", "1", "1.0"])
def test_a_class_may_be_called_anything(tmp_path, name):
    losses = np.array([[0.1, 1 / 3], [1e-5, 2.0]])
    read = read_record(write(tmp_path / "2", losses, [name, "other"], HEADS[:2]))
    assert read.classes == [name, "other"]
    assert read.losses.to_numpy(np.float64).tobytes() == losses.tobytes()
    assert [dtype.kind for dtype in read.losses.dtypes] == ["f", "f"]
    assert read.losses.columns.tolist() == [name, "other"]
    assert read.y_hat["target"].tolist() == [name, "other"]


def test_written_twice_gives_the_same_bytes(tmp_path):
    losses = RANDOM.normal(size=(3, 4))
    first = contents(write(tmp_path / "a" / "5", losses))
    assert contents(write(tmp_path / "b" / "5", losses)) == first
    assert contents(write(tmp_path / "a" / "5", losses)) == first  # over what is there
    assert all(b"\r" not in content for name, content in first.items() if not name.endswith("npz"))


def left(folder):
    """What lies in a folder and below, empty working folders aside."""
    return [path for path in folder.rglob("*") if path.is_file() or path.parent.name == "work" or path.name == "5"]


@pytest.mark.parametrize("fault", [OSError("disk"), KeyboardInterrupt()])
def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch, fault):
    def broken(*_):
        raise fault

    with monkeypatch.context() as patch, pytest.raises(type(fault)):
        patch.setattr(os, "rename", broken)
        write(tmp_path / "5")
    assert left(tmp_path) == []
    with monkeypatch.context() as patch, pytest.raises(type(fault)):
        patch.setattr(record, "write_checkpoint", broken)
        write(tmp_path / "5")
    assert left(tmp_path) == []
    assert not is_finished(tmp_path / "5")


@pytest.mark.parametrize("name", FILES)
def test_a_record_that_lacks_a_file_is_not_finished(tmp_path, name):
    folder = write(tmp_path / "5")
    assert is_finished(folder)
    (folder / name).unlink()
    assert not is_finished(folder)


@pytest.mark.parametrize(("name", "content"), [("settings.yaml", b"{"), ("result.json", b"{"), ("result.json", b"\xff")])
def test_a_damaged_record_is_a_file_error(tmp_path, name, content):
    folder = write(tmp_path / "5")
    (folder / name).write_bytes(content)
    with pytest.raises(FileError, match="is not a finished point"):
        read_record(folder)
    (folder / name).unlink()
    with pytest.raises(FileError, match="is not a finished point"):
        read_record(folder)
    (folder / "losses.csv").write_bytes(b"")
    with pytest.raises(FileError, match=r"losses\.csv: cannot be read"):
        record.read_csv(folder / "losses.csv")


def test_a_text_is_replaced_whole_or_not_at_all_and_left_alone_when_equal(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "one")
    stamp = path.stat().st_mtime_ns
    write_text(path, "one")
    assert path.stat().st_mtime_ns == stamp
    with pytest.raises(ZeroDivisionError), atomic_write(path) as file:
        file.write(b"tw")
        raise ZeroDivisionError
    assert path.read_text() == "one" and [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    write_text(path, "two")
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o400


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("losses", [None, np.array([[0.1, 1 / 3]])])
def test_a_checkpoint_comes_back_to_the_bit_and_holds_no_pickle(tmp_path, dtype, losses):
    heads = [head.astype(dtype) for head in HEADS[:2]]
    write_checkpoint(tmp_path / "c.npz", heads, 17, losses)
    found, iteration, found_losses = read_checkpoint(tmp_path / "c.npz")
    assert iteration == 17
    assert (found_losses is None) == (losses is None) and (losses is None or (found_losses == losses).all())
    for a, b in zip(found, heads, strict=True):
        assert [x.tobytes() for x in a.arrays().values()] == [y.tobytes() for y in b.arrays().values()]
        assert a.dtype == dtype and all(array.flags.writeable for array in a.arrays().values())
    with np.load(tmp_path / "c.npz", allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)


def test_eleven_heads_keep_their_order(tmp_path):
    heads = [Head(np.full((1, 1, 1), j), np.zeros(1), np.zeros((1, 1, 1)), np.zeros(())) for j in range(11)]
    write_checkpoint(tmp_path / "c.npz", heads, 1)
    assert [int(head.kernel[0, 0, 0]) for head in read_checkpoint(tmp_path / "c.npz")[0]] == list(range(11))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint_is_a_file_error(tmp_path, share):
    path = tmp_path / "c.npz"
    write_checkpoint(path, HEADS, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[: math.floor(share * len(whole))])
    with pytest.raises(FileError, match=r"c\.npz: is not a readable"):
        read_checkpoint(path)


def test_what_is_no_checkpoint_is_a_file_error(tmp_path):
    path: Path = tmp_path / "c.npz"
    np.savez(path, **{"head0/kernel": np.ones((1, 1, 1)), "iteration": np.array(1)})
    with pytest.raises(FileError, match="is not a checkpoint, it lacks 'head0/bias'"):
        read_checkpoint(path)
    np.savez(path, x=np.ones(3))
    with pytest.raises(FileError, match="it lacks 'iteration'"):
        read_checkpoint(path)
    np.savez(path, iteration=np.array([None]))
    with pytest.raises(FileError, match="Python objects"):
        read_checkpoint(path)
    for iteration in (np.array([1, 2]), np.array("x"), np.array(np.nan)):
        np.savez(path, iteration=iteration)
        with pytest.raises(FileError, match=r"c\.npz"):
            read_checkpoint(path)
    with zipfile.ZipFile(path, "w"):
        pass
    with pytest.raises(FileError, match="it lacks 'iteration'"):
        read_checkpoint(path)
