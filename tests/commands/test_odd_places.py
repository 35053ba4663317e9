"""A whole sweep in a folder, with classes and with a name as odd as they can be: trained, tracked, compared, drawn."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from pipeline.base.files import UMASK, write_text
from pipeline.base.folders import write_folder
from pipeline.show import main as show
from pipeline.tracking.address import address_of, fit_any_path
from tests.helpers.commands import ROOT

pytestmark = pytest.mark.slow
# What MLflow, SQLAlchemy, Hydra, a shell, HTML and YAML would read as more than letters.
ODD = "a%20b 100%25?x=1&#'\";${seed} [{~\nä日本"
CLASSES = ["猫", "\ud800", "\\ud800", "\x1b[2J", "a\0b\r\n", "", "mean", "=1+1", "a/b", "<b>", "é" * 300]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The checkout in such a folder after one sweep, which takes seconds: it is real, with all that a sweep writes."""
    home = tmp_path_factory.mktemp("around") / ODD
    for name in ("pipeline", "conf"):
        shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", home)
    labels = np.array(CLASSES)[np.arange(88) % len(CLASSES)]
    np.savez(home / "mine.npz", images=np.random.default_rng(0).random((88, 6, 6)), labels=labels)
    words = ["-m", "training.iterations=2,3", "compute.engine=numpy", "name=stüdy", "data=arrays", "data.path=mine.npz"]
    left_out = ("PYTHON", "LC_", "LANG", "MLFLOW_")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    ended = subprocess.run(
        [sys.executable, "-B", "-m", "pipeline.train", *words], cwd=home, env={**plain, "LC_ALL": "C", "LANG": "C"},
        capture_output=True, text=True, encoding="utf-8", umask=0o002,
    )  # fmt: skip
    assert ended.returncode == 0 and ended.stderr == "", ended.stderr
    return home


def test_all_is_in_the_project_and_nothing_beside_it(project):
    assert [path.name for path in project.parent.iterdir()] == [ODD]
    made = {path.name.partition(".db")[0] for path in project.iterdir()}
    assert made == {"pipeline", "conf", "pyproject.toml", "mine.npz", "experiments", "mlflow", "mlartifacts"}
    experiment = project / "experiments" / "stüdy"
    assert [path.name for path in (project / "experiments").iterdir()] == ["stüdy"]
    assert len(list(experiment.glob("points/*/*/SHA256SUMS"))) == 2
    assert (experiment / "report.html").is_file() and len(list((experiment / "figures").iterdir())) >= 5


def test_files_and_folders_are_as_the_umask_says(project):
    made = [*(project / "experiments").rglob("*"), *(project / "mlartifacts").rglob("*"), *project.glob("mlflow.db*")]
    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in made}
    assert modes == {(True, 0o775), (False, 0o664)}


def test_writing_does_not_change_the_umask_for_a_moment_in_which_others_make_files(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "umask", lambda _: pytest.fail("another thread's files would be anybody's to write"))
    write_text(tmp_path / "file", "text")
    write_folder(tmp_path / "folder", {"file": b"bytes"}, tmp_path / "work")
    assert (tmp_path / "folder" / "file").stat().st_mode & 0o777 == 0o666 & ~UMASK


def test_every_class_has_its_curve_and_the_store_its_artifacts(project, tmp_path):
    from mlflow import MlflowClient

    fit_any_path()
    client = MlflowClient(address_of(project / "mlflow.db"))
    runs = client.search_runs([client.get_experiment_by_name("stüdy").experiment_id])
    runs = [run for run in runs if "point" in run.data.tags]
    assert len(runs) == 2 and {run.info.status for run in runs} == {"FINISHED"}
    for run in runs:
        assert len([key for key in run.data.metrics if key.startswith("loss/")]) == len(CLASSES) + 1
        client.download_artifacts(run.info.run_id, "record", str(tmp_path))
        point = project / "experiments" / "stüdy" / "points" / run.data.tags["point"]
        assert (tmp_path / "record" / "result.json").read_bytes() == (point / "result.json").read_bytes()


def test_the_environment_of_a_moved_checkout_is_made_again(tmp_path):
    scripts = tmp_path / ".venv" / "bin"
    scripts.mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv" / ".ready").touch()
    for made_in, is_made in ((tmp_path, False), (tmp_path / "elsewhere", True)):
        (scripts / "pip").write_text(f"#!{made_in}/.venv/bin/python\n")
        would = subprocess.run(["make", "-n", "ui"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert ("-m venv --clear .venv" in would) == is_made and ".venv/bin/ovrcnn ui" in would


def test_classes_are_shown_as_they_stand(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    assert show(["stüdy", "best", "paths.experiments=experiments"]) == 0
    heads = capsys.readouterr().out.partition("\nheads\n")[2].partition("\n\n")[0]
    for name in ("猫", "\\ud800", "\\\\ud800", "\\x1b[2J", "mean", "a/b", "<b>"):
        assert re.search(rf"^  {re.escape(name)}  ", heads, re.MULTILINE), heads
