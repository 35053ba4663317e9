"""Servers that help and servers that do not, and processes that end whatever MLflow's thread hangs in."""

import csv
import io
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.base.errors import FileError
from pipeline.records.record import read_record
from pipeline.settings import TrackingSettings
from pipeline.tracking import tracker
from pipeline.tracking.events import Compared
from pipeline.tracking.places import fetch
from pipeline.tracking.store import check_store, load_mlflow
from pipeline.tracking.tracker import Tracker
from tests.helpers.command_lines import answer
from tests.helpers.commands import ROOT, contents
from tests.helpers.servers import embedded, free_port, serving, together
from tests.helpers.tracking import (
    EXPERIMENT,
    answering,
    damage,
    locked,
    make_points,
    make_record,
    one_line,
    parents,
    runs_of,
    settings_of,
    statuses,
    sweep_of,
    told,
    track,
    wait_for,
)  # fmt: skip

# MLflow's tables make sqlalchemy warn, and what warns then is broken for the rest of the process.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

REASONS = {"500": "answers with error 500", "403": "answers with error 403", "200": "does not answer like an MLflow server"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*REASONS, "nothing", "slow", "nobody"])
def test_a_server_that_is_no_help_is_told_at_the_end(tmp_path, request, kind, capfd):
    points = make_points(tmp_path, 2)
    # What is waited for here is the server.
    load_mlflow()
    if kind == "403":
        # This one is well, as far as it says; with the others no command is patient.
        request.getfixturevalue("impatient")
    with answering("500" if kind == "nobody" else kind) as address:
        uri = "http://127.0.0.1:9" if kind == "nobody" else address
        tracking = TrackingSettings("server", uri)
        check_store(tracking)
        watched = Tracker(tracking, EXPERIMENT, sweep_of(points))
        assert told(watched, points) < 1
        line = one_line(watched, most=30)
    late, away = "does not answer in time", "cannot be reached (connection refused)"
    reason = REASONS.get(kind, away if kind == "nobody" else late)
    assert line == f"MLflow: the server {uri} {reason}; 2 of 2 points are not logged yet, the next command logs them"
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["locked", "nothing", "newer"])
def test_a_process_ends_soon_and_says_one_line(folder, kind):
    """Whatever MLflow's thread hangs in, the end of the process does not wait for it, nor does it print a traceback."""
    code = f"""
import sys, time
from pathlib import Path
from tests.helpers.tracking import *
place, uri = Path({str(folder)!r}), sys.argv[1]
points = make_points(place, 2)
watched = Tracker(TrackingSettings("server" if uri.startswith("http") else "sqlite", uri), EXPERIMENT, sweep_of(points))
for point in points:
    watched.finished(point, make_record(point), known=False)
begin = time.monotonic()
print(*watched.close("FINISHED"), flush=True)
print(time.monotonic() - begin, flush=True)
"""

    def ended(uri):
        begin = time.monotonic()
        found = subprocess.run([sys.executable, "-c", code, uri], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert found.returncode == 0 and found.stderr == ""
        line, waited = found.stdout.splitlines()
        assert line.startswith("MLflow: ") and float(waited) < tracker.patience(3, opening=True)
        assert time.monotonic() - begin < 60

    if kind == "nothing":
        with answering("nothing") as uri:
            ended(uri)
    elif kind == "locked":
        with locked(folder):
            ended(settings_of(folder).uri)
    else:
        damage(folder / "mlflow.db", kind)
        ended(settings_of(folder).uri)


@pytest.mark.slow
def test_a_real_server_holds_each_point_once(tmp_path, monkeypatch):
    # A busy machine's server may take its time.
    monkeypatch.setattr(tracker, "ailment", lambda uri: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    port = free_port()
    points, tracking = make_points(tmp_path, 3), TrackingSettings("server", f"http://127.0.0.1:{port}")
    for point in points:
        make_record(point)
    watched = Tracker(tracking, EXPERIMENT, sweep_of(points))
    told(watched, points)
    champion = points[1], read_record(points[1].folder)
    watched.compared(
        Compared(tmp_path / "experiments" / EXPERIMENT, points[1].name, {"train_loss": 0.5}, "", "train_loss", champion)
    )
    # It is not even there yet.
    writer = watched._writer
    wait_for(lambda: writer.trouble is not None)
    with serving(tmp_path, embedded(tmp_path), port):
        wait_for(lambda: (tmp_path / "mlflow.db").exists() and writer._runs is not None and not writer._waiting, 180)
        assert watched.close("FINISHED") == []
        again = Tracker(tracking, EXPERIMENT, sweep_of(points))
        told(again, points)
        assert again.close("FINISHED") == []
        _fetch_records(tmp_path, tracking, points)
    # A connection that was kept open ends under the question's hands, a new one is refused.
    gone = "cannot be reached|breaks the connection"
    with pytest.raises(FileError, match=rf"^0000: the server http://127.0.0.1:[0-9]+ ({gone})"):
        fetch(tracking, tmp_path, "0000")
    from mlflow import MlflowClient

    assert statuses(tmp_path) == {point.key: ["FINISHED"] for point in points}
    assert len(list((tmp_path / "far").rglob("images/kernels+*.png"))) == 3
    # Their models, too, once; files go where the server keeps them.
    assert len(list((tmp_path / "far").glob("*/models/*/artifacts/MLmodel"))) == 3
    assert len(list((tmp_path / "far").glob("*/models/*/artifacts/artifacts/checkpoint.npz"))) == 3
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    models = client.search_logged_models([client.get_experiment_by_name(EXPERIMENT).experiment_id])
    assert len(models) == 3 and all(str(m.status) == "READY" and m.metrics[0].dataset_name == "digits" for m in models)
    version = client.get_model_version_by_alias(EXPERIMENT, "champion")
    assert version.source in {model.artifact_location for model in models} and "Limits" in version.description


def _fetch_records(folder, tracking, points):
    """A machine without the records takes a point's, or a sweep's, from the server; damaged ones it refuses."""
    runs = {run.data.tags.get("point"): run.info.run_id for run in runs_of(folder)}
    place = ["paths.experiments=nowhere", f"tracking.uri={tracking.uri}", "--csv"]
    damaged = next((folder / "far").rglob(f"{runs[points[2].key]}/artifacts/record/y_hat.csv"))
    whole = damaged.read_bytes()
    damaged.write_bytes(whole.replace(b"0", b"1"))
    refused = answer(["compare", runs[points[2].key], *place], folder)
    said = "in MLflow, y_hat.csv: is damaged, its bytes are not those of SHA256SUMS"
    assert refused == (1, "", f"{runs[points[2].key]}: {said}\n")
    damaged.write_bytes(whole)
    code, table, error = answer(["compare", runs[None], *place], folder)
    assert code == 0, error
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["seed"] for row in rows] == ["0", "1", "2"]
    for point, row in zip(points, rows, strict=True):
        assert contents(Path(row["record"])) == contents(point.folder)
        assert Path(row["record"]).is_relative_to(folder / "cache")
    assert not (folder / "nowhere").exists()
    with pytest.raises(FileError, match=f"^{'0' * 32}: there is no such run or model in http"):
        fetch(tracking, folder, "0" * 32)
    # What lies here already is not fetched.
    assert fetch(tracking, folder / "experiments", runs[points[0].key]) == [points[0].folder]


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.8, 1.5])
def test_a_process_may_end_while_mlflow_is_imported_or_a_database_made(tmp_path, seconds):
    code = f"""
import time
from pathlib import Path
from tests.helpers.tracking import *
place = Path({str(tmp_path)!r})
points = make_points(place, 1)
watched = open_tracker(place, points)
time.sleep({seconds})
watched._wait_for_thread = lambda killed: None
print(*watched.close("KILLED"))
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "\n" or "how this command ended is not logged yet" in ended.stdout
    points = make_points(tmp_path, 1)
    assert track(tmp_path, points) == []
    assert statuses(tmp_path) == {points[0].key: ["FINISHED"]}


@pytest.mark.slow
def test_all_is_quiet_when_all_is_well(tmp_path):
    code = """
