"""What Hydra's users type keeps working: real command lines, other launchers and sweepers, questions."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline.base.errors import MendableError
from pipeline.train import main
from tests.helpers.commands import contents, points

FEW = ["training.iterations=3", "training.batch_size=8"]


def scratch(tmp_path: Path) -> Path:
    return tmp_path / "experiments" / "scratch"


def test_folders_of_a_sweeps_points(place, tmp_path):
    named = ["hydra.sweep.dir=" + str(tmp_path / "runs"), "hydra.sweep.subdir=${hydra.job.num}_${hydra.job.override_dirname}"]
    assert main([*place, *FEW, "-m", "seed=1,2", *named]) == 0
    held = contents(tmp_path / "runs")
    assert held["1_seed=2/overrides.txt"] == b"seed=2\n" and "train.log" in held
    assert len(points(scratch(tmp_path))) == 2


def test_a_folder_of_a_run_and_chdir(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = ["paths.experiments=here", "tracking=off", "hydra.run.dir=there", "hydra.job.chdir=true"]
    assert main([*places, *FEW]) == 0
    assert Path.cwd() == tmp_path
    assert len(points(tmp_path / "here" / "scratch")) == 1
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["train.log"]


def test_an_experiment_of_ones_own_beside_the_projects(place, tmp_path):
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    text = "# @package _global_\nname: mine\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      seed: 1,2\n"
    (tmp_path / "mine" / "experiment" / "mine.yaml").write_text(text)
    assert main([*place, *FEW, "--config-dir", str(tmp_path / "mine"), "experiment=mine"]) == 0
    assert len(points(tmp_path / "experiments" / "mine")) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        (["--help"], "training.alpha=0.5"),
        (["--cfg", "job"], "kernel_size: 3"),
        (["--cfg", "hydra"], "sweep:"),
        (["--cfg", "all", "--resolve"], "experiments: /"),
        (["model.kernel_size=5", "--cfg", "job", "--package", "model"], "kernel_size: 5"),
        (["--info", "defaults"], "training/minibatch"),
        (["--hydra-help"], "Hydra"),
    ],
)
def test_questions_are_answered(run, flags, wanted, tmp_path):
    ended = run("train", *flags)
    assert ended.returncode == 0 and ended.stderr == "" and wanted in ended.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_full_error_is_shown_to_who_asks_for_it(run, tmp_path, monkeypatch):
    assert run("train", "training.alpha=nan").stderr.count("\n") == 1
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    full = run("train", "training.alpha=nan").stderr
    assert "Traceback" in full and full.endswith("training.alpha: must be positive and finite, not nan\n")
    assert "OverrideParseException" in run("train", "word").stderr


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [["joblib", "hydra.launcher.n_jobs=2"], ["submitit_local"]], ids=lambda words: words[0])
def test_other_launchers_run_the_same_points_under_one_parent(run, tracked, launcher, tmp_path):
    from mlflow import MlflowClient

    name, *options = launcher
    (tmp_path / "experiment").mkdir()
    text = "# @package _global_\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      model: {kernel_size: [3, 5]}\n"
    (tmp_path / "experiment" / "two.yaml").write_text(text)
    two = ["--config-dir", str(tmp_path), "experiment=two", *FEW]
    expected = run("train", *two, f"paths.experiments={tmp_path / 'own'}", "tracking=off")
    assert expected.returncode == 0, expected.stderr
    ended = run("train", *two, *tracked, f"hydra/launcher={name}", *options)
    assert ended.returncode == 0, ended.stderr
    assert contents(scratch(tmp_path) / "points") == contents(tmp_path / "own" / "scratch" / "points")
    for table in ("points.csv", "y_hat.csv", "config.yaml"):
        assert (scratch(tmp_path) / table).read_bytes() == (tmp_path / "own" / "scratch" / table).read_bytes()
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("scratch").experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1 and len(runs) == 3 and {run.info.status for run in runs} == {"FINISHED"}
    assert {run.data.tags["mlflow.parentRunId"] for run in runs if run not in parents} == {parents[0].info.run_id}


@pytest.mark.slow
def test_a_search_is_resumed_tracked_and_compared_as_a_grid_is(run, tracked, tmp_path):
    from mlflow import MlflowClient

    short = ["experiment=digits_search", "training.iterations=30", *tracked]
    first = run("train", *short, "hydra.sweeper.n_trials=3")
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "experiments" / "digits_search"
    before = contents(folder / "points")
    again = run("train", *short, "hydra.sweeper.n_trials=5")
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("already computed") == 3
    assert set(before) <= set(contents(folder / "points")) and len(points(folder)) == 5
    other = run("train", *short, "hydra.sweeper.n_trials=2", "training.batch_size=16")
    assert other.returncode == 1 and "add name=NAME" in other.stderr
    table = pd.read_csv(folder / "points.csv")
    assert len(table) == 5 and {"model.kernel_size", "training.alpha", "validation_accuracy"} <= set(table.columns)
    best = json.loads((folder / "metrics.json").read_text())
    assert best["validation_accuracy"] == table["validation_accuracy"].max()
    assert len(yaml.safe_load((folder / "config.yaml").read_text())["points"]) == 5
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("digits_search").experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1 and len(runs) == 6 and {run.info.status for run in runs} == {"FINISHED"}


def test_a_search_of_which_no_point_works_says_so(place):
    with pytest.raises(MendableError, match=r"model\.kernel_size: must be an odd number"):
        main([*place, "experiment=digits_search", "model.kernel_size=4"])
