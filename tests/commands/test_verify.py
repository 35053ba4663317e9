"""Records that were edited, with their checksums redone, are found: file, head and iteration; whole, in segments, against."""

import json
import re
import shutil
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.base import console
from pipeline.base.errors import FileError, SettingsError
from pipeline.base.npz import npz_bytes, read_npz
from pipeline.certify import committed
from pipeline.certify.files import digest
from pipeline.certify.prove import _first
from pipeline.records.provenance import PROVENANCE
from pipeline.records.states import read_way, write_way
from pipeline.sweep import underway
from pipeline.sweep.driver import drive
from pipeline.train import main as train
from pipeline.verify import main
from tests.helpers.commands import SMALL_SWEEP, contents, points
from tests.helpers.records import mend


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two trajectories of two points each, as scratch, with a checkpoint after each iteration."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(underway, "FIRST_BLOCK", 1)
        patch.setattr(underway, "GROWTH", 1)
        assert train([f"paths.experiments={folder / 'experiments'}", "tracking=off", *SMALL_SWEEP]) == 0
    return folder / "experiments"


@pytest.fixture
def home(made, tmp_path):
    return shutil.copytree(made, tmp_path / "experiments")


@pytest.fixture
def prove(home, capsys, monkeypatch):
    """Exit code and answer, as JSON, of a command line."""
    monkeypatch.chdir(home.parent)

    def of(*words):
        capsys.readouterr()
        code = main([*words, f"paths.experiments={home}", "tracking=off", "--json"])
        return code, json.loads(capsys.readouterr().out)

    return of


@pytest.fixture
def verify(prove):
    """The same of all that scratch holds."""
    return partial(prove, "scratch")


def edit(folder, name, change, forgotten=False):
    """Change a file of a record as somebody would who knows how: checksums redone, provenance gone or forgotten."""
    path = folder / name
    content = change(path.read_bytes())
    path.unlink()
    path.write_bytes(content)
    if not forgotten:
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


def other_state(state):
    heads = list(state.heads)
    weights = heads[8].weights.copy()
    weights.flat[0] += state.iteration
    heads[8] = replace(heads[8], weights=weights)
    return replace(state, heads=tuple(heads))


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
    assert code == 0 and found["verdict"].startswith("verdict: 4 of 4 records hold; checksums of all, 3 of 24 stretches")
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
        edit(last, name, change, forgotten=name == "losses.npy")
        code, found = verify(*how)
        assert code == 1 and "3 of 4 records hold, NOT ALL" in found["verdict"]
        seen = only(found, last)
        assert (name, head, iteration) in seen and ((PROVENANCE, "", None) in seen) == (name == "losses.npy"), (name, seen)
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
    assert told[1].startswith("    losses.npy, head 7, iteration 4: ") and told[1].endswith(" is right")
    assert told[2] == "note: 1 record: no provenance says which source computed it"


def test_states_on_the_way_are_places_and_the_first_that_differs_is_found_by_bisecting(prove, home):
    """As if a machine had computed otherwise from iteration 8 on."""
    last = next(folder for folder in points(home / "scratch") if folder.name == "12")
    path = home / "scratch" / "work" / f"{last.parent.name}.npz"
    way = read_way(path)
    assert [state.iteration for state in way.states] == list(range(1, 13))
    edit(last, "checkpoint.npz", other_weight(last))
    write_way(path, replace(way, states=tuple(other_state(s) if s.iteration >= 8 else s for s in way.states)))
    code, found = prove(str(last))
    assert code == 1
    work = f"work/{path.name}"
    # What follows from it on the way is not told again.
    assert only(found, last) == [(work, "8", 8), ("checkpoint.npz", "8", 12)]
    [told] = found["faults"].values()
    assert re.fullmatch(r"weights\[0, 0, 0\] is .+, .+ is right; 1 of \d+ numbers differ", told[0]["words"])
    [(name, words)] = found["first"].items()
    assert name == last.parent.name
    assert words == f"the states that are kept come out until iteration 7, and no more at 8 ({work}, head 8)"
    # The last of twelve stretches is computed, and so many more as halve the rest.
    seed = next(seed for seed in range(100) if np.random.default_rng(seed).permutation(12)[0] == 11)
    code, found = prove(str(last), "--segments", "1", "--seed", str(seed))
    assert code == 1 and {*found["first"]} == {last.parent.name}
    assert found["first"][name].startswith("iteration 8 is the first that does not come out; what leads to 7 does (4 more ")
    assert (work, "8", 8) in only(found, last)
    [told] = found["faults"].values()
    assert all(re.search(r", from the state kept at \d+$", each["words"]) for each in told)


