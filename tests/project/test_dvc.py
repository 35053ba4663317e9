"""dvc.yaml in a copy of the project, with short experiments: what reruns, and what does not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.cli import STAGES
from pipeline.sweep.hydra import parse_arguments, read_command
from tests.helpers.commands import ROOT

pytestmark = pytest.mark.slow
BIN = Path(sys.executable).parent


def sh(place: Path, *words: str) -> str:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(place), "DVC_NO_ANALYTICS": "1"}
    ended = subprocess.run(words, cwd=place, env=environment, capture_output=True, text=True, timeout=400)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """The tracked files in a fresh git repository, without DVC's cache and with a small sweep for digits."""
    place = tmp_path_factory.mktemp("project")
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()  # fmt: skip
    for name in names:
        if (ROOT / name).is_file() and not name.startswith(("experiments/", "tests/")) and name != "dvc.lock":
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    for name in ("digits", "notebook_grid"):
        file = place / "conf" / "experiment" / f"{name}.yaml"
        head, _, _ = file.read_text().partition("      model.kernel_size:")
        file.write_text(head + "      model.kernel_size: 3,5\n      training.iterations: 4,8\n")
    # The reference engine needs no compiling, which in a copy of the project would start anew.
    threads = place / "conf" / "compute" / "threads.yaml"
    threads.write_text(threads.read_text().replace("engine: numba", "engine: numpy"))
    sh(place, "git", "init", "-q")
    sh(place, "dvc", "repro", "-q")
    commit(place)
    return place


def commit(place: Path) -> None:
    sh(place, "git", "add", "-A")
    sh(place, "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "state")


def ran(output: str) -> set[str]:
    return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")}


def test_a_second_repro_does_nothing(project):
    assert ran(sh(project, "dvc", "repro")) == set()
    assert sh(project, "git", "status", "--short") == ""


def test_only_what_depends_on_an_edit_reruns(project):
    unused = project / "conf" / "data" / "arrays.yaml"
    unused.write_text(unused.read_text().replace("scale: null", "scale: 3"))
    assert ran(sh(project, "dvc", "repro")) == set()
    used = project / "conf" / "training" / "notebook.yaml"
    before = used.read_text()
    used.write_text(before.replace("alpha: 0.001", "alpha: 0.002"))
    assert ran(sh(project, "dvc", "repro")) == {"compose@notebook_grid", "train@notebook_grid", "compare@notebook_grid"}
    used.write_text(before)
    sh(project, "dvc", "repro")
    sh(project, "git", "checkout", "-q", "conf/data/arrays.yaml")
    assert sh(project, "git", "status", "--short") == ""


def test_a_clone_without_a_cache_reproduces_the_same_bytes(project, tmp_path):
    clone = tmp_path / "clone"
    sh(tmp_path, "git", "clone", "-q", str(project), str(clone))
    assert ran(sh(clone, "dvc", "repro")) >= {"train@digits", "train@notebook_grid"}
    assert sh(clone, "git", "status", "--short") == ""


def test_dvcs_own_commands_work(project):
    assert "train@digits" in sh(project, "dvc", "dag")
    assert "validation_accuracy" in sh(project, "dvc", "metrics", "show")
    sh(project, "dvc", "metrics", "diff")
    sh(project, "dvc", "exp", "run", "-S", "conf/training/notebook.yaml:alpha=0.003", "compare@notebook_grid")
    assert "training.alpha" not in sh(project, "git", "diff", "conf/model")
    config = yaml.safe_load((project / "experiments" / "notebook_grid" / "config.yaml").read_text())
    assert config["training"]["alpha"] == 0.003


def test_compose_depends_on_the_conf_files_its_experiment_uses():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    assert set(stages["stages"]) <= set(STAGES)
    for name, choices in stages["vars"][0]["experiments"].items():
        assert read_command(parse_arguments([f"experiment={name}"])).first.name == name
        text = (ROOT / "conf" / "experiment" / f"{name}.yaml").read_text()
        for group, choice in choices.items():
            default = yaml.safe_load((ROOT / "conf" / "config.yaml").read_text())["defaults"]
            given = {k.removeprefix("override /"): v for line in yaml.safe_load(text)["defaults"] for k, v in line.items()}
            fallback = next(line[group] for line in default if isinstance(line, dict) and group in line)
            assert given.get(group, fallback) == choice
