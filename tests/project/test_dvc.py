"""dvc.yaml in a copy of the project, with short experiments: what reruns, and what does not."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.cli import STAGES
from pipeline.records.record import read_record
from pipeline.sweep.hydra import parse_arguments, read_command
from tests.helpers.command_lines import answer
from tests.helpers.commands import ROOT

pytestmark = pytest.mark.slow
BIN = Path(sys.executable).parent
HOWTO = (ROOT / "docs" / "howto" / "dvc.md").read_text()
BLOCKS = [text for page in ((ROOT / "README.md").read_text(), HOWTO) for text in re.findall(r"```bash\n(.*?)```", page, re.S)]
COMMANDS = [line for text in BLOCKS for line in text.splitlines() if line.startswith(("dvc ", "git "))]


PERSON = {f"GIT_{who}_{what}": "t@t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def sh(place: Path, *words: str) -> str:
    places = {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(place)}
    environment = {**os.environ, **PERSON, **places, "DVC_NO_ANALYTICS": "1"}
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
        head, _, _ = file.read_text().partition("    params:")
        file.write_text(
            head + "    params:\n      model: {kernel_size: [3, 5]}\n      training: {alpha: 0.001, iterations: [4, 8]}\n"
        )
    # MLflow's import is waited for once: only digits are tracked.
    for name, before, after in (
        ("config.yaml", "- tracking: sqlite", '- tracking: "off"'),
        ("experiment/digits.yaml", "\nname:", "\n  - override /tracking: sqlite\nname:"),
    ):
        file = place / "conf" / name
        assert before in file.read_text()
        file.write_text(file.read_text().replace(before, after, 1))
    # The reference engine needs no compiling, which in a copy of the project would start anew.
    threads = place / "conf" / "compute" / "threads.yaml"
    threads.write_text(threads.read_text().replace("engine: numba", "engine: numpy"))
    sh(place, "git", "init", "-q")
    sh(place, "dvc", "repro", "-q")
    commit(place)
    return place


def commit(place: Path) -> None:
    sh(place, "git", "add", "-A")
    sh(place, "git", "commit", "-qm", "state")


def ran(output: str) -> set[str]:
    return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")}


def test_a_second_repro_does_nothing(project):
    assert ran(sh(project, "dvc", "repro")) == set()
    assert sh(project, "git", "status", "--short") == ""


def test_only_what_depends_on_an_edit_reruns(project):
    unused = project / "conf" / "data" / "arrays.yaml"
    unused.write_text(unused.read_text().replace("scale: null", "scale: 3"))
    assert "scale: 3" in unused.read_text()
    used = project / "conf" / "training" / "notebook.yaml"
    before = used.read_text()
    used.write_text(before.replace("loss: half_squared_error #", "loss: binary_cross_entropy #"))
    assert ran(sh(project, "dvc", "repro")) == {"compose@notebook_grid", "train@notebook_grid", "compare@notebook_grid"}
    used.write_text(before)
    sh(project, "dvc", "repro")
    sh(project, "git", "checkout", "-q", "conf/data/arrays.yaml")
    assert sh(project, "git", "status", "--short") == ""


def test_a_clone_without_a_cache_reproduces_the_same_bytes(project, tmp_path):
    clone = tmp_path / "clone"
    sh(tmp_path, "git", "clone", "-q", str(project), str(clone))
    assert ran(sh(clone, "dvc", "repro", "compare@notebook_grid")) >= {"train@notebook_grid", "compare@notebook_grid"}
    assert sh(clone, "git", "status", "--short") == ""


def test_the_commands_of_the_readme_and_the_docs_show_what_a_user_expects(project):
    """In their order, in one copy: the grid's own values change by -S, and metrics, params and plots show it."""
    done = {line: sh(project, "bash", "-c", line) for line in COMMANDS}
    said = {" ".join(line.split()[1:3]): output for line, output in done.items()}
    assert "validation_accuracy" in said["metrics show"]
    assert sum("alpha=[0.002,0.004]" in line for line in COMMANDS) == 1
    # The experiment that the workspace holds, beside the commit.
    table = pd.read_csv(project / "experiments" / "notebook_grid" / "points.csv")
    assert sorted(set(table["training.alpha"])) == [0.002, 0.004]
    metrics = "experiments/notebook_grid/metrics.json"
    changed = json.loads(sh(project, "dvc", "metrics", "diff", "--json"))[metrics]
    assert changed["train_margin"]["new"] == table["train_margin"].max() and changed["train_margin"]["diff"] > 0.1
    params = json.loads(sh(project, "dvc", "params", "diff", "--json"))["conf/experiment/notebook_grid.yaml"]
    assert params == {"hydra.sweeper.params.training.alpha": {"old": 0.001, "new": "[0.002, 0.004]"}}
    # The queued ones, each with a value of its own and the metrics that it leads to.
    ran = [row for row in csv.DictReader(sh(project, "dvc", "exp", "show", "--csv").splitlines()) if row["State"] == "Success"]
    alpha, margin = "conf/experiment/notebook_grid.yaml:hydra.sweeper.params.training.alpha", f"{metrics}:train_margin"
    best = table.groupby("training.alpha")["train_margin"].max()
    assert {float(row[alpha]): float(row[margin]) for row in ran} == pytest.approx(dict(best), rel=1e-4)
    figure = project / "dvc_plots" / "static" / "workspace_experiments_notebook_grid_figures_heatmap.png"
    assert figure.read_bytes() == (project / "experiments" / "notebook_grid" / "figures" / "heatmap.png").read_bytes()
    paths = [f"experiments/notebook_grid/plots/{name}.csv" for name in ("losses", "confusion")]
    plots = json.loads(sh(project, "dvc", "plots", "diff", "--json", "--targets", *paths))["data"]
    for path in paths:
        assert {row["rev"] for row in plots[path][0]["content"]["data"]["values"]} == {"HEAD", "workspace"}
    assert read_record(project / "digits-1.0.0").classes == [str(j) for j in range(10)]
    np.savez(project / "three.npz", images=np.full((3, 8, 8), 16))
    code, table, error = answer(["predict", "digits-1.0.0", "three.npz", "tracking=off"], project)
    assert (code, len(table.splitlines()), error) == (0, 4, "")
    sh(project, "git", "checkout", "-q", ".")
    sh(project, "dvc", "checkout", "-q")


