"""Caches of libraries where neither checkout nor home can be written, and where nobody knows who runs this."""

import os
import shutil
import subprocess
import sys

import pytest

from pipeline.base.home import CACHE, HOME, MATPLOTLIB, is_private, settle
from tests.helpers.commands import ROOT

LOOK = """
import pipeline
from pipeline.heads.compiled.engine import kept_in
from pipeline.base.home import is_private
from matplotlib import get_cachedir, get_configdir
from pathlib import Path
print(kept_in(), is_private(), get_cachedir(), get_configdir(), Path.home(), sep="\\n")
"""
# Of a user without an entry in /etc/passwd.
NOBODY = "import pwd\ndef getpwuid(uid): raise KeyError(uid)\npwd.getpwuid = getpwuid\n"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """A copy of the package whose own caches cannot be made."""
    folder = tmp_path_factory.mktemp("sealed")
    shutil.copytree(ROOT / "pipeline", folder / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pipeline" / "heads" / "compiled" / "__pycache__").write_text("a file where a folder must be")
    (folder / "sitecustomize.py").write_text(NOBODY)
    return folder


def looked(sealed, tmp_path, **variables):
    """Where things are kept, with HOME and the rest as given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "HOME", "MPL", "NUMBA"))}
    environment = {**kept, "TMPDIR": str(tmp_path), "PYTHONPATH": str(sealed), "PYTHONDONTWRITEBYTECODE": "1", **variables}
    ended = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", LOOK], cwd=sealed, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0 and ended.stderr == "", ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("home", [None, "/dev/null"], ids=["no home", "a home that cannot be written"])
def test_without_a_place_to_write_caches_are_in_a_private_folder(sealed, tmp_path, home):
    private = tmp_path / f"ovrcnn-{os.getuid()}"
    code, is_private, *plots, found = looked(sealed, tmp_path, **({"HOME": home} if home else {}))
    assert code.startswith(f"{private}/") and is_private == "True"
    assert all(place.startswith(f"{private}/") for place in plots)
    assert found == home if home else found == str(private)
    assert private.stat().st_mode & 0o777 == 0o700 and private.stat().st_uid == os.getuid()


@pytest.mark.slow
def test_a_folder_that_others_can_write_is_not_taken_for_private(sealed, tmp_path):
    (tmp_path / f"ovrcnn-{os.getuid()}").mkdir(0o700)
    (tmp_path / f"ovrcnn-{os.getuid()}").chmod(0o777)
    code, *_ = looked(sealed, tmp_path, HOME="/dev/null")
    assert code.startswith(f"{tmp_path}/ovrcnn-{os.getuid()}-")


def test_a_home_that_can_be_written_is_left_as_it_is(tmp_path, monkeypatch):
    for name in (CACHE, MATPLOTLIB, "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(HOME, str(tmp_path))
    before = dict(os.environ)
    settle()
    assert dict(os.environ) == before and not is_private() and list(tmp_path.iterdir()) == []
