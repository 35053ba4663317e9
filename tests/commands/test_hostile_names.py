"""Names made to harm: of classes and files, in what the commands print, in tables, notes and pages."""

import csv
import json
import os

import numpy as np
import pytest

from pipeline.base.text import guarded, unguarded
from pipeline.cli import dispatch
from tests.helpers.command_lines import answer
from tests.helpers.commands import points

CLASSES = (
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "a;=1+1", "-1", "\x1b[31mred\x1b]0;title\x07",
    "\u202egnp.exe", "line\nerror: forged", "<img src=x onerror=alert(1)>", "[x](javascript:alert(1))", "x" * 300, "\x9b31m",
    "|a|",
)  # fmt: skip
FILE = "=h\x1b[31m\n.npz"


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with a sweep of two points over such data."""
    folder = tmp_path_factory.mktemp("hostile")
    labels = np.array(CLASSES)[np.arange(8 * len(CLASSES)) % len(CLASSES)]
    images = np.random.default_rng(0).integers(0, 17, (len(labels), 6, 5), np.uint8)
    np.savez(folder / FILE, images=images, labels=labels)
    os.mkfifo(folder / "\x1b[31mpipe")
    words = ["-m", "data=arrays", f"data.path={folder / FILE}", "name=h", "training.iterations=2,3", "compute.n_jobs=1"]
    said = answer(["train", *words, *place(folder), "tracking=off"], folder)
    assert said[0] == 0, said
    return folder, said


def place(folder):
    return [f"paths.experiments={folder / 'e'}"]


def commands(folder):
    """What can be said of that sweep."""
    odd, record = folder / FILE, points(folder / "e" / "h")[0]
    yield from (
        ["show", "h"],
        ["explain", "h", "--image", "3"],
        ["predict", "h", str(odd)],
        ["predict", "h", str(odd), "--json"],
    )
    yield from (["compare", "h"], ["compare", "h", "--csv"], ["compare", "h", "--markdown"], ["compare", "name=h"], ["gc"])
    yield from (
        ["verify", "h"],
        ["plan", "name=h", "data=arrays", f"data.path={odd}"],
        ["show", str(record)],
        ["verify", str(odd)],
    )
    yield from (
        ["predict", "h", str(folder / "\x1b[31mpipe")],
        ["explain", "h", "--image", f"{folder}/\x1b[31m\n"],
        ["\x1b[31m"],
    )
    yield from (["train", "name=\x1b[31m"], ["train", "\x1b[31m=1"], ["show", "h", "\x1b[31m=1"], ["track", "\x1b]0;x\x07"])
    yield from (["train", "data=arrays", "data.path=\x1b[31m.npz"], ["compare", "h", "--csv=\x1b[31m/x"], ["ui", "\x1b[31m"])
    yield from (["check-gradients", "--loss", "\x1b[31m"], ["train", "-cd", "\x1b[31m"], ["compare", "\u202e", "h"])


def test_no_letter_of_theirs_moves_the_cursor_of_a_terminal(here):
    folder, (_, *told) = here
    for words in commands(folder):
        where = place(folder) if words[0] not in ("ui", "check-gradients") else []
        code, out, error = answer([*words, *where], folder, terminal=True)
        assert code in (0, 1) and "Traceback" not in out + error, (words, code, error)
        told += [out, error]
        assert "\nerror: forged" not in error
    for line in "\n".join(told).split("\n"):
        assert line.isprintable(), line
    log = next(folder.rglob("train.log")).read_text()
    assert "point 2/2" in log and all(line.isprintable() for line in log.split("\n"))


def test_every_line_that_is_said_on_the_way_is_short(here):
    _, (_, out, error) = here
    assert max(map(len, (out + error).split("\n"))) <= 300


def cells(content):
    for row in csv.reader(content.splitlines(keepends=True)):
        yield from row


def test_no_table_of_theirs_runs_in_a_spreadsheet_and_what_reads_it_knows_their_names(here):
    folder, _ = here
    assert dispatch(["predict", "h", str(folder / FILE), "--out", str(folder / "p.csv"), *place(folder)]) == 0
    assert dispatch(["compare", "h", "--csv", str(folder / "c.csv"), "--y-hat", str(folder / "y.csv"), *place(folder)]) == 0
    tables = [path for path in folder.rglob("*.csv") if "data" not in path.parts]
    assert len(tables) >= 12
    for path in tables:
        with path.open(newline="", encoding="utf-8") as file:
            for cell in cells(file.read()):
                assert guarded(unguarded(cell)) == cell, (path, cell)
    from pipeline.records.record import read_record

    record = read_record(points(folder / "e" / "h")[0])
    assert set(record.y_hat["target"]) <= set(record.classes) == set(CLASSES)
    assert list(record.y_hat)[2:] == [f"y_hat_{name}" for name in record.classes]
    assert np.isfinite(record.vectors.y_hat).all()


def test_markdown_of_theirs_holds_no_markup(here):
    folder, _ = here
    code, out, _ = answer(["compare", "h", "--markdown", *place(folder)], folder)
    assert code == 0 and "<img" not in out and "](" not in out


def test_numbers_of_a_table_stay_numbers(here):
    folder, _ = here
    code, out, _ = answer(["compare", "h", "--json", *place(folder)], folder)
    found = json.loads(out)
    with (folder / "e" / "h" / "points.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert code == 0 and [float(row["test_margin"]) for row in rows] == [
        one["metrics"]["test_margin"] for one in found["points"]
    ]
    assert float(rows[0]["test_margin"]) < 0