def test_a_clone_gets_all_from_the_remote_and_its_ci_reports_what_changed(project, tmp_path):
    clone, summary = tmp_path / "clone", tmp_path / "summary.md"
    sh(tmp_path, "git", "clone", "-q", str(project), str(clone))
    for place in (project, clone):
        sh(place, "dvc", "remote", "add", "--local", "-d", "here", str(tmp_path / "remote"))
    sh(project, "dvc", "push", "-q")
    edited = clone / "conf" / "experiment" / "notebook_grid.yaml"
    edited.write_text(edited.read_text().replace("alpha: 0.001", "alpha: 0.003"))
    commit(clone)
    workflow = yaml.safe_load(re.search(r"```yaml\n(.*?)```", HOWTO, re.S)[1])
    steps = [step["run"] for step in workflow["jobs"]["report"]["steps"] if "run" in step and "make" not in step["run"]]
    branch = sh(project, "git", "branch", "--show-current").strip()
    script = f"export GITHUB_BASE_REF={branch} GITHUB_STEP_SUMMARY={summary}\n" + "\n".join(steps)
    # Only what the edit is about is run: the rest came from the remote.
    assert ran(sh(clone, "bash", "-ec", script)) == {f"{stage}@notebook_grid" for stage in ("compose", "train", "compare")}
    assert re.search(r"notebook_grid/metrics.json \| train_margin", summary.read_text())
    assert "@digits" not in summary.read_text() and (clone / "plots" / "index.html").exists()


def stages_of(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The stages of a dvc.yaml, and what its experiments choose."""
    text = yaml.safe_load((ROOT / name).read_text())
    [experiments] = text["vars"][0].values()
    return text["stages"], experiments


@pytest.mark.parametrize("name", ["dvc.yaml", "experiments/dvc.yaml"])
def test_stages_depend_on_the_conf_files_that_their_experiments_use(name):
    stages, experiments = stages_of(name)
    assert set(stages) <= {*STAGES, "study"}
    default = yaml.safe_load((ROOT / "conf" / "config.yaml").read_text())["defaults"]
    for name, choices in experiments.items():
        assert read_command(parse_arguments([f"experiment={name}"])).first.name == name
        text = yaml.safe_load((ROOT / "conf" / "experiment" / f"{name}.yaml").read_text())
        given = {k.removeprefix("override /"): v for line in text["defaults"] for k, v in line.items()}
        for group in ("data", "model", "training"):
            fallback = next(line[group] for line in default if isinstance(line, dict) and group in line)
            assert given.get(group, fallback) == choices[group]


def test_make_reproduces_every_committed_study():
    made = subprocess.run(
        ["make", "--no-print-directory", "-n", "repro", "studies"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    quick = set(re.findall(r"study@(\w+)", made))
    _, studies = stages_of("experiments/dvc.yaml")
    assert quick < set(studies) and made.rstrip().endswith("dvc repro experiments/dvc.yaml")
