"""A data file that is replaced or written while a sweep runs: points stay what they are, and one line tells."""

import os

import numpy as np
import pytest

from pipeline import train
from pipeline.data.prepared import load
from pipeline.records.record import read_record
from pipeline.settings import DataSettings, Settings
from tests.helpers.command_lines import answer
from tests.helpers.commands import points

GRID = ["-m", "data=arrays", "data.path=d.npz", "name=h", "training.alpha=0.1,0.2", "training.iterations=3", "tracking=off",
        "training.batch_size=4"]  # fmt: skip


def write(path, seed):
    images = np.random.default_rng(seed).integers(0, 17, (30, 6, 5), np.uint8)
    np.savez(path, images=images, labels=np.arange(30) % 3)


def replace(folder):
    write(folder / "new.npz", 1)
    (folder / "new.npz").replace(folder / "d.npz")


def overwrite(folder):
    write(folder / "d.npz", 1)


def shorten(folder):
    os.truncate(folder / "d.npz", 10)


def remove(folder):
    (folder / "d.npz").unlink()


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """Runs a sweep, in the midst of which something happens; exit code and both streams."""
    write(tmp_path / "d.npz", 0)
    monkeypatch.chdir(tmp_path)

    def run(where, happens, *words):
        real = getattr(train, where)
        monkeypatch.setattr(train, where, lambda *args: (happens(tmp_path), real(*args))[1])
        found = answer(["train", *GRID, f"paths.experiments={tmp_path / 'e'}", "compute.n_jobs=1", *words], tmp_path)
        monkeypatch.setattr(train, where, real)
        return found

    return run


@pytest.mark.parametrize("happens", [replace, overwrite, shorten, remove])
def test_the_points_are_trained_on_what_it_held_and_one_line_tells(sweep, tmp_path, happens):
    held = load(Settings(data=DataSettings("arrays", str(tmp_path / "d.npz")))).digest
    code, out, error = sweep("drive", happens)
    assert code == 0 and "point 2/2" in out
    assert len(error.splitlines()) == 1 and "d.npz was replaced or written meanwhile" in error
    assert [read_record(folder).result.data for folder in points(tmp_path / "e" / "h")] == [held, held]
    # Workers of other processes find it where it was prepared, though the source could have been mapped itself.
    assert list((tmp_path / "e" / "h" / "data").glob("arrays-*.npz"))


def test_a_job_of_another_launcher_does_not_train_on_other_data(sweep, tmp_path):
    code, _, error = sweep("hand_over", replace, "hydra/launcher=joblib", "hydra.launcher.n_jobs=1")
    told = [line for line in error.splitlines() if "is other data than when the sweep began" in line]
    assert code == 1 and len(told) == 2 and points(tmp_path / "e" / "h") == [] and "Traceback" not in error
    # As it says: the same command again.
    code, _, error = sweep("drive", lambda _: None)
    assert code == 0 and error == "" and len({read_record(folder).result.data for folder in points(tmp_path / "e" / "h")}) == 1
