"""Which store counts: tracking.uri, else MLFLOW_TRACKING_URI, else mlflow.db in the project's folder."""

import sys

import pytest

from pipeline.base import project
from pipeline.base.errors import SettingsError
from pipeline.settings import TrackingSettings
from pipeline.tracking import store, ui
from pipeline.tracking.store import check_store, resolved, store_uri
from pipeline.tracking.tracker import Tracker
from tests.helpers.command_lines import answer
from tests.helpers.tracking import EXPERIMENT, make_points, settings_of, statuses, sweep_of, told

EMBEDDED = ("sqlite", f"sqlite:///{project.root() / 'mlflow.db'}")


@pytest.mark.parametrize(
    ("kind", "uri", "variable", "right"),
    [
        ("sqlite", None, None, EMBEDDED),
        ("sqlite", None, "  ", EMBEDDED),
        ("sqlite", "sqlite:////a.db", "http://host:1", ("sqlite", "sqlite:////a.db")),
        ("server", "http://here:2", "http://host:1", ("server", "http://here:2")),
        # An address says of itself what it is of: one setting is enough.
        ("sqlite", "http://here:2", None, ("server", "http://here:2")),
        ("sqlite", "https://here", "sqlite:////a.db", ("server", "https://here")),
        ("off", "http://here:2", None, ("off", "http://here:2")),
        ("sqlite", None, "http://host:1", ("server", "http://host:1")),
        ("server", None, "https://host", ("server", "https://host")),
        ("sqlite", None, "sqlite:////b/c.db", ("sqlite", "sqlite:////b/c.db")),
        ("off", None, "nonsense", ("off", None)),
    ],
)
def test_an_explicit_address_goes_before_the_variable_and_that_before_the_projects_own(monkeypatch, kind, uri, variable, right):
    monkeypatch.setenv(store.VARIABLE, variable) if variable else monkeypatch.delenv(store.VARIABLE, raising=False)
    found = resolved(TrackingSettings(kind, uri))
    assert (found.store, found.uri) == right and resolved(found) == found
    assert kind == "off" or store_uri(TrackingSettings(kind, uri)) == right[1]


def test_a_relative_database_is_taken_from_the_working_folder_as_mlflow_does(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(store.VARIABLE, "sqlite:///a/b.db")
    assert store_uri(TrackingSettings()) == f"sqlite:///{tmp_path}/a/b.db"


@pytest.mark.parametrize(
    ("kind", "variable"),
    [
        ("sqlite", "databricks"),
        ("sqlite", "./mlruns"),
        ("sqlite", "http://"),
        ("sqlite", "sqlite:///"),
        ("server", "sqlite:////a.db"),
    ],
)
def test_a_variable_that_names_no_store_of_ours_is_one_line(monkeypatch, kind, variable):
    monkeypatch.setenv(store.VARIABLE, variable)
    with pytest.raises(SettingsError) as error:
        check_store(TrackingSettings(kind))
    [line] = str(error.value).splitlines()
    assert line.startswith("MLFLOW_TRACKING_URI: must be http://HOST:PORT") and repr(variable) in line


def test_ui_leads_to_the_pages_of_a_server_that_the_variable_names(monkeypatch, capsys):
    monkeypatch.setenv(store.VARIABLE, "http://someone:secret@host:1")
    assert ui.main([]) == 0
    assert capsys.readouterr().out == "MLFLOW_TRACKING_URI names a server, which has pages of its own: http://host:1\n"


def test_what_is_missing_for_system_metrics_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.setattr(store, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"^tracking\.system_metrics: needs psutil: pip install psutil$"):
        check_store(TrackingSettings(system_metrics=True))


def test_a_tracker_writes_where_the_variable_says(folder, monkeypatch):
    monkeypatch.setenv(store.VARIABLE, settings_of(folder).uri)
    points = make_points(folder, 1)
    watched = Tracker(TrackingSettings(), EXPERIMENT, sweep_of(points))
    told(watched, points)
    assert watched.close("FINISHED") == []
    assert statuses(folder) == {points[0].key: ["FINISHED"]}


def test_a_command_says_which_address_it_took_from_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv(store.VARIABLE, "http://someone:secret@127.0.0.1:9")
    code, *streams = answer(["train", "training.iterations=2", f"paths.experiments={tmp_path}"], tmp_path)
    said = "".join(streams)
    assert code == 0
    assert "MLflow: http://127.0.0.1:9, from MLFLOW_TRACKING_URI\n" in said and "secret" not in said
    assert "cannot be reached" in said
