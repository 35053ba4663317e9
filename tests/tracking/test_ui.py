"""ovrcnn ui: what is refused, and what is printed before MLflow's server takes over."""

import socket
from types import SimpleNamespace

import pytest

from pipeline.base import project
from pipeline.base.errors import FileError, SettingsError
from pipeline.tracking import ui
from pipeline.tracking.store import open_store
from pipeline.tracking.view import seed_view
from tests.helpers.tracking import EXPERIMENT, make_points, settings_of, sweep_of

# MLflow's tables make sqlalchemy warn, and what warns then is broken for the rest of the process.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def started(monkeypatch, folder):
    """The commands that would be run, with the project in a test's folder."""
    commands = []
    monkeypatch.setattr(project, "root", lambda: folder)
    server = SimpleNamespace(wait=lambda: 0, terminate=lambda: None)
    monkeypatch.setattr(ui.subprocess, "Popen", lambda command, env: commands.append((command, env)) or server)
    return commands


def test_it_serves_on_this_machine_only_and_names_the_sweeps(started, folder, capsys):
    sweep = sweep_of(make_points(folder, 2))
    seed_view(open_store(settings_of(folder), EXPERIMENT), sweep, ["validation_accuracy"])
    assert ui.main([]) == 0
    [(command, environment)] = started
    assert command[command.index("--host") + 1] == "127.0.0.1" and command[command.index("--port") + 1] == "5000"
    assert command[command.index("--backend-store-uri") + 1] == settings_of(folder).uri
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    said = capsys.readouterr().out
    assert "http://127.0.0.1:5000  (Ctrl-C ends it)" in said
    assert f"{EXPERIMENT}, sweep of 2 points: seed: http://127.0.0.1:5000/#/experiments/" in said and sweep.key in said


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", "²"])
def test_a_port_is_a_number(started, port):
    with pytest.raises(SettingsError, match="port: must be a number from 1 to 65535"):
        ui.main([port])
    assert not started


def test_a_port_that_is_taken_is_refused(started):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SettingsError, match=r"cannot be used \(Address already in use\); try: ovrcnn ui"):
            ui.main([str(taken.getsockname()[1])])


def test_a_damaged_store_is_one_line(started, folder):
    (folder / "mlflow.db").write_bytes(b"no database" * 99)
    with pytest.raises(FileError, match=r"mlflow\.db is damaged or no MLflow database; move it away or delete it"):
        ui.main([])
    assert not started
