"""Every command of the README and of the documentation runs: shortened, and in a folder of the test's own."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.helpers.command_lines import answer
from tests.helpers.commands import ROOT, clothing

BIN = Path(sys.executable).parent
README = (ROOT / "README.md").read_text()
# Of the documentation's pages the made ones have no commands of their own.
DOCS = "".join(path.read_text() for path in sorted((ROOT / "docs").rglob("*.md")))


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


CLUSTER = [block for block in blocks("bash") if "dask scheduler" in block]
COMMANDS = [line for block in blocks("bash") if block not in CLUSTER for line in block.strip().splitlines()]
MORE = [line for block in blocks("bash", DOCS) for line in block.strip().splitlines() if line not in COMMANDS]
STAGES = [line for line in [*COMMANDS, *dict.fromkeys(MORE)] if line.startswith("ovrcnn ")]
pytestmark = pytest.mark.slow


def sh(line: str, place: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-c", line], cwd=place, env=environment, capture_output=True, text=True, timeout=300)


def typed(line: str, place: Path) -> tuple[int | BaseException, str]:
    """Exit code and standard error of a command: in a process of its own, if it starts a cluster, or is the first; else in
    this one, which has all imports."""
    if line.startswith(STAGES[0]) or re.search(r"compute=dask", line):
        ended = sh(line, place)
        return ended.returncode, ended.stderr
    code, _, error = answer(shlex.split(line)[1:], place)
    return code, error


def test_the_commands_of_the_stages_run_in_their_order(tmp_path):
    for block in blocks("python"):
        assert subprocess.run([sys.executable, "-c", block], cwd=tmp_path).returncode == 0
    assert (tmp_path / "mine.npz").exists()
    Image.new("L", (8, 8)).save(tmp_path / "seven.png")
    for line in STAGES:
        # Later words win, so the iterations become few; a sweep over them keeps its two.
        few = "training.iterations=2,4" if "notebook_grid" in line else "training.iterations=2"
        short = [few] if " train " in line else []
        short += ["hydra.sweeper.n_trials=2"] if "digits_search" in line else []
        short += clothing(tmp_path / "clothing") if "fashion_mnist" in line else []
        line = line.replace("iterations=500", "iterations=4") if " show " in line else line
        place = ["--draws", "1"] if "check-gradients" in line else ["paths.experiments=results", "tracking=off"]
        # One of a hundred seeds will do.
        short += ["seed=0"] if "digits_cv" in line else []
        code, error = typed(f"{line} {shlex.join([*short, *place])}", tmp_path)
        assert code == 0 and "Traceback" not in error, line + error
    assert (tmp_path / "results" / "scratch" / "figures" / "heatmap.png").exists()


@pytest.mark.parametrize(
    "target", sorted({line.split()[1] for line in [*COMMANDS, *MORE] if line.startswith("make ")} | {"test", "lint"})
)
def test_make_knows_the_targets_and_they_call_what_is_tested(target):
    listed = sh("make help", ROOT).stdout
    assert re.search(rf"^{target} +\S", listed, re.M)
    steps = sh(f"make --dry-run --always-make {target}", ROOT)
    assert steps.returncode == 0, steps.stderr
    called = {
        "sweep": "ovrcnn train experiment=digits",
        "ui": "ovrcnn ui",
        "repro": "dvc repro",
        "test": "pytest",
        "lint": "mypy",
    }
    assert called.get(target, "") in steps.stdout


def test_every_other_command_is_mlflows_or_dvcs_and_tested_elsewhere():
    """DVC's by test_dvc.py, all of them; what starts a team's server by tracking/test_postgres.py, with its database here and a
    folder for S3."""
    others = [line for line in [*COMMANDS, *MORE] if not line.startswith(("ovrcnn ", "make ", "eval "))]
    team = "".join(blocks("bash", (ROOT / "docs" / "howto" / "server.md").read_text())).splitlines()
    assert [line for line in others if line not in team and not re.match(r"dvc |git tag ", line)] == [
        "export MLFLOW_TRACKING_URI=sqlite:///mlflow.db",
        "mlflow models serve -m models:/digits@champion --env-manager local --port 5001",
    ]
    started = [line for line in team if not line.startswith(("export ", "  --", "ovrcnn "))]
    assert len(started) == 1 and started[0].startswith("mlflow server ")


def test_tab_completion_completes_stages_groups_and_values(tmp_path):
    [line] = [line for line in COMMANDS if line.startswith("eval ")]
    script = (
        line
        + """
complete_line() {
  COMP_LINE="$1"; COMP_WORDS=($1); [[ "$1" == *" " ]] && COMP_WORDS+=("")
  COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); COMP_POINT=${#COMP_LINE}
  $(complete -p ovrcnn | sed -E 's/.*-F ([^ ]+).*/\\1/'); echo "${COMPREPLY[@]}"
}
complete_line "ovrcnn trai"
complete_line "ovrcnn train data="
complete_line "ovrcnn train model.ker"
complete_line "ovrcnn show dig"
complete_line "ovrcnn predict digits "
"""
    )
    ended = sh(script, tmp_path)
    assert ended.stderr == ""
    stage, data, setting, point, files = ended.stdout.splitlines()[-5:]
    assert stage == "train"
    assert "data=digits" in data and "data=arrays" in data
    assert setting == "model.kernel_size="
    assert "digits" in point.split() and files == ""


def test_the_way_of_a_cluster_works_with_srun_standing_in_for_slurms(tmp_path):
    [block] = CLUSTER
    (tmp_path / "bin").mkdir()
    shim = tmp_path / "bin" / "srun"
    shim.write_text('#!/bin/sh\nexec "$@"\n')
    shim.chmod(0o755)
    last = block.strip().splitlines()[-1]
    short = f"{last} paths.experiments=results tracking=off training.iterations=2"
    script = f"trap 'kill $(jobs -p)' EXIT\nexport PATH={tmp_path / 'bin'}:$PATH\n{block.replace(last, short)}"
    ended = sh(script, tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "training 9 trajectories on the Dask workers of tcp://" in ended.stdout and "* best: " in ended.stdout


def test_links_and_pictures_are_there():
    for target in re.findall(r"\]\(([^)h][^)]*)\)", README):
        assert (ROOT / target).exists(), target
