"""Records and checkpoints: to the bit, the same bytes each time, whole or not there at all, and read without trust."""

import math
import os
import re
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as law
from hypothesis import strategies as st

from pipeline.base.errors import FileError
from pipeline.base.files import UNFINISHED, atomic_write, clean_up, sha256_sums, write_text
from pipeline.base.folders import write_folder
from pipeline.base.npz import write_npz
from pipeline.heads.head import Head
from pipeline.heads.initial import initial_heads
from pipeline.records.checkpoint import Checkpoint, read_checkpoint
from pipeline.records.record import FILES, LOSS_ROWS, is_finished, read_csv, read_record, write_record
from pipeline.training.result import Result, Vectors
from tests.helpers.records import mend, record_files, small_settings

NAMES = ["ant", "01", 'a, "b"', "é\nf"]
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
RANDOM = np.random.default_rng(0)
HEADS = initial_heads(0, 4, "notebook", 2, 3, (5, 4), "float64")


def write(folder, losses=None, names=NAMES, heads=HEADS):
    losses = RANDOM.normal(size=(3, len(names))) if losses is None else losses
    found = tuple({"class": name, "recall": None, "dead": False, "saturated": False} for name in names)
    result = Result(len(losses), "d" * 64, {"train": 2}, {"test_loss": 0.1 + 0.2}, found)
    vectors = Vectors(np.array([7, 3]), np.array([0, 1]), np.array([[1 / 3] * len(names), [1e-308] * len(names)]))
    write_record(folder, small_settings(folder.parent), (result, vectors), losses, heads)
    return folder


@law(max_examples=20, deadline=None, derandomize=True, database=None,
     suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.lists(st.tuples(FLOATS, FLOATS), min_size=1, max_size=5))
def test_losses_come_back_to_the_bit(tmp_path, rows):
    losses = np.array(rows)
    read = read_record(write(tmp_path / "5", losses, NAMES[:2], HEADS[:2]))
    found = read.losses
    assert found.tobytes() == losses.tobytes() and found.shape == losses.shape


def test_everything_comes_back(tmp_path):
    read = read_record(write(tmp_path / "5"))
    assert read.result.metrics["test_loss"] == 0.1 + 0.2 and read.classes == NAMES
    assert read.result.heads[0]["recall"] is None
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
    assert read.losses.tobytes() == losses.tobytes()
    assert (
        read_csv(tmp_path / "2" / "losses.csv", read.content("losses.csv")).to_numpy(float)[:, 1:].tobytes() == losses.tobytes()
    )
    assert read.y_hat["target"].tolist() == [name, "other"]


def test_written_twice_gives_the_same_bytes(tmp_path):
    losses = RANDOM.normal(size=(3, 4))
    first = record_files(write(tmp_path / "a" / "t" / "5", losses))
    assert record_files(write(tmp_path / "b" / "t" / "5", losses)) == first
    assert record_files(write(tmp_path / "a" / "t" / "5", losses)) == first  # over what is there
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
        patch.setattr(os, "fsync", broken)
        write(tmp_path / "5")
    assert left(tmp_path) == []
    assert not is_finished(tmp_path / "5")


@pytest.mark.parametrize("name", FILES)
def test_a_record_that_lacks_a_file_is_not_finished(tmp_path, name):
    folder = write(tmp_path / "5")
    assert is_finished(folder)
    (folder / name).unlink()
    assert not is_finished(folder)


ENDLESS = b'{"heads": [], "metrics": {}, "images": {}, "data": "", "iterations": 1e999}'
HARMED = [("settings.yaml", b"{"), *(("result.json", content) for content in (b"{", b"\xff", b"[" * 100_000, ENDLESS))]


@pytest.mark.parametrize(("name", "content"), HARMED, ids=range(len(HARMED)))
def test_a_damaged_record_is_a_file_error(tmp_path, name, content):
    folder = write(tmp_path / "5")
    (folder / name).write_bytes(content)
    with pytest.raises(FileError, match=re.escape(f"{name}: is damaged")):
        _ = read_record(folder).settings
    # Whoever mends the checksum too has made another record; it is still read without trust.
    mend(folder)
    with pytest.raises(FileError, match="is not a finished point"):
        _ = read_record(folder).settings
    (folder / name).unlink()
    with pytest.raises(FileError, match=r"is not a finished point|cannot be read"):
        _ = read_record(folder).settings
    with pytest.raises(FileError, match=r"losses\.csv: cannot be read"):
        read_csv(folder / "losses.csv", b"")


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
    write_npz(tmp_path / "c.npz", Checkpoint(tuple(heads), 17, losses).arrays())
    found = read_checkpoint(tmp_path / "c.npz")
    assert found.iteration == 17
    assert (found.losses is None) == (losses is None) and (losses is None or (found.losses == losses).all())
    for a, b in zip(found.heads, heads, strict=True):
        assert [x.tobytes() for x in a.arrays().values()] == [y.tobytes() for y in b.arrays().values()]
        assert a.dtype == dtype and all(array.flags.writeable for array in a.arrays().values())
    with np.load(tmp_path / "c.npz", allow_pickle=False) as archive:
        assert all(archive[name].dtype != object for name in archive.files)


