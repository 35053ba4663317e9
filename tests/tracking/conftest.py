"""A store for each test, copied from the one that MLflow made for all."""

from pathlib import Path

import pytest

from tests.helpers.tracking import copy_store


@pytest.fixture
def folder(database, tmp_path) -> Path:
    """A folder with a store of its own, with no runs in it."""
    copy_store(database, tmp_path)
    return tmp_path
