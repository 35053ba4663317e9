"""ovrcnn ui: what is refused, and what the terminal says. The pages themselves are looked at in test_pages.py."""

import socket

import pytest

from pipeline.base import project
from pipeline.base.errors import FileError, SettingsError
from pipeline.tracking import ui
from pipeline.tracking.view import View
from tests.helpers.tracking import copy_store


@pytest.fixture(autouse=True)
def never_served(monkeypatch, tmp_path):
    """The project is in a test's folder, and nothing may be served."""
    monkeypatch.setattr(project, "root", lambda: tmp_path)
    monkeypatch.setattr(ui, "_serve", lambda *_: pytest.fail("it serves"))


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", "²"])
def test_a_port_is_a_number(port):
    with pytest.raises(SettingsError, match="port: must be a number from 1 to 65535"):
        ui.main([port])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["5998", "5999"], "ui: knows no '5999'; ovrcnn ui --help says what it takes"),
        (["5998", "name=digits"], "ui: knows no 'name=digits'"),
        (["name=digits"], "ui: knows no 'name=digits'; ovrcnn ui --help says what it takes"),
        (["5998", "tracking=off"], "tracking: is off, so there are no pages; choose tracking=sqlite"),
        (["5998", "tracking.uri=thesis.db"], "tracking.uri: must be sqlite:////ABSOLUTE/PATH.db or http://HOST:PORT"),
    ],
)
def test_other_words_than_a_port_and_where_the_store_is_are_refused(words, said):
    with pytest.raises(SettingsError) as error:
        ui.main(words)
    assert str(error.value).startswith(said) and "\n" not in str(error.value)


def test_the_store_that_the_words_name_is_the_one_that_is_served(tmp_path, database, monkeypatch, capsys):
    (tmp_path / "elsewhere").mkdir()
    copy_store(database, tmp_path / "elsewhere")
    served = []
    monkeypatch.setattr(ui, "_serve", lambda *_: served.append(True))
    monkeypatch.setattr("pipeline.tracking.pages.mlflow_app", lambda store: served.append(store.uri))
    uri = f"sqlite:///{tmp_path / 'elsewhere' / 'mlflow.db'}"
    assert ui.main([free_port(), f"tracking.uri={uri}"]) == 0
    assert served == [uri, True] and not (tmp_path / "mlflow.db").exists()
    # A server's pages are its own.
    assert ui.main(["tracking.uri=http://someone:secret@host:1"]) == 0
    assert capsys.readouterr().out == "tracking.uri names a server, which has pages of its own: http://host:1\n"


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


def test_a_port_that_is_taken_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SettingsError, match=r"cannot be used \(Address already in use\); try: ovrcnn ui"):
            ui.main([str(taken.getsockname()[1])])


def test_what_can_be_no_store_is_one_line(tmp_path):
    (tmp_path / "mlflow.db").mkdir()
    (tmp_path / "mlflow.db" / "thesis").touch()
    with pytest.raises(FileError, match=r"mlflow\.db is a folder with files in it; choose another tracking\.uri"):
        ui.main([free_port()])


def test_the_newest_sweeps_links_come_last():
    views = [View("1", f"{number:016x}", f"digits, sweep {number}", number, {}) for number in range(9)]
    lines = ui.welcome("http://127.0.0.1:1", views).splitlines()
    assert lines[0] == "MLflow: http://127.0.0.1:1  (Ctrl-C ends it)"
    assert [line.partition(":")[0] for line in lines[1:-4]] == [f"digits, sweep {number}" for number in range(3, 8)]
    assert lines[-4] == "digits, sweep 8, the newest:"
    assert [line.split()[0] for line in lines[-3:]] == ["table", "charts", "y-hat"]
    assert all("#/experiments/1/runs" in line and "0000000000000008" in line for line in lines[-3:])
    assert "compareRunsMode=CHART" in lines[-2] and "compareRunsMode=ARTIFACT" in lines[-1]
    assert "no sweep is logged yet" in ui.welcome("http://127.0.0.1:1", [])
