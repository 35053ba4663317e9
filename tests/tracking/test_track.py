"""ovrcnn track: a store that was deleted, or another one, is told what the first was, once, and with its times."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from pipeline.base.errors import FileError
from pipeline.records.times import TIMES, Times, note
from pipeline.verify import main as verify
from tests.helpers.commands import SMALL_SWEEP, contents, run_in

# What a store's content says of itself: who logged it, and ids.
IDS = {"pid", "owner", "mlflow.parentRunId", "mlflow.log-model.history", "mlflow.note.content", "compared"}
IDS |= {"mlflow.modelVersions"}


def held(uri: str) -> list[Any]:
    """All that a client sees of an experiment but its ids and the folders that descriptions name."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("scratch").experiment_id
    found = []
    for run in client.search_runs([experiment], max_results=1000):
        run_id, parent = run.info.run_id, run.data.tags.get("mlflow.parentRunId")
        times = (run.info.start_time, run.info.end_time)
        tags = {key: value for key, value in run.data.tags.items() if key not in IDS}
        of_points = {} if "sweep" in tags else run.data.metrics
        curves = {key: [(m.step, m.timestamp, m.value) for m in client.get_metric_history(run_id, key)] for key in of_points}
        data = sorted((entry.dataset.name, entry.dataset.digest) for entry in run.inputs.dataset_inputs)
        files = sorted(f"{place}/{each.path}" for place in ("", "record") for each in client.list_artifacts(run_id, place))
        held_by = parent and client.get_run(parent).data.tags["sweep"]
        found.append([run.info.run_name, run.info.status, times, tags, run.data.params, run.data.metrics, curves, data, files,
                      held_by])  # fmt: skip
    best = client.get_model_version_by_alias("scratch", "champion")
    models = sorted(model.name for model in client.search_logged_models([experiment]))
    champion = [client.get_run(best.run_id).data.tags["point"], best.description]
    # Databases give tags in different orders.
    ordered = sorted(json.dumps(entry, sort_keys=True) for entry in found)
    return [ordered, models, champion, client.get_experiment(experiment).tags["mlflow.note.content"]]


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> Path:
    """A point alone, and then a sweep, tracked by their commands."""
    folder = tmp_path_factory.mktemp("swept")
    place = [f"paths.experiments={folder / 'experiments'}", f"tracking.uri=sqlite:///{folder / 'mlflow.db'}"]
    for words in (["training.iterations=4", "training.batch_size=8"], SMALL_SWEEP):
        ended = run_in(folder, "train", *words, *place)
        assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    return folder


@pytest.mark.slow
def test_a_moved_project_fills_another_store_with_what_the_first_held(swept, tmp_path):
    before = held(f"sqlite:///{swept / 'mlflow.db'}")
    shutil.copytree(swept / "experiments", tmp_path / "experiments", copy_function=shutil.copy)
    place = [f"paths.experiments={tmp_path / 'experiments'}", f"tracking.uri=sqlite:///{tmp_path / 'new.db'}"]
    records = contents(tmp_path / "experiments" / "scratch")
    ended = run_in(tmp_path, "track", *place)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("scratch: 5 of 5 points logged now")
    assert held(f"sqlite:///{tmp_path / 'new.db'}") == before
    # Nothing is written, and nothing is told twice; a damaged record is left out, and said.
    assert contents(tmp_path / "experiments" / "scratch") == records
    losses = next((tmp_path / "experiments/scratch/points").glob("*/12/losses.npy"))
    losses.write_bytes(losses.read_bytes()[:-1] + b"!")
    ended = run_in(tmp_path, "track", "name=scratch", *place)
    assert ended.stdout.startswith("scratch: 0 of 5 points logged now")
    assert ended.stderr.startswith(f"not logged: {losses}: is damaged")
    assert len(ended.stderr.splitlines()) == 1
    assert held(f"sqlite:///{tmp_path / 'new.db'}") == before


def test_runs_are_places_whose_records_are_proved(swept, tmp_path, monkeypatch, capsys):
    """Those that lie here, and those that only the store has, which are fetched."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    client = MlflowClient(f"sqlite:///{swept / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("scratch").experiment_id])
    sweep = next(run.info.run_id for run in runs if "sweep" in run.data.tags and "point" not in run.data.tags)
    point = next(run.info.run_id for run in runs if run.data.tags.get("point", "").endswith("/12"))
    for experiments in (swept / "experiments", tmp_path / "elsewhere"):
        place = [f"paths.experiments={experiments}", f"tracking.uri=sqlite:///{swept / 'mlflow.db'}"]
        capsys.readouterr()
        assert [verify([run, *place]) for run in (point, sweep)] == [0, 0]
        one, all_of_it = capsys.readouterr().out.splitlines()
        assert one == "verdict: 1 of 1 records hold; all 12 iterations of 1 trajectories computed again, engine numba"
        assert all_of_it == "verdict: 4 of 4 records hold; all 24 iterations of 2 trajectories computed again, engine numba"
    with pytest.raises(FileError, match="there is no such run or model in sqlite:///"):
        verify(["0" * 32, *place])


@pytest.mark.slow
def test_what_cannot_be_told_is_one_line(swept, run, tmp_path):
    place = f"paths.experiments={swept / 'experiments'}"
    (tmp_path / "bad.db").write_bytes(b"this is no database" * 100)
    for words, said in (
        ([f"tracking.uri=sqlite:///{tmp_path / 'bad.db'}"], "bad.db is damaged or no MLflow database"),
        (["tracking=off"], "tracking: is off"),
        (["training.alpha=1"], "track: knows no 'training.alpha=1'"),
        (["name=nothing"], "nothing: no such experiment"),
    ):
        ended = run("track", place, *words)
        assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (1, "", 1), ended.stderr
        assert said in ended.stderr


def test_times_are_the_first_noted_and_else_the_files(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "points/0/5").mkdir(parents=True)
    (tmp_path / "points/0/5/result.json").write_text("{}")
    times = Times(tmp_path)
    written = times.ended("0/5")
    assert written is not None and times.began("0/5") == written and times.ended("1/5") is None
    note(tmp_path, {"point": "0/5", "began": 10})
    note(tmp_path, {"point": "0/5", "ended": 20})
    with (tmp_path / TIMES).open("a") as file:
        file.write('{"point": "0/5", "beg\n[1]\n{"point": "0/5", "ended": "soon"}\n{"point": "0/5", "ended": -1}\n')
    note(tmp_path, {"point": "0/5", "began": 30})
    assert (times.began("0/5"), times.ended("0/5")) == (10, 20)
    note(tmp_path, {"point": "1/5", "ended": 40})
    assert (times.ended("1/5"), times.began("1/5")) == (40, 40)
