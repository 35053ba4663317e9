"""Training from the command line: single points, sweeps, launchers, the notebook."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.base.errors import SettingsError
from pipeline.compare import main as compare
from pipeline.records.provenance import PROVENANCE
from pipeline.records.record import FILES
from pipeline.sweep.experiment import alone
from pipeline.sweep.grid import read_grid
from pipeline.train import _compare, main
from tests.helpers.command_lines import answer
from tests.helpers.commands import SMALL_SWEEP, contents, points, until

FEW = ["training.iterations=3", "training.batch_size=8"]
GOLDEN = Path(__file__).parent.parent / "heads" / "golden"


def test_the_notebook_to_the_digit(place, tmp_path):
    code, said, error = answer(["train", *place, "experiment=notebook", "seed=3"], tmp_path)
    assert code == 0, error
    golden = np.load(GOLDEN / "notebook_seed_3.npz")
    [point] = points(tmp_path / "experiments" / "notebook")
    y_hat = pd.read_csv(point / "y_hat.csv")
    assert list(y_hat.columns) == ["image", "target", *(f"y_hat_{j}" for j in range(len(golden["target"])))]
    assert y_hat["target"].tolist() == [golden["target"].argmax()]
    np.testing.assert_allclose(y_hat.to_numpy(float)[0, 2:], golden["y_hat"], rtol=1e-9)
    with np.load(point / "checkpoint.npz", allow_pickle=False) as checkpoint:
        assert checkpoint["iteration"] == 500
        for j in range(len(golden["target"])):
            for name in ("kernel", "bias", "weights", "bias_flat"):
                expected = golden[f"head{j}/final/{name}"].ravel()
                np.testing.assert_allclose(checkpoint[f"head{j}/{name}"].ravel(), expected, rtol=1e-9)
    # As in the notebook, the target stands beside y-hat.
    row = [line.split() for line in said.splitlines() if line.split()[:1] == [str(golden["target"].argmax())]]
    assert row[0][1] == "1.0" and float(row[0][2]) == pytest.approx(golden["y_hat"].max(), abs=1e-5)


def test_a_point_writes_its_whole_record(place, tmp_path):
    assert main([*place, "model.kernel_size=5", "training.iterations=7", "training.batch_size=16"]) == 0
    [point] = points(tmp_path / "experiments" / "scratch")
    assert sorted(contents(point)) == sorted([*FILES, PROVENANCE])
    losses = pd.read_csv(point / "losses.csv")
    assert list(losses.columns) == ["iteration", *map(str, range(10))]
    assert losses["iteration"].tolist() == list(range(1, 8))
    result = json.loads((point / "result.json").read_text())
    assert result["images"] == {"train": 1078, "validation": 359, "test": 360}
    assert [head["class"] for head in result["heads"]] == list(map(str, range(10)))
    assert len(pd.read_csv(point / "y_hat.csv")) == 360


def test_any_number_of_workers_gives_the_same_bytes(tmp_path, capsys):
    ways = {
        "basic": ["compute.n_jobs=1"],
        "threads": ["compute.n_jobs=2"],
    }
    found = {}
    for name, way in ways.items():
        experiments = tmp_path / name
        assert main([*SMALL_SWEEP, f"paths.experiments={experiments}", "tracking=off", *way]) == 0
        said = capsys.readouterr()
        assert said.err == ""
        found[name] = contents(experiments / "scratch" / "points")
        assert len(points(experiments / "scratch")) == 4
        assert "* best: " in said.out and "point 4" in said.out
    assert found["basic"] == found["threads"]


def test_a_finished_point_is_not_computed_again(place, tmp_path, capsys):
    assert main([*place, *SMALL_SWEEP]) == 0
    assert "already computed" not in capsys.readouterr().out.split("point 2/4")[0]
    before = {path: path.stat().st_mtime_ns for path in points(tmp_path / "experiments" / "scratch")}
    assert main([*place, *SMALL_SWEEP]) == 0
    assert capsys.readouterr().out.count("already computed") == 4
    assert {path: path.stat().st_mtime_ns for path in points(tmp_path / "experiments" / "scratch")} == before


def test_a_failed_point_is_told_at_once_and_the_others_go_on(place, tmp_path):
    words = ["-m", "training.alpha=0.5,1e308", "training.iterations=20", "model.gradient=exact"]
    code, said, error = answer(["train", *place, *words], tmp_path)
    assert code == 1
    assert re.search(r"^point alpha=1e\+308 failed: head ", error, re.M)
    assert "nan or inf at iteration" in error and "with alpha 1e+308" in error
    assert "1 of 2 points failed" in error
    assert len(points(tmp_path / "experiments" / "scratch")) == 1
    assert "* best: alpha=0.5" in said


def test_a_command_line_value_replaces_an_experiments_axis(place, tmp_path):
    assert main([*place, "experiment=notebook_grid", "training.iterations=5", "training.alpha=0.001"]) == 0
    table = pd.read_csv(tmp_path / "experiments" / "notebook_grid" / "points.csv")
    assert table["model.kernel_size"].tolist() == [3, 5, 7]


def test_points_of_a_named_experiment_follow_its_grid(place, tmp_path):
    folder = tmp_path / "experiments" / "notebook_grid"
    small = [*place, "experiment=notebook_grid", "name=notebook_grid", "training.iterations=5,8", "training.alpha=0.001"]
    assert main(small) == 0
    kept = contents(folder / "points")
    assert (
        main([*place, "experiment=notebook_grid", "name=notebook_grid", "training.iterations=5", "training.alpha=0.002"]) == 0
    )
    assert not set(kept) & set(contents(folder / "points"))
    assert main(small) == 0
    assert contents(folder / "points") == kept


def test_a_single_point_waits_for_a_sweep_of_its_experiment(place, tmp_path, monkeypatch, capsys):
    """Begun while the sweep runs, it leaves the sweep its grid, and has its own afterwards."""
    words, beside, said = [*place, *FEW, "name=mine"], [], []

    def waits():
        said.append(capsys.readouterr().err)
        return "a sweep of mine is running; waiting for it to end\n" in "".join(said)

    def compared(*arguments):
        beside.append(threads.submit(main, [*words, "seed=9"]))
        until(lambda: waits() or beside[0].done())
        return _compare(*arguments)

    monkeypatch.setattr("pipeline.train._compare", compared)
    with ThreadPoolExecutor(1) as threads:
        assert main([*words, "-m", "seed=0,1"]) == 0
        assert beside[0].result() == 0
    assert waits() and [point.seed for point in read_grid(tmp_path / "experiments" / "mine").points] == [9]
    assert compare([*place, "name=mine"]) == 0


def test_single_points_of_an_experiment_are_trained_side_by_side_and_a_sweep_waits_for_them(place, tmp_path, capsys):
    words, said = [*place, *FEW, "name=mine"], []

    def waits():
        said.append(capsys.readouterr().err)
        return "another command of mine is running; waiting for it to end\n" in "".join(said)

    with ThreadPoolExecutor(1) as threads:
        with alone(tmp_path / "experiments" / "mine", sweep=False):
            assert main([*words, "seed=9"]) == 0
            sweep = threads.submit(main, [*words, "-m", "seed=0,1"])
            until(waits)
            assert not sweep.done() and points(tmp_path / "experiments" / "mine") != []
        assert sweep.result() == 0
    assert len(points(tmp_path / "experiments" / "mine")) == 2


def test_a_single_point_comes_back_from_the_shelf(place, tmp_path, capsys):
    """As `plan` says; what the sweep before it has stays beside it."""
    words, folder = [*place, *FEW, "name=mine"], tmp_path / "experiments" / "mine"
    for seeds in ("0,1", "2,3"):
        assert main([*words, "-m", f"seed={seeds}"]) == 0
    there, shelf = contents(folder / "points"), contents(folder / "work" / "shelf")
    capsys.readouterr()
    assert main([*words, "seed=0"]) == 0
    assert "already computed" in capsys.readouterr().out
    assert contents(folder / "points").items() > there.items() and len(points(folder)) == 3
    assert contents(folder / "points") | contents(folder / "work" / "shelf") == there | shelf


def test_a_changed_sweep_does_not_take_the_place_of_a_named_one(place, tmp_path):
    small = [*place, "experiment=digits", "training.iterations=4,8", "model.kernel_size=3"]
    assert main([*small, "training.alpha=0.1,0.5"]) == 0
    before = contents(tmp_path / "experiments" / "digits")
    right = r"^name: .*/digits holds experiment=digits without .*training.alpha=0.3; add name=NAME"
    with pytest.raises(SettingsError, match=right):
        main([*small, "training.alpha=0.3"])
    assert contents(tmp_path / "experiments" / "digits") == before
    assert main([*small, "training.alpha=0.3", "name=bolder"]) == 0
    assert main([*small, "training.alpha=0.1,0.5"]) == 0


def test_a_file_of_ones_own_is_found_from_another_folder(place, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "here" / "mine (1).npz", images=rng.random((60, 6, 6)), labels=np.arange(60) % 2)
    monkeypatch.chdir(tmp_path / "here")
    data = ["data=arrays", "data.path=mine (1).npz"]
    assert main([*place, "name=mine", *data, "training.iterations=2,4", "training.batch_size=8", "-m"]) == 0
    monkeypatch.chdir(tmp_path / "there")
    assert compare([*place, "name=mine"]) == 0


def test_a_class_without_training_images_is_warned_about(place, tmp_path, capsys):
    labels = np.array(["a"] * 12 + ["b"] * 12 + ["c"])
    np.savez(tmp_path / "mine.npz", images=np.random.default_rng(0).random((25, 6, 4)), labels=labels)
    arguments = [
        "data=arrays",
        f"data.path={tmp_path / 'mine.npz'}",
        "training.iterations=3",
        "training.batch_size=4",
        "data.validation=0",
    ]
    warned = []
    for fold in range(5):
        assert main([*place, *arguments, f"data.fold={fold}"]) == 0
        warned.append("no image for training of class c" in capsys.readouterr().err)
    assert sum(warned) == 1
