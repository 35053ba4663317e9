"""One small sweep with its crate for all tests of this room."""

from pathlib import Path

import pytest

from pipeline.cli import dispatch
from tests.helpers.commands import SMALL_SWEEP


@pytest.fixture(scope="session")
def sent(tmp_path_factory) -> Path:
    """A folder with an experiment, `small`, and its crate as small.zip."""
    folder = tmp_path_factory.mktemp("sent")
    place = [f"paths.experiments={folder / 'experiments'}", "tracking=off"]
    assert dispatch(["train", "name=small", *SMALL_SWEEP, *place]) == 0
    assert dispatch(["export", "small", str(folder / "small.zip"), *place]) == 0
    return folder
