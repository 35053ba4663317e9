"""Records that were edited, with their checksums redone, are found: file, head and iteration; whole, in segments, against."""

import json
import shutil

import numpy as np
import pytest

from pipeline.base.errors import FileError, SettingsError
from pipeline.base.files import npz_bytes, read_npz
from pipeline.records.provenance import PROVENANCE
from pipeline.train import main as train
from pipeline.verify import main
from tests.helpers.commands import SMALL_SWEEP, contents, points
from tests.helpers.records import mend


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two trajectories of two points each, as scratch."""
    folder = tmp_path_factory.mktemp("made")
    assert train([f"paths.experiments={folder / 'experiments'}", "tracking=off", *SMALL_SWEEP]) == 0
    return folder / "experiments"


@pytest.fixture
def home(made, tmp_path):
    return shutil.copytree(made, tmp_path / "experiments")


@pytest.fixture
def verify(home, capsys, monkeypatch):
    """Exit code and answer, as JSON, of a command line."""
    monkeypatch.chdir(home.parent)

    def of(*words):
        capsys.readouterr()
        code = main(["scratch", *words, f"paths.experiments={home}", "tracking=off", "--json"])
        return code, json.loads(capsys.readouterr().out)

    return of


def edit(folder, name, change):
    """Change a file of a record as somebody would who knows how: checksums redone, provenance gone."""
    path = folder / name
    content = change(path.read_bytes())
    path.unlink()
    path.write_bytes(content)
    (folder / PROVENANCE).unlink()
    mend(folder)


def other_loss(content):
    losses = bytearray(content)
    # Iteration 4 of 12, head 7 of 10, its last bit: float64s stand at the file's end.
    losses[len(losses) - 8 * (12 * 10 - 3 * 10 - 7)] ^= 1
    return bytes(losses)


def other_digit(content):
    lines = content.decode().splitlines(keepends=True)
    cells = lines[5].rstrip("\n").split(",")
    cells[2 + 3] = cells[2 + 3][:-1] + ("1" if cells[2 + 3][-1] != "1" else "2")
    lines[5] = ",".join(cells) + "\n"
    return "".join(lines).encode()


def other_weight(folder):
    arrays = {name: np.array(array) for name, array in read_npz(folder / "checkpoint.npz").items()}
    arrays["head8/weights"].flat[0] = np.nextafter(arrays["head8/weights"].flat[0], 1, dtype=np.float32)
    return lambda _: npz_bytes(arrays)


def only(found, folder):
    """The differences of the one record that differs."""
    (name,) = found["faults"]
    assert name.endswith(f"{folder.parent.name}/{folder.name}")
    return [(each["file"], each["head"], each["iteration"]) for each in found["faults"][name]]


def test_what_was_trained_holds_and_nothing_is_written(verify, home):
    there = contents(home)
    code, found = verify()
    assert code == 0 and found["holds"] and found["notes"] == {}
    assert found["verdict"].startswith("verdict: 4 of 4 records hold; all 24 iterations of 2 trajectories computed again")
    code, found = verify("--segments", "3", "--seed", "7")
    assert code == 0 and found["verdict"].startswith("verdict: 4 of 4 records hold; checksums of all, 3 of 4 stretches")
    assert found["covered"].endswith("engine numba, seed 7")
    assert contents(home) == there


@pytest.mark.parametrize("how", [(), ("--segments", "99")], ids=["whole", "segments"])
def test_an_edited_record_is_found_with_file_head_and_iteration(verify, home, how):
    last = next(folder for folder in points(home / "scratch") if folder.name == "12")
    edits = {
        "losses.npy": (other_loss, ("7", 4)),
        "y_hat.csv": (other_digit, ("3", 12)),
        "checkpoint.npz": (other_weight(last), ("8", 12)),
        "result.json": (lambda text: text.replace(b'"train_accuracy": 0.', b'"train_accuracy": 0.9'), ("", 12)),
        "losses.csv": (lambda text: text.replace(b"\n5,0.", b"\n5,0.9"), ("0", 5)),
    }
    whole = shutil.copytree(last, home / "whole")
    for name, (change, (head, iteration)) in edits.items():
        edit(last, name, change)
        code, found = verify(*how)
        assert code == 1 and "3 of 4 records hold, NOT ALL" in found["verdict"]
        seen = only(found, last)
        assert (name, head, iteration) in seen, (name, seen)
        shutil.rmtree(last)
        shutil.copytree(whole, last)


def test_settings_data_and_checksums_are_held_before_anything_is_computed(verify, home):
    first, second, third, _ = points(home / "scratch")
    edit(first, "settings.yaml", lambda text: text.replace(b"alpha: 0.1", b"alpha: 0.2"))
    edit(second, "settings.yaml", lambda text: text.replace(b"fold: 0", b"fold: 1").replace(b"seed: 0", b"seed: 1"))
    (third / "y_hat.csv").write_bytes((third / "y_hat.csv").read_bytes() + b"\n")
    code, found = verify()
    assert code == 1 and len(found["faults"]) == 3
    words = {name.split("points/")[1]: each[0]["words"] for name, each in found["faults"].items()}
    for folder, said in (
        (first, "make another trajectory"),
        (second, "make another trajectory"),
        (third, "y_hat.csv: is damaged"),
    ):
        assert said in words[f"{folder.parent.name}/{folder.name}"]


def test_an_earlier_record_is_not_wrong_for_what_it_lacks(verify, home):
    def earlier(content):
        plain = json.loads(content)
        del plain["trajectory"], plain["input"]
        return (json.dumps(plain, indent=1) + "\n").encode()

    for folder in points(home / "scratch"):
        edit(folder, "result.json", earlier)
    assert verify()[0] == 0


def test_another_machines_records(verify, home, made, capsys):
    assert verify("--against", str(made / "scratch"))[0] == 0
    last = next(folder for folder in points(home / "scratch") if folder.name == "12")
    edit(last, "losses.npy", other_loss)
    code, found = verify("--against", str(made / "scratch"))
    assert code == 1 and only(found, last) == [("losses.npy", "7", 4)]
    code, found = verify("--against", str(last.parent))
    assert (code, found["records"]) == (0, 2)
    assert {*map(tuple, found["notes"].values())} == {("the other folder has no record of this point",)}
    with pytest.raises(FileError, match="has no point of these 2 records"):
        verify(
            f"model.kernel_size={'3' if 'kernel_size: 5' in (last / 'settings.yaml').read_text() else '5'}",
            "--against",
            str(last),
        )
    main([str(last), f"paths.experiments={home}", "tracking=off"])
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("WRONG  experiments/scratch/points/") and told[-1].startswith("verdict: 0 of 1 records hold")
    assert told[1].startswith("    losses.npy, head 7, iteration 4: ") and told[1].endswith("so do 0 later iterations")
    assert "has no provenance" in told[2]


def test_source_that_changed_and_words_that_mean_nothing(verify, home, monkeypatch):
    monkeypatch.setattr("pipeline.certify.trail.arithmetic", lambda: "0" * 64)
    code, found = verify("--segments", "1")
    assert code == 0 and {*map(tuple, found["notes"].values())} == {("the arithmetic's source changed since it was made",)}
    for words, said in [
        (["--segments", "0"], "--segments: must be a whole number from 1"),
        (["--seed", "1"], "--seed is that of --segments"),
        (["--segments", "1", "--against", "x"], "--against computes nothing"),
        (["nowhere"], "nowhere: is no experiment"),
    ]:
        with pytest.raises((SettingsError, FileError), match=said):
            verify(*words)
