"""ovrcnn track: a store that was deleted, or another one, is told what the first was, once, and with its times."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from mlflow import MlflowClient

from pipeline import track, train
from pipeline.base import console
from pipeline.base.errors import FileError
from pipeline.records.times import TIMES, Times, note
from pipeline.settings import TrackingSettings
from pipeline.tracking.lease import Lease
from pipeline.tracking.store import open_store
from pipeline.verify import main as verify
from tests.helpers.commands import SMALL_SWEEP, contents
from tests.helpers.tracking import copy_store, damage, runs_of

# MLflow's tables make sqlalchemy warn, and what warns then is broken for the rest of the process.
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.slow]

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


def places(folder: Path, name: str = "mlflow.db") -> list[str]:
    return [f"paths.experiments={folder / 'experiments'}", f"tracking.uri=sqlite:///{folder / name}"]


@pytest.fixture(scope="module")
def swept(tmp_path_factory, database) -> Path:
    """A point alone, and then a sweep, tracked by their commands."""
    folder = tmp_path_factory.mktemp("swept")
    copy_store(database, folder)
    for words in (["training.iterations=4", "training.batch_size=8"], SMALL_SWEEP):
        assert train.main([*words, *places(folder)]) == 0
    return folder


@pytest.fixture
def copied(swept, database, tmp_path) -> Path:
    """A copy of its records, and a store without them."""
    shutil.copytree(swept / "experiments", tmp_path / "experiments", copy_function=shutil.copy)
    copy_store(database, tmp_path)
    return tmp_path


def test_a_moved_project_fills_another_store_with_what_the_first_held(swept, copied, capsys):
    before, records = held(f"sqlite:///{swept / 'mlflow.db'}"), contents(copied / "experiments" / "scratch")
    assert track.main(places(copied)) == 0
    said = capsys.readouterr()
    assert said.out.startswith("scratch: 5 of 5 points logged now") and said.err == ""
    assert held(f"sqlite:///{copied / 'mlflow.db'}") == before
    # Nothing is written, and nothing is told twice; a damaged record is left out, and said.
    assert contents(copied / "experiments" / "scratch") == records
    losses = next((copied / "experiments/scratch/points").glob("*/12/losses.npy"))
    losses.write_bytes(losses.read_bytes()[:-1] + b"!")
    assert track.main(["name=scratch", *places(copied)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("scratch: 0 of 5 points logged now")
    assert said.err.startswith(f"not logged: {losses}: is damaged") and len(said.err.splitlines()) == 1
    assert held(f"sqlite:///{copied / 'mlflow.db'}") == before


def test_a_store_in_the_place_of_a_damaged_one_gets_all_points_of_its_experiment(copied, capsys):
    """Those of the command, and those that it is not told of, each alone."""
    damage(copied / "mlflow.db", "garbage")
    assert train.main(["training.iterations=5", "training.batch_size=8", *places(copied)]) == 0
    said = capsys.readouterr().err
    new = "is damaged or no database; it is kept in mlflow.db.aside/, a new one takes its place with the points of scratch"
    line = f"MLflow: the store sqlite:///{copied / 'mlflow.db'} {new}; ovrcnn track logs other experiments"
    assert said.splitlines() == [console.cut(line)]
    found = [run for run in runs_of(copied, "scratch") if run.info.status == "FINISHED"]
    assert len(found) == len({run.data.tags["point"] for run in found}) == 6
    assert not any("mlflow.parentRunId" in run.data.tags for run in found)
    # The sweep comes back with its own command.
    assert track.main(places(copied)) == 0
    assert train.main([*SMALL_SWEEP, *places(copied)]) == 0
    found = runs_of(copied, "scratch")
    assert {run.info.status for run in found} == {"FINISHED"} and len(found) == 7


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


def runs_of_sweep(folder, name):
    [run] = [run for run in runs_of(folder, "scratch") if run.info.run_name == name]
    return run


def tables(run):
    """The tables that a sweep's run holds, by name."""
    place = Path(url2pathname(urlsplit(run.info.artifact_uri).path))
    return {path.name: path.read_bytes() for path in sorted(place.iterdir()) if path.suffix in (".csv", ".json")}


