"""What SECURITY.md says: code that would run what a file holds is not there, and files that ask for it run nothing."""

import ast
import contextlib
import os
import re
import shutil

import numpy as np
import pytest
import yaml

from pipeline.base.errors import FileError, MendableError, SettingsError
from pipeline.base.files import atomic_write
from pipeline.base.folders import write_folder
from pipeline.base.npz import read_npy
from pipeline.cli import dispatch
from pipeline.records.record import read_record
from pipeline.sweep.grid import Grid, read_grid, write_grid
from pipeline.tracking.places import _folder
from pipeline.tracking.runs import POINT
from tests.helpers.commands import ROOT
from tests.helpers.records import mend, small_data, small_settings, train

# Modules and calls that run what they read, or hand a shell a text; and the one room that may: Dask's own messages.
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "torch.serialization"}
CALLS = {"eval", "exec", "compile", "__import__"}
ATTRIBUTES = {"unsafe_load", "full_load", "load_all", "popen", "mktemp", "read_pickle"}
# What is composed may look into the environment: what is only read may not.
COMPOSERS = ("pipeline/sweep/hydra.py", "pipeline/sweep/jobs.py")
ALLOWED = {"pipeline/sweep/dask.py": {"pickle", "eval"}}


def runs_what_it_reads(text: str) -> set[str]:
    """What a source has of these."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & MODULES
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} & MODULES
        elif isinstance(node, ast.Name):
            found |= {node.id} & CALLS
        elif isinstance(node, ast.Call):
            found |= {getattr(node.func, "attr", "")} & ATTRIBUTES
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            found |= {"shell"} if given.get("shell") == "True" else set()
            found |= {"allow_pickle"} if given.get("allow_pickle", "False") != "False" else set()
            whole = ast.unparse(node)
            found |= {"os.system", "joblib.load", "torch.load", "OmegaConf.load"} & {ast.unparse(node.func)}
            found |= {"yaml.load"} if whole.startswith("yaml.load(") and "SafeLoader" not in whole else set()
            found |= {"np.load"} if whole.startswith("np.load(") and "allow_pickle=False" not in whole else set()
    return found


def test_no_code_runs_what_it_reads():
    held = {str(path.relative_to(ROOT)): runs_what_it_reads(path.read_text("utf-8")) for path in ROOT.glob("pipeline/**/*.py")}
    assert len(held) > 100 and {name: found for name, found in held.items() if found} == ALLOWED


@pytest.mark.parametrize(
    "text",
    ["import pickle", "eval(x)", "yaml.load(x)", "yaml.unsafe_load(x)", "np.load(x)", "run(x, shell=True)", "os.system(x)"],
)
def test_the_search_finds_it(text):
    assert runs_what_it_reads(text)


def test_only_a_command_line_is_composed():
    for path in ROOT.glob("pipeline/**/*.py"):
        if str(path.relative_to(ROOT)) not in COMPOSERS:
            calls = {
                ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
            }
            assert "OmegaConf.create" not in calls, path


@pytest.mark.parametrize("text", ["${oc.env:SECRET}", "${oc.decode:'[1]'}", "${project:x}", "${seed}"])
def test_a_config_that_somebody_sent_does_not_look_into_the_environment(text, tmp_path, monkeypatch, capsys):
    """Neither that of an experiment nor that of a record, nor what either is compared, shown or planned by."""
    monkeypatch.setenv("SECRET", "told")
    record = train(small_settings(tmp_path, 3), small_data())
    experiment = record.parents[2]
    write_grid(Grid.of([small_settings(tmp_path, 3)]))
    for path, name in ((record / "settings.yaml", "source: digits"), (experiment / "config.yaml", "source: digits")):
        held = path.read_text("utf-8")
        assert name in held
        path.write_text(held.replace(name, f"source: arrays\n  path: {text!r}").replace("  path: null\n", ""))
    mend(record)
    assert read_record(record).settings["data"]["path"] == text and read_grid(experiment).first.data.path == text
    place = [f"paths.experiments={tmp_path}", "tracking=off"]
    for words in (["show", str(record)], ["compare", "name=small"], ["compare", "small", "--json"], ["verify", str(record)]):
        with contextlib.suppress(MendableError):
            dispatch([*words, *place])
    said = "".join(capsys.readouterr())
    assert text.partition(":")[0] in said and "told" not in said and str(ROOT / "x") not in said


class Bomb:
    """An object whose pickle leaves a mark when it is read."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_pickles_and_tags_in_a_record_run_nothing_though_its_sums_are_right(tmp_path):
    folder, mark = train(small_settings(tmp_path / "e", 3), small_data()), tmp_path / "mark"
    bomb = np.array([Bomb(mark)], object)
    for name, read in (
        ("checkpoint.npz", lambda r: r.heads),
        ("losses.npy", lambda r: r.losses),
        ("settings.yaml", lambda r: r.settings),
    ):
        record = shutil.copytree(folder, tmp_path / name)
        if name.endswith("npz"):
            with np.load(folder / name) as held:
                np.savez(record / name, **{**held, "iteration": bomb})
        elif name.endswith("npy"):
            np.save(record / name, bomb, allow_pickle=True)
        else:
            (record / name).write_text(f"name: !!python/object/apply:os.mkdir ['{mark}']\n")
        mend(record)
        with pytest.raises(FileError) as caught:
            read(read_record(record))
        assert "\n" not in str(caught.value) and not mark.exists()
    np.save(tmp_path / "x.npy", bomb, allow_pickle=True)
    with pytest.raises(FileError):
        read_npy(tmp_path / "x.npy", (tmp_path / "x.npy").read_bytes())
    np.load(tmp_path / "x.npy", allow_pickle=True)
    with pytest.raises(yaml.YAMLError):
        yaml.load("!!python/object/apply:os.abort []", yaml.CSafeLoader)
    # Such a file does run for whoever trusts it.
    assert mark.exists()


