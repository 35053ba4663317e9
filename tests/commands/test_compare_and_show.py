"""`ovrcnn compare` and `ovrcnn show` as they are typed."""

import csv
import io
import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from pipeline.base.errors import MendableError
from pipeline.cli import dispatch
from tests.helpers.command_lines import answer
from tests.helpers.commands import ROOT, SMALL_SWEEP, command, contents, points

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """A small sweep called `small`, and a point of the notebook's called `notebook`."""
    folder = tmp_path_factory.mktemp("swept")
    place = [f"paths.experiments={folder / 'results'}", "tracking=off"]
    for words in ([*SMALL_SWEEP, "name=small"], ["experiment=notebook", "training.iterations=5"]):
        assert dispatch(["train", *words, *place]) == 0
    return folder


@pytest.fixture
def swept(results, monkeypatch) -> Path:
    """Their folder, from where commands are typed."""
    monkeypatch.chdir(results)
    return results


@pytest.fixture
def said(swept, capsys):
    """What a stage prints, and what it says beside."""

    def of(stage: str, *words: str) -> tuple[str, str]:
        capsys.readouterr()
        assert dispatch([stage, *words, "paths.experiments=results", "tracking=off"]) == 0
        found = capsys.readouterr()
        return found.out, found.err

    return of


def test_an_experiments_grid_writes_its_tables_and_another_set_does_not(swept, said):
    said("compare", "name=small")
    before = contents(swept / "results")
    table = (swept / "results" / "small" / "points.csv").read_text()
    out, err = said("compare", "name=small", "kernel_size=3", "iterations>6", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert err == "" and len(rows) == 1 and Path(rows[0]["record"]).is_dir()
    assert rows[0]["validation_accuracy"] in table and "/".join(Path(rows[0]["record"]).parts[-3:]) in table
    out, err = said("compare", "small", "results/notebook", "--json", "--markdown", "all.md", "--y-hat", "y.csv")
    plain = json.loads(out)
    assert len(plain["points"]) == 5 and len(plain["notes"]) == 2
    assert err.splitlines() == ["table of 5 points: all.md", "y-hat vectors of 5 points: y.csv"]
    assert (swept / "all.md").read_text().startswith("| source | ")
    assert (swept / "y.csv").read_text().startswith("data,image,target,")
    assert contents(swept / "results") == before


def test_notebooks_point_compares_with_a_kernel_size_that_is_null(said):
    out, _ = said("compare", "experiment=notebook")
    assert "* best: kernel_size=null alpha=0.001 iterations=5 " in out


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["compare", "nosuch"], "nosuch: is no experiment, no folder of a record and no trajectory; "),
        (["compare", "small", "alpha=7"], "alpha=7: no point is left; training.alpha is 0.1"),
        (["compare", "f" * 32], f"{'f' * 32}: is an MLflow run; with tracking=off there are none"),
        (["show"], "show: names no point; ovrcnn show --help says how to name one"),
        (["show", "small", "kernel_size=3"], "small kernel_size=3: 2 points are meant, name one or say best: iterations=6; "),
    ],
)
def test_what_cannot_be_compared_or_shown_is_one_line(swept, words, line):
    with pytest.raises(MendableError) as caught:
        dispatch([*words, f"paths.experiments={swept / 'results'}", "tracking=off"])
    assert str(caught.value).startswith(line) and "\n" not in str(caught.value)


def test_a_point_is_shown_as_plain_text_in_a_pipe_and_in_colour_on_a_terminal(swept):
    words = ["small kernel_size=5 iterations=12", "paths.experiments=results", "tracking=off"]
    code, plain, error = answer(["show", *words], swept)
    assert (code, error) == (0, "")
    [folder] = [
        f
        for f in points(swept / "results" / "small")
        if f.name == "12" and "kernel_size: 5" in (f / "settings.yaml").read_text()
    ]
    metrics = json.loads((folder / "result.json").read_text())["metrics"]
    assert plain.startswith("small: kernel_size=5 iterations=12\nvalidation_accuracy ") and "\x1b" not in plain
    for wanted in (f"{metrics['test_accuracy']:.4f}", f"files: {folder}", "\n  +9 is ", "\n  *  model.kernel_size    5\n"):
        assert wanted in plain
    ours, theirs = pty.openpty()
    words = ["small", "best", "paths.experiments=results"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLORTERM": "truecolor", "PYTHONUTF8": "1"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(command("show", *words), cwd=swept, env=environment, stdout=theirs) as shown:
        os.close(theirs)
        text = b""
        while part := _read(ours):
            text += part
    assert shown.returncode == 0 and "\x1b[38;2;" in text.decode() and "▀" in text.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        # What Linux says at the end of a terminal.
        return b""


@pytest.mark.parametrize("stage", ["compare", "show"])
def test_help_says_how_points_are_named(stage, capsys):
    assert dispatch([stage, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"usage: ovrcnn {stage} ") and max(map(len, lines)) <= 128
