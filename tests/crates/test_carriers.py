"""A DVC remote, an RO-Crate and a plain copy carry the same records."""

import os
import shutil
import subprocess
import sys

import pytest

from pipeline.cli import dispatch
from tests.helpers.commands import contents, points

# One process for all of DVC's commands: each costs a second to start.
DVC = """
import os, shutil, sys
from dvc.cli import main

def dvc(*words):
    assert main([*words, "-q"]) == 0, words

for folder, steps in (("sender", (["add", "small/points"], ["push"])), ("got", (["pull"],))):
    os.chdir(os.path.join(sys.argv[1], folder))
    dvc("init", "--no-scm")
    dvc("remote", "add", "-d", "store", "../remote")
    if folder == "got":
        shutil.copy("../sender/small/points.dvc", "small")
    for words in steps:
        dvc(*words)
"""


@pytest.mark.slow
def test_a_dvc_remote_a_crate_and_a_plain_copy_carry_the_same_bytes(sent, tmp_path):
    here, copied = sent / "experiments", tmp_path / "copied"
    shutil.copytree(here, copied, copy_function=shutil.copy)
    assert dispatch(["import", str(sent / "small.zip"), f"paths.experiments={tmp_path / 'crate'}"]) == 0
    by_dvc(here / "small" / "points", tmp_path)
    wanted = contents(here / "small" / "points")
    assert len(wanted) == 8 * len(points(here / "small")) == 32
    for carried in (copied, tmp_path / "crate", tmp_path / "got"):
        assert contents(carried / "small" / "points") == wanted, carried


def by_dvc(records, place):
    """Records pushed to a remote from one folder, and pulled from it into another."""
    for name in ("sender/small", "got/small", "remote"):
        (place / name).mkdir(parents=True)
    shutil.copytree(records, place / "sender" / "small" / "points")
    words = [sys.executable, "-c", DVC, str(place)]
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(place / "site")}
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr
