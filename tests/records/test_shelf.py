"""Points that wait on the shelf, and records of an earlier layout: brought up to date, or set aside with one line."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from pipeline.records.earlier import is_earlier
from pipeline.records.record import is_finished, read_record
from pipeline.records.shelf import bring_back, bring_up_to_date, set_aside
from tests.helpers.records import point_of, record_files, small_data, small_settings, train


@pytest.fixture
def point(tmp_path):
    settings = small_settings(tmp_path, 300)
    train(settings, small_data())
    return point_of(settings, small_data())


def as_before(folder):
    """The record as version 0.1 wrote it: every loss in losses.csv, no losses.npy, no sums."""
    record = read_record(folder)
    curve = pd.DataFrame(np.array(record.losses), columns=record.classes)
    curve.insert(0, "iteration", np.arange(1, len(curve) + 1))
    (folder / "losses.csv").write_text(curve.to_csv(index=False, lineterminator="\n"))
    for name in ("losses.npy", "SHA256SUMS"):
        (folder / name).unlink()


def test_an_earlier_record_is_brought_to_the_bytes_of_todays(point):
    expected = record_files(point.folder)
    as_before(point.folder)
    assert is_earlier(point.folder) and not is_finished(point.folder)
    said = bring_up_to_date(point.settings.folder, [point.folder])
    assert said == ["1 records of an earlier layout were brought to today's"]
    assert record_files(point.folder) == expected
    assert bring_up_to_date(point.settings.folder, [point.folder]) == []


DAMAGE = {
    "an open text": ("result.json", lambda path: path.write_text("{")),
    "a deep text": ("result.json", lambda path: path.write_text("[" * 100_000)),
    "endless iterations": ("result.json", lambda path: path.write_text(path.read_text().replace("300,", "1e999,", 1))),
    "half the losses": ("losses.csv", lambda path: path.write_text(path.read_text()[: path.stat().st_size // 2])),
    "no checkpoint": ("checkpoint.npz", lambda path: path.write_bytes(path.read_bytes()[:100])),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_earlier_record_is_set_aside_in_one_line(point, what):
    as_before(point.folder)
    name, harm = DAMAGE[what]
    harm(point.folder / name)
    [line] = bring_up_to_date(point.settings.folder, [point.folder])
    assert str(point.folder) in line and "it was moved to" in line and "\n" not in line
    aside = point.settings.folder / "work" / "damaged" / f"{point.trajectory}-300"
    assert (aside / name).exists() and not point.folder.exists()


def test_an_earlier_record_of_other_iterations_is_not_taken(point):
    as_before(point.folder)
    result = json.loads((point.folder / "result.json").read_text())
    (point.folder / "result.json").write_text(json.dumps({**result, "iterations": 299}))
    [line] = bring_up_to_date(point.settings.folder, [point.folder])
    assert "do not belong together" in line


def test_points_go_to_the_shelf_and_come_back_with_their_bytes(point):
    expected, experiment = record_files(point.folder), point.settings.folder
    set_aside(experiment, [])
    assert not point.folder.parent.exists()
    bring_back(experiment, [point.folder])
    assert record_files(point.folder) == expected
    shutil.rmtree(point.folder)
    bring_back(experiment, [point.folder])
    assert not point.folder.exists()