def test_all_sweeps_come_back_and_one_that_runs_is_left_to_itself(swept, copied, database, capsys):
    """Another sweep after the first; a new store is told of both. Then, as if one were run by somebody else."""
    assert train.main(["-m", "training.iterations=4,6", "training.batch_size=8", *places(copied)]) == 0
    (again := copied / "again").mkdir()
    copy_store(database, again)
    words, uri = places(copied, "again/mlflow.db"), f"sqlite:///{again / 'mlflow.db'}"
    assert track.main(words) == 0
    found = runs_of(again, "scratch")
    sweeps = {run.info.run_name: run for run in found if "sweep" in run.data.tags and "point" not in run.data.tags}
    assert {name: run.info.status for name, run in sweeps.items()} == dict.fromkeys(
        ["sweep of 4 points", "sweep of 2 points"], "FINISHED"
    )
    assert all(run.data.tags["command"] for run in sweeps.values())
    for name, run in sweeps.items():
        assert sum(f"sweep.{run.data.tags['sweep']}" in each.data.tags for each in found) == int(name.split()[2])
    assert len(found) == 7 and {run.info.status for run in found} == {"FINISHED"}
    # Each has the tables that its own command had made, though points of the first lie on the shelf by now.
    for folder, name in ((swept, "sweep of 4 points"), (copied, "sweep of 2 points")):
        before = runs_of_sweep(folder, name)
        assert tables(sweeps[name]) == tables(before) and len(tables(before)) == 4
        assert sweeps[name].data.tags["best"] == before.data.tags["best"]
        assert sweeps[name].data.metrics == before.data.metrics and sweeps[name].data.params == before.data.params
    # The last one alone names the champion, whatever is told again.
    [experiment] = {run.info.experiment_id for run in found}
    note = MlflowClient(uri).get_experiment(experiment).tags["mlflow.note.content"]
    assert note.endswith("(the best of the newest sweep of 2 points)")
    assert len(MlflowClient(uri).search_model_versions("name='scratch'")) == 1
    # The other's lease is held, its sweep is RUNNING, and stays so.
    client, other, run_id = MlflowClient(uri), Lease(uri), sweeps["sweep of 2 points"].info.run_id
    other.take(open_store(TrackingSettings(uri=uri), "scratch"))
    client.set_tag(run_id, "owner", other.owner)
    client.update_run(run_id, "RUNNING")
    assert track.main(words) == 0
    parent = client.get_run(run_id)
    assert (parent.info.status, parent.data.tags["owner"]) == ("RUNNING", other.owner)
    other.let_go()
    assert track.main(words) == 0
    assert {run.info.status for run in runs_of(again, "scratch")} == {"FINISHED"}
    assert capsys.readouterr().err == ""


def test_an_experiment_without_records_is_passed_over(copied, capsys):
    """As in a fresh clone, whose experiments have their grids and no records yet."""
    scratch, other = copied / "experiments/scratch", copied / "experiments/other"
    shutil.copytree(scratch, other, ignore=shutil.ignore_patterns("points", "work"))
    assert track.main(places(copied)) == 0
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == ["scratch"]
    client = MlflowClient(f"sqlite:///{copied / 'mlflow.db'}")
    assert client.get_experiment_by_name("other") is None
    # No record at all, or none of the one that is named: a line says so.
    shutil.rmtree(scratch / "points")
    for words, where in (([], copied / "experiments"), (["name=other"], other)):
        assert track.main([*words, *places(copied)]) == 0
        assert capsys.readouterr().out == f"{where}: there are no records\n"
    assert client.get_experiment_by_name("other") is None


def test_a_grid_that_no_record_is_of_has_no_sweep_in_the_store(copied, database):
    """Its experiment has records of other grids, which are told; a sweep of no points would be garbage to gc."""
    assert train.main(["-m", "training.iterations=4,6", "training.batch_size=8", *places(copied)]) == 0
    for place in [path for path in (copied / "experiments/scratch/points").glob("*/*") if path.name in ("4", "6")]:
        shutil.rmtree(place)
    (again := copied / "again").mkdir()
    copy_store(database, again)
    assert track.main(places(copied, "again/mlflow.db")) == 0
    found = runs_of(again, "scratch")
    sweeps = [run for run in found if "sweep" in run.data.tags and "point" not in run.data.tags]
    assert [run.info.run_name for run in sweeps] == ["sweep of 4 points"]


def test_what_cannot_be_told_is_one_line(swept, tmp_path, capsys, monkeypatch):
    place = f"paths.experiments={swept / 'experiments'}"
    (tmp_path / "bad.db").mkdir()
    (tmp_path / "bad.db" / "thesis").touch()
    for words, said in (
        ([f"tracking.uri=sqlite:///{tmp_path / 'bad.db'}"], "bad.db is a folder with files in it"),
        (["tracking=off"], "tracking: is off"),
        (["training.alpha=1"], "track: knows no 'training.alpha=1'"),
        (["name=nothing"], "nothing: no such experiment"),
    ):
        with pytest.raises(SystemExit, match="1"), monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["ovrcnn track", place, *words])
            console.run(track.main)
        out, err = capsys.readouterr()
        assert (out, len(err.splitlines())) == ("", 1) and said in err


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
