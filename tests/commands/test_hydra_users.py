"""What Hydra's users type keeps working: real command lines, other launchers and sweepers, questions."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.base.errors import MendableError
from pipeline.cli import STAGES
from pipeline.train import main
from tests.helpers.command_lines import answer
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
def test_questions_are_answered(flags, wanted, tmp_path):
    code, out, error = answer(["train", *flags], tmp_path)
    assert code == 0 and error == "" and wanted in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("stage", STAGES)
def test_help_says_how_a_stage_is_used_and_runs_nothing(stage, flag, tmp_path):
    # Without a place of its own it would be the project's.
    place = ["paths.experiments=here"] if stage in ("compose", "prepare") else []
    code, out, error = answer([stage, *place, flag], tmp_path)
    usage = "Train one-vs-rest" if stage == "train" else f"usage: ovrcnn {stage} "
    assert code == 0 and error == "" and out.startswith(usage)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stage", ["compose", "prepare"])
def test_stages_that_take_trains_words_show_a_config_and_write_nothing(stage, tmp_path):
    code, out, error = answer([stage, "paths.experiments=here", "--cfg", "job"], tmp_path)
    assert code == 0 and error == "" and "kernel_size: 3" in out
    assert list(tmp_path.iterdir()) == []


def test_the_full_error_is_shown_to_who_asks_for_it(run, tmp_path, monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    full = run("train", "training.alpha=nan").stderr
    assert "Traceback" in full and full.endswith("training.alpha: must be positive and finite, not nan\n")
    raised, _, _ = answer(["train", "word"], tmp_path)
    assert type(raised).__name__ == "OverrideParseException"


def runs_and_parent(folder: Path, name: str):
    """The runs of an experiment's points, all finished, and the one run that they are under."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name(name).experiment_id])
    [parent] = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert {run.info.status for run in runs} == {"FINISHED"}
    return [run for run in runs if run is not parent], parent


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> tuple[list[str], Path]:
    """The words of a sweep of two points, and what it leaves when nobody else launches it."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "experiment").mkdir()
    text = "# @package _global_\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      model: {kernel_size: [3, 5]}\n"
    (folder / "experiment" / "two.yaml").write_text(text)
    words = ["--config-dir", str(folder), "experiment=two", *FEW]
    assert main([*words, f"paths.experiments={folder / 'own'}", "tracking=off"]) == 0
    return words, folder / "own" / "scratch"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("launcher", [["joblib", "hydra.launcher.n_jobs=2"], ["submitit_local"]], ids=lambda words: words[0])
def test_other_launchers_run_the_same_points_under_one_parent(tracked, two, launcher, tmp_path):
    (words, own), (name, *options) = two, launcher
    code, _, error = answer(["train", *words, *tracked, f"hydra/launcher={name}", *options], tmp_path)
    assert code == 0, error
    assert contents(scratch(tmp_path) / "points") == contents(own / "points")
    for table in ("points.csv", "y_hat.csv", "config.yaml"):
        assert (scratch(tmp_path) / table).read_bytes() == (own / table).read_bytes()
    runs, parent = runs_and_parent(tmp_path, "scratch")
    assert len(runs) == 2 and {run.data.tags["mlflow.parentRunId"] for run in runs} == {parent.info.run_id}


@pytest.mark.parametrize("launcher", [[], ["hydra/launcher=joblib", "hydra.launcher.n_jobs=1"]], ids=["own", "joblib"])
def test_equal_data_under_two_names_is_one_point(launcher, place, tmp_path):
    random = np.random.default_rng(0)
    arrays = {"images": random.random((30, 6, 6)), "labels": np.arange(30) % 3}
    files = [tmp_path / f"{name}.npz" for name in "ab"]
    for file in files:
        np.savez(file, **arrays)
    words = [*place, *FEW, *launcher, "data=arrays", "-m", f"data.path={','.join(map(str, files))}"]
    code, out, error = answer(["train", *words], tmp_path)
    assert code == 0 and len(points(scratch(tmp_path))) == 1, error
    assert launcher or ("1 point: 1 new" in out and "point 1/1  path=" in out)


# MLflow's tables make sqlalchemy warn, and what warns then is broken for the rest of the process.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_search_is_resumed_tracked_and_compared_as_a_grid_is(tracked, tmp_path, capsys):
    short = ["experiment=digits_search", "training.iterations=30", *tracked]
    assert main([*short, "hydra.sweeper.n_trials=3"]) == 0
    folder = tmp_path / "experiments" / "digits_search"
    before = contents(folder / "points")
    capsys.readouterr()
    assert main([*short, "hydra.sweeper.n_trials=5"]) == 0
    assert capsys.readouterr().out.count("already computed") == 3
    assert set(before) <= set(contents(folder / "points")) and len(points(folder)) == 5
    with pytest.raises(MendableError, match="add name=NAME"):
        main([*short, "hydra.sweeper.n_trials=2", "training.batch_size=16"])
    table = pd.read_csv(folder / "points.csv")
    assert len(table) == 5 and {"model.kernel_size", "training.alpha", "validation_accuracy"} <= set(table.columns)
    best = json.loads((folder / "metrics.json").read_text())
    assert best["validation_accuracy"] == table["validation_accuracy"].max()
    assert len(yaml.safe_load((folder / "config.yaml").read_text())["points"]) == 5
    assert len(runs_and_parent(tmp_path, "digits_search")[0]) == 5


def test_a_search_of_which_no_point_works_says_so(place, monkeypatch):
    # Only joblib's workers need a guard.
    monkeypatch.setattr("pipeline.train.guard_workers", lambda: pytest.fail("started for nothing"))
    with pytest.raises(MendableError, match=r"model\.kernel_size: must be an odd number"):
        main([*place, "experiment=digits_search", "model.kernel_size=4"])