def test_a_stretch_is_told_by_its_iterations_or_by_its_only_one():
    way = [SimpleNamespace(first=first, last=last, length=last - first) for first, last in ((0, 3), (3, 4), (4, 6))]
    words = [_first(way, {number: [None] * (number == wrong) for number in range(wrong + 1)}, None) for wrong in range(3)]
    assert words == [
        "iterations 1 to 3 are the first that do not come out",
        "iteration 4 is the first that does not come out; what leads to 3 does",
        "iterations 5 to 6 are the first that do not come out; what leads to 4 does",
    ]


def test_a_record_whose_data_is_gone_is_neither_right_nor_wrong(prove, home, tmp_path, capsys):
    file, random = tmp_path / "mine.npz", np.random.default_rng(0)
    np.savez(file, images=random.random((30, 6, 6)), labels=np.arange(30) % 3)
    words = ["data=arrays", f"data.path={file}", "training.iterations=4", "name=mine"]
    assert train([f"paths.experiments={home}", "tracking=off", *words]) == 0
    file.unlink()
    [folder] = points(home / "mine")
    # Prepared beside the record, it is still there.
    code, found = prove(str(folder))
    [[note]] = found["notes"].values()
    assert code == 0 and note.endswith(": prepared data was used")
    shutil.rmtree(home / "mine" / "data")
    code, found = prove(str(folder))
    assert code == 1 and found["faults"] == {}
    [why] = found["open"].values()
    assert why.startswith("its checksums hold, but nothing could be computed: the data of this point is not here (")
    capsys.readouterr()
    assert main([str(folder), f"paths.experiments={home}", "tracking=off"]) == 1
    told, verdict = capsys.readouterr().out.splitlines()
    assert told.startswith("OPEN   experiments/mine/points/") and str(file) in told
    assert verdict.startswith("verdict: 0 of 1 records hold, 1 could not be computed; nothing was computed")


def test_a_committed_table_whose_records_are_not_here_is_computed_again(verify, home, monkeypatch):
    # As where the engine is compiled first: what that says is no part of --json's answer.
    monkeypatch.setattr(committed, "drive", lambda *words: (console.say("compiling the engine"), drive(*words)))
    scratch = home / "scratch"
    outs = [{"path": f"experiments/scratch/{name}", "md5": digest(scratch / name)} for name in ("y_hat.csv", "champion")]
    (home.parent / "dvc.lock").write_text(json.dumps({"stages": {"compare@scratch": {"outs": outs}}}))
    for name in ("points", "work", "data", "champion"):
        shutil.rmtree(scratch / name)
    there = contents(home)
    code, found = verify()
    assert (code, found["records"]) == (0, 4) and found["verdict"].startswith(
        "verdict: 4 of 4 points hold; experiments/scratch has no "
    )
    held = "held against points.csv, summary.csv, metrics.json and, by the digests in dvc.lock, y_hat.csv, champion"
    assert "so all 4 points of its grid were trained anew (24 iterations, engine numba) and " + held in found["covered"]
    code, found = verify("kernel_size=3", "--segments", "1", "--seed", "3")
    assert (code, found["records"]) == (0, 1)
    assert "so 1 of the 4 points of its grid were trained anew (" in found["covered"]
    assert found["covered"].endswith("engine numba, seed 3) and held against points.csv")
    assert contents(home) == there
    table = (scratch / "points.csv").read_text().splitlines()
    cells = table[2].split(",")
    column = table[0].split(",").index("train_loss")
    right, cells[column] = cells[column], str(np.nextafter(float(cells[column]), 1))
    (scratch / "points.csv").write_text("\n".join([*table[:2], ",".join(cells), *table[3:-1]]) + "\n")
    (home.parent / "dvc.lock").write_text(json.dumps({"stages": {"x": {"outs": [outs[0], {**outs[1], "md5": "0.dir"}]}}}))
    code, found = verify()
    assert code == 1 and found["verdict"].startswith("verdict: 2 of 4 points hold, NOT ALL; ")
    told = {name.removeprefix("experiments/scratch/"): each[0] for name, each in found["faults"].items()}
    changed, gone, champion = told.pop(cells[-1]), told.pop(table[-1].split(",")[-1]), told.pop("champion")
    assert changed["words"] == f"train_loss is {cells[column]}, {right} is right" and changed["iteration"] == 12
    assert gone["words"].startswith("has no row of this point")
    assert champion["words"].startswith("0.dir, its digest in dvc.lock, is not that of what training gives, ")
    assert told == {}


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
