"""What every room's tests share."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.tracking.ending import PATIENCE
from tests.helpers.commands import Run, Start, run_in, started_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TESTS = Path(__file__).parent
# By the CPU time that they take.
LONGEST = (
    "project/test_dvc.py",
    "project/test_readme.py",
    "tracking/test_postgres.py",
    "tracking/test_servers.py",
    "commands/test_stops.py",
    "heads/test_machines.py",
    "sweep/test_processes.py",
    "sweep/test_dask.py",
    "commands/test_hydra_users.py",
    "tracking/test_tracking.py",
    "tracking/test_models.py",
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever runs a command, or looks at a page, starts a process."""
    for item in items:
        if {"run", "start", "browser"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    # Files with tests that take long come first, the longest before them, so that no worker is left with one at the end.
    slow = {item.path for item in items if "slow" in item.keywords}
    items.sort(key=lambda item: (_rank(item.path), item.path not in slow))


def _rank(path: Path) -> int:
    """The place of a file among the longest; behind them for all others."""
    name = path.relative_to(TESTS).as_posix()
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A command sends the project's log to the terminal and to a file of its own; the next test starts without that."""
    yield
    logger = logging.getLogger("pipeline")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """Commands in this process wait for MLflow however busy the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        _wait(patch, 60.0)
        yield


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As users' commands, which wait for a moment."""
    _wait(monkeypatch, PATIENCE)


def _wait(patch: pytest.MonkeyPatch, seconds: float) -> None:
    # At the end of a command, which asks `patience`, and of one whose attempts fail.
    for module in ("ending", "tracker"):
        patch.setattr(f"pipeline.tracking.{module}.PATIENCE", seconds)


@pytest.fixture
def place(tmp_path: Path) -> list[str]:
    """Overrides that keep a run inside the test's own folder."""
    return [f"paths.experiments={tmp_path / 'experiments'}", "tracking=off"]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow store without runs, to be copied: making one takes MLflow seconds."""
    from tests.helpers.tracking import new_store

    return new_store(tmp_path_factory.mktemp("store"))


@pytest.fixture
def tracked(database: Path, tmp_path: Path) -> list[str]:
    """The same with a tracking store of the test's own, in which nothing is logged yet."""
    from tests.helpers.tracking import copy_store

    copy_store(database, tmp_path)
    return [f"paths.experiments={tmp_path / 'experiments'}", f"tracking.uri=sqlite:///{tmp_path / 'mlflow.db'}"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a stage as a user would, from a folder that is not the project's."""
    return partial(run_in, tmp_path)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """The same, without waiting for it; what still runs at the end of the test is killed."""
    with ExitStack() as started:
        yield lambda *words, **options: started.enter_context(started_in(tmp_path, *words, **options))


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """One browser for all tests of a process: a second one beside it is refused."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("there is no browser here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path)
        yield started
        started.close()
