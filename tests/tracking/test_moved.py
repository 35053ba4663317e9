"""A store that was moved or copied with its folder, to wherever: its artifacts are there, and the old folder stays away."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.store.db import utils

from pipeline.tracking.address import LOCATIONS, address_of, artifacts_of, database_of, settle
from pipeline.tracking.mend import fault_of
from tests.helpers.tracking import make_points, new_store, point_runs, track

ODD = "a%20b 100%25?x=1&#'\";${seed}\nä日本"


def held(folder) -> set[str]:
    """All addresses of artifacts that a store has."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as store:
        rows = [row for table, column in LOCATIONS for row in store.execute(f"SELECT {column} FROM {table}")]
    return {value for (value,) in rows if value}


def test_an_address_is_read_as_it_was_written(tmp_path):
    assert address_of(tmp_path / "a b") == f"sqlite:///{tmp_path}/a b"
    assert address_of(tmp_path / "a%20?") == f"sqlite:///{tmp_path}/a%2520%3F"
    assert database_of(address_of(tmp_path / ODD)) == tmp_path / ODD


def test_mlflow_may_be_installed_in_any_folder(tmp_path, monkeypatch):
    """The environment of a project lies in its folder, and moves with it."""
    installed = tmp_path / ODD
    installed.mkdir()
    (installed / "store").symlink_to(Path(utils._get_package_dir(), "store"))
    monkeypatch.setattr(utils, "_get_package_dir", lambda: str(installed))
    new_store(tmp_path)
    assert track(tmp_path, make_points(tmp_path, 1)) == []
    assert len(point_runs(tmp_path)) == 1
    assert fault_of(tmp_path / "mlflow.db", 1, thorough=True) is None


def test_a_moved_store_serves_what_it_held_and_the_old_folder_stays_away(folder, tmp_path):
    old, new = tmp_path / "old", tmp_path / ODD
    old.mkdir()
    for path in list(tmp_path.glob("mlflow.db*")):
        path.rename(old / path.name)
    settle(old / "mlflow.db")
    assert track(old, make_points(old, 1)) == []
    old.rename(new)
    assert track(new, make_points(new, 2)) == []
    assert not old.exists()
    here = artifacts_of(new / "mlflow.db").as_uri()
    assert {place[: len(here)] for place in held(new)} == {here}
    client = MlflowClient(address_of(new / "mlflow.db"))
    found = point_runs(new)
    assert len(found) == 2
    for key, [run] in found.items():
        got = Path(client.download_artifacts(run.info.run_id, "record/result.json", str(tmp_path)))
        assert got.read_bytes() == (new / "experiments" / "digits" / "points" / key / "result.json").read_bytes()


@pytest.mark.parametrize("copied", ["all", "the database"])
def test_a_copy_uses_its_own_artifacts_if_it_has_some(folder, tmp_path, copied):
    settle(folder / "mlflow.db")
    before = held(folder)
    artifacts_of(folder / "mlflow.db").mkdir()
    (tmp_path / "copy").mkdir()
    shutil.copy(folder / "mlflow.db", tmp_path / "copy")
    if copied == "all":
        artifacts_of(tmp_path / "copy" / "mlflow.db").mkdir()
    settle(tmp_path / "copy" / "mlflow.db")
    wanted = {place.replace(f"{folder}/", f"{folder}/copy/") for place in before} if copied == "all" else before
    assert held(tmp_path / "copy") == wanted and held(folder) == before


def test_a_folder_that_is_not_utf_8_is_one_line_that_says_what_helps(tmp_path, impatient):
    odd = tmp_path / "a\udcff"
    odd.mkdir()
    [line] = track(odd, make_points(odd, 1))
    assert "has a name that is not UTF-8" in line and "tracking.uri=sqlite:////PATH.db" in line