def test_eleven_heads_keep_their_order(tmp_path):
    heads = [Head(np.full((1, 1, 1), j), np.zeros(1), np.zeros((1, 1, 1)), np.zeros(())) for j in range(11)]
    write_npz(tmp_path / "c.npz", Checkpoint(tuple(heads), 1).arrays())
    assert [int(head.kernel[0, 0, 0]) for head in read_checkpoint(tmp_path / "c.npz").heads] == list(range(11))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_checkpoint_is_a_file_error(tmp_path, share):
    path = tmp_path / "c.npz"
    write_npz(path, Checkpoint(HEADS, 1).arrays())
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


def test_its_sums_are_checked_by_sha256sum(tmp_path):
    folder = write(tmp_path / "5")
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)
    assert checked.returncode == 0 and checked.stdout.count(": OK") == len(FILES) - 1
    (folder / "result.json").write_text("{}")
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)
    assert checked.returncode == 1 and "result.json: FAILED" in checked.stdout
    held = {name: (folder / name).read_bytes() for name in FILES if name != "SHA256SUMS"}
    assert (folder / "SHA256SUMS").read_bytes() != sha256_sums(held)


@pytest.mark.parametrize("iterations", [1, 2, 199, 200, 201, 5000])
def test_losses_to_read_are_few_and_hold_the_first_and_the_last(tmp_path, iterations):
    losses = RANDOM.normal(size=(iterations, 2))
    record = read_record(write(tmp_path / "5", losses, NAMES[:2], HEADS[:2]))
    read = read_csv(record.folder / "losses.csv", record.content("losses.csv"))
    assert len(read) <= LOSS_ROWS and read["iteration"].iloc[0] == 1 and read["iteration"].iloc[-1] == iterations
    assert read["iteration"].is_monotonic_increasing and read["iteration"].is_unique
    assert read.to_numpy(float)[:, 1:].tobytes() == losses[read["iteration"] - 1].tobytes()


DAMAGED_LOSSES = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-5]),
    "of another shape": lambda path: np.save(path, np.zeros((2, 4))),
    "of another type": lambda path: np.save(path, np.zeros((3, 4), np.float32)),
    "a pickle": lambda path: np.save(path, np.array([None, {}]), allow_pickle=True),
    "no array": lambda path: path.write_bytes(b"losses"),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("mended", [False, True])
@pytest.mark.parametrize("how", DAMAGED_LOSSES)
def test_damaged_losses_are_a_file_error_that_names_them(tmp_path, how, mended):
    folder = write(tmp_path / "5")
    DAMAGED_LOSSES[how](folder / "losses.npy")
    if mended:
        mend(folder)
    read = read_record(folder)
    with pytest.raises(FileError, match=r"losses\.npy: "):
        _ = read.losses


@pytest.mark.parametrize("name", FILES)
def test_no_flipped_bit_and_no_cut_of_a_record_is_used(tmp_path, name):
    folder = write(tmp_path / "t" / "3")
    whole = (folder / name).read_bytes()
    read_record(folder).check("t", 3)
    rng = np.random.default_rng(0)
    cuts = [whole[: len(whole) // 2], b""]
    for content in [*cuts, *(flip(whole, at, rng.integers(8)) for at in rng.integers(0, len(whole), 40))]:
        (folder / name).write_bytes(content)
        with pytest.raises(FileError, match=re.escape(str(folder))):
            read_record(folder).check("t", 3)


def flip(content, at, bit):
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


def test_a_record_in_another_points_place_is_refused(tmp_path):
    folder = write(tmp_path / "t" / "3")
    folder.rename(tmp_path / "t" / "5")
    with pytest.raises(FileError, match="is the record of another point, t/3, not of t/5"):
        read_record(tmp_path / "t" / "5").check("t", 5)
    (tmp_path / "u").mkdir()
    (tmp_path / "t" / "5").rename(tmp_path / "u" / "3")
    with pytest.raises(FileError, match="is the record of another point, t/3, not of u/3"):
        read_record(tmp_path / "u" / "3").check("u", 3)


def test_a_record_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    done = []
    sync, rename = os.fsync, Path.rename
    monkeypatch.setattr(
        os, "fsync", lambda handle: (done.append(Path(f"/proc/self/fd/{handle}").readlink().name), sync(handle))
    )
    monkeypatch.setattr(Path, "rename", lambda path, target: (done.append("renamed"), rename(path, target))[1])
    write_folder(tmp_path / "points" / "7", {"a": b"1", "b": b"2"}, tmp_path / "work")
    temporary = done[2]
    assert done == ["a", "b", temporary, "renamed", "points"] and temporary.endswith(UNFINISHED)


def test_what_a_dead_writer_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    dead = [f".a.npz.x{UNFINISHED}", f"work/point.x{UNFINISHED}/y_hat.csv", f"work/deep/.b.x{UNFINISHED}"]
    for name in (*dead, "a.npz", ".hidden", "work/other", f"elsewhere/.a.x{UNFINISHED}"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    with atomic_write(tmp_path / "work" / "c") as file:
        clean_up(tmp_path, ("work",))
        file.write(b"whole")
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"a.npz", ".hidden", "work/other", "work/c", f"elsewhere/.a.x{UNFINISHED}"}
    assert (tmp_path / "work" / "c").read_bytes() == b"whole"
