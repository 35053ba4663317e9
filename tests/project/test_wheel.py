"""A built wheel carries conf/ and its command runs outside the project."""

import os
import subprocess
import sys
import zipfile

import pytest

from pipeline.comparison.report.page import SCRIPTS
from tests.helpers.commands import ROOT

pytestmark = pytest.mark.slow


def test_a_wheel_runs_anywhere(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(ROOT)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    [wheel] = tmp_path.glob("ovrcnn-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    assert {"pipeline/train.py", "pipeline/conf/config.yaml", "pipeline/conf/experiment/digits.yaml"} <= names
    assert {f"pipeline/comparison/report/{name}" for name in ("page.html", "style.css", *SCRIPTS)} <= names
    (tmp_path / "work").mkdir()
    ended = subprocess.run(
        [sys.executable, "-m", "pipeline.train", "training.iterations=2", "tracking=off"],
        cwd=tmp_path / "work", env={**os.environ, "PYTHONPATH": str(tmp_path / "site")}, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert list((tmp_path / "work" / "experiments" / "scratch" / "points").glob("*/2/result.json"))
