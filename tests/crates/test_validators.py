"""What the communities' own validators say of a crate and of CITATION.cff."""

import json
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

from pipeline.base.plain_yaml import read_yaml
from tests.helpers.commands import ROOT

BIN = ROOT / ".venv-crate" / "bin"
JUDGE = Path(__file__).with_name("judge.py")


@pytest.fixture(scope="module")
def validators():
    """Their environment, which `make test` makes."""
    if not (BIN.parent / ".ready").exists():
        pytest.skip("the validators are not here: make .venv-crate/.ready")
    return BIN


@pytest.mark.slow
def test_the_validator_of_ro_crates_accepts_it_and_would_not_accept_less(sent, validators, tmp_path):
    """All MUSTs of RO-Crate 1.1 and of Process Run Crate 0.5; none is passed over."""
    less = tmp_path / "less.zip"
    with zipfile.ZipFile(sent / "small.zip") as whole, zipfile.ZipFile(less, "w") as file:
        for name in whole.namelist():
            plain = whole.read(name)
            file.writestr(name, plain.replace(b'"instrument"', b'"name"') if name == "ro-crate-metadata.json" else plain)
    words = [validators / "python", JUDGE, tmp_path / "cache", sent / "small.zip", less]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    whole, lacking = json.loads(ended.stdout).values()
    assert whole == {"passed": True, "profile": "process-run-crate-0.5", "checks": 42, "skipped": 0, "issues": []}
    assert not lacking["passed"] and "MUST have an instrument property" in lacking["issues"][0]


@pytest.mark.slow
def test_cffconvert_accepts_the_citation(validators):
    ended = subprocess.run([validators / "cffconvert", "--validate"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0 and "are valid according to schema version 1.2.0" in ended.stdout, ended.stderr


def test_the_citation_names_what_is_here():
    cited = read_yaml((ROOT / "CITATION.cff").read_bytes())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (cited["title"], cited["version"], cited["license"]) == (project["name"], project["version"], project["license"])
    assert cited["authors"][0]["name"] in (ROOT / "LICENSE").read_text()