@pytest.mark.parametrize(
    "name", ["../x", "/tmp/x", "a/b", "..", ".hidden", "a\\b", "a\nb", "nul", "COM1.x", "a.", "x" * 300, "日" * 100]
)
def test_a_name_stays_below_the_folder_of_experiments(name, place, tmp_path):
    for stage in (["train", "training.iterations=1"], ["compare"]):
        with pytest.raises(MendableError, match="name"):
            dispatch([*stage, f"name={name!r}" if "\n" not in name else f'name="{name}"', *place])
    assert list(tmp_path.iterdir()) == []


def test_an_experiment_that_is_a_link_is_refused_and_nothing_is_written_there(place, tmp_path):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "experiments" / "mine").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match=r"name: .*/mine is a link; it must be a folder of its own"):
        dispatch(["train", "name=mine", "training.iterations=1", *place])
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(("run_id", "key"), [("a" * 32, "../5"), ("a" * 32, "/5"), ("a" * 32, None), ("../x", f"{'0' * 16}/5")])
def test_what_a_server_says_is_no_path(run_id, key, tmp_path):
    from types import SimpleNamespace

    run = SimpleNamespace(info=SimpleNamespace(run_id=run_id), data=SimpleNamespace(tags={POINT: key} if key else {}))
    with pytest.raises(FileError, match="is no point of this project's"):
        _folder(None, run, tmp_path)


def test_files_that_are_being_written_are_for_their_owner_alone(tmp_path, monkeypatch):
    with atomic_write(tmp_path / "a") as file:
        assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]
        file.write(b"x")
    seen = []
    monkeypatch.setattr(
        "os.fsync", lambda _: seen.extend(path.stat().st_mode & 0o777 for path in (tmp_path / "work").iterdir())
    )
    write_folder(tmp_path / "b", {"c": b"x"}, tmp_path / "work")
    assert seen[0] == 0o700


def test_every_test_that_the_page_names_is_there():
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)`", text)
    assert len(named) > 6
    for name in named:
        assert (ROOT / name).is_file(), name


# Who may print by itself: the console; the protocol between Dask's process and ours; reports of numbers alone.
PRINTERS = ("pipeline/base/console.py", "pipeline/sweep/dask.py", "pipeline/benchmarks/")


def test_nothing_prints_past_what_cleans_it():
    for path in ROOT.glob("pipeline/**/*.py"):
        name = str(path.relative_to(ROOT))
        if not name.startswith(PRINTERS):
            calls = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
            found = {ast.unparse(call) for call in calls}
            assert not found & {"print", "sys.stdout.write", "sys.stderr.write", "tqdm.write"}, name