import sys
from pathlib import Path
from tests.helpers.tracking import *
print(track(Path(sys.argv[1]), make_points(Path(sys.argv[1]), 2)))
"""
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[]\n", "")


@pytest.mark.slow
def test_commands_side_by_side_on_the_same_points_make_one_run_a_point_and_one_parent(folder):
    code = """
def work(number, words):
    barrier.wait(60)
    return track(Path(words[0]), make_points(Path(words[0]), 4))
"""
    points = make_points(folder, 4)
    for point in points:
        make_record(point)
    assert together(3, code, str(folder)) == ["[]"] * 3
    assert statuses(folder) == {point.key: ["FINISHED"] for point in points}
    assert len(parents(folder)) == 1


@pytest.mark.slow
def test_a_password_in_an_address_is_neither_said_nor_logged(tmp_path, caplog, capfd):
    points = make_points(tmp_path, 1)
    with caplog.at_level("DEBUG", logger="pipeline"), answering("500") as address:
        secret = address.replace("//", "//me:hidden-word@")
        watched = Tracker(TrackingSettings("server", secret), EXPERIMENT, sweep_of(points))
        told(watched, points)
        line = one_line(watched, most=30)
    written = "".join([caplog.text, line, *capfd.readouterr()])
    # The reason is logged as MLflow has it, with its traceback, all but the password.
    assert "API request to" in written and "Traceback" in written and address in written
    assert "hidden-word" not in written
