"""A store for each test, copied from one that MLflow made once: making one takes a second."""

from pathlib import Path

import pytest

from tests.helpers.tracking import copy_store, new_store


@pytest.fixture(scope="session")
def database(tmp_path_factory) -> Path:
    return new_store(tmp_path_factory.mktemp("store"))


@pytest.fixture
def folder(database, tmp_path) -> Path:
    """A folder with a store of its own, with no runs in it."""
    copy_store(database, tmp_path)
    return tmp_path
