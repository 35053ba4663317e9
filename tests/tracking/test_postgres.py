"""A team's server: PostgreSQL behind it, files through it, eight commands at once, and a restart in between."""

import re
import shlex
from pathlib import Path

import pytest
from mlflow import MlflowClient

from pipeline.records.record import read_record
from pipeline.settings import TrackingSettings
from pipeline.tracking.places import fetch
from tests.helpers.command_lines import answer
from tests.helpers.commands import ROOT, SMALL_SWEEP
from tests.helpers.commands import points as recorded
from tests.helpers.postgres import postgres
from tests.helpers.servers import begin, ended, free_port, serving, together
from tests.helpers.tracking import wait_for
from tests.tracking.test_track import held

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

# Two commands on each of four machines that share no disk.
SWEEP = f"""
import contextlib, io, os
from pipeline import cli
from pipeline.tracking import tracker

def work(number, words):
    if words[2:]:
        tracker.PATIENCE, tracker.patience, tracker.ailment = 60, lambda *_: 60, lambda uri: None
    place = Path(words[0]) / str(number // 2)
    place.mkdir(exist_ok=True)
    os.chdir(place)
    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        code = cli.dispatch(["train", *{SMALL_SWEEP}, "name=team", f"paths.experiments={{place}}", "tracking=server",
                             f"tracking.uri={{words[1]}}"])
    return code, [line for line in said.getvalue().splitlines() if "MLflow" in line]
"""


def documented(database: str, folder: Path, port: int) -> list[str]:
    """The words of the command that docs/howto/server.md gives, for this database and machine, with files in a folder."""
    [line] = re.findall(r"^mlflow server ((?:.*\\\n)*.*)", (ROOT / "docs/howto/server.md").read_text(), re.MULTILINE)
    words = shlex.split(line.replace("\\\n", ""))
    ours = {"--backend-store-uri": database, "--artifacts-destination": str(folder / "far"), "--host": "127.0.0.1"}
    for name, value in (ours | {"--port": str(port), "--allowed-hosts": f"127.0.0.1:{port}"}).items():
        words[words.index(name) + 1] = value
    return words


@pytest.fixture(scope="module")
def database():
    with postgres() as uri:
        yield uri


def test_eight_commands_at_once_and_a_restart_lose_nothing_and_make_nothing_twice(database, tmp_path, monkeypatch):
    port = free_port()
    words, address = documented(database, tmp_path, port), f"http://127.0.0.1:{port}"
    client = MlflowClient(address)
    with serving(tmp_path, words, port):
        first = begin(8, SWEEP, str(tmp_path), address)
        wait_for(lambda: has_finished(client), 120)
    # Killed while they log. They train on, and leave the rest to the next commands, two on each of two machines.
    with serving(tmp_path, words, port):
        assert [answer.startswith("(0, [") for answer in ended(first)] == [True] * 8
        assert together(4, SWEEP, str(tmp_path), address, "patiently") == ["(0, [])"] * 4
        experiment = client.get_experiment_by_name("team").experiment_id
        runs = list(client.search_runs([experiment], max_results=1000))
        check(client, runs)
        models = client.search_logged_models([experiment])
        points = {run.info.run_id: run.data.tags["point"] for run in runs if "point" in run.data.tags}
        assert sorted(model.source_run_id for model in models) == sorted(points)
        [version] = client.search_model_versions("name = 'team'")
        assert version.run_id in points
        # Every record that the server holds is whole, and the one that was trained.
        tracking = TrackingSettings("server", address)
        for run_id, key in points.items():
            [folder] = fetch(tracking, tmp_path / "nowhere", run_id)
            assert folder.match(key) and read_record(folder).sums == read_record(tmp_path / "0" / "team" / "points" / key).sums
        track_gives_what_another_store_held(tmp_path / "again", address)


def has_finished(client):
    found = client.get_experiment_by_name("team")
    return found and client.search_runs([found.experiment_id], "tags.point != '' AND attributes.status = 'FINISHED'")


def check(client, runs):
    """One run a point and one parent, all FINISHED, no value lost and none twice."""
    [parent] = [run for run in runs if "sweep" in run.data.tags]
    children = [run for run in runs if "point" in run.data.tags]
    assert len(runs) == 5 and len({run.data.tags["point"] for run in children}) == 4
    assert {run.info.status for run in runs} == {"FINISHED"} and parent.data.tags["compared"]
    for run in children:
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        iterations = int(run.data.params["training.iterations"])
        history = [entry.step for entry in client.get_metric_history(run.info.run_id, "loss/mean")]
        assert history == sorted(set(history)) and (history[0], history[-1]) == (1, iterations)


def track_gives_what_another_store_held(folder, address):
    folder.mkdir()
    place = f"paths.experiments={folder / 'experiments'}"
    code, _, error = answer(["train", *SMALL_SWEEP, place, f"tracking.uri=sqlite:///{folder / 'mlflow.db'}"], folder)
    assert (code, error) == (0, "")
    code, said, error = answer(["track", place, "tracking=server", f"tracking.uri={address}"], folder)
    assert (code, error) == (0, "") and "4 of 4 points logged now" in said
    assert len(recorded(folder / "experiments" / "scratch")) == 4
    assert held(address) == held(f"sqlite:///{folder / 'mlflow.db'}")
