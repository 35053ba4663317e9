"""Command lines at random, of all stages: no traceback, exit code 0 or 1, short lines, and nothing written where refused."""

import random
import shutil

import pytest

from tests.helpers.command_lines import answer, command_line, faults, own_line
from tests.helpers.hostile_files import hostile_file


@pytest.mark.parametrize("first", range(0, 80, 20))
def test_of_each_stage_they_are_answered_in_short_lines(first, tmp_path):
    found = []
    for seed in range(first, first + 20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found += [f"seed {seed}: {fault}" for fault in faults(command_line(seed), folder)]
    assert found == []


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """A folder with a small experiment, for commands that look at one."""
    folder = tmp_path_factory.mktemp("scratch")
    words = ["-m", "training.iterations=2,3", f"paths.experiments={folder / 'experiments'}", "tracking=off", "compute.n_jobs=1"]
    assert answer(["train", *words], folder)[0] == 0
    return folder


def test_words_of_their_own_too(scratch, tmp_path):
    found = []
    for seed in range(24):
        folder = shutil.copytree(scratch, tmp_path / str(seed))
        found += [f"seed {seed}: {fault}" for fault in faults(own_line(seed), folder)]
    assert found == []


def test_data_made_to_harm_is_refused_or_used(tmp_path):
    found = []
    for seed in range(24):
        folder = tmp_path / str(seed) / "data"
        folder.mkdir(parents=True)
        words = ["prepare", "name=bad", *hostile_file(folder, random.Random(seed))]
        found += [f"seed {seed}: {fault}" for fault in faults(words, folder.parent)]
    assert found == []


@pytest.mark.parametrize("seed", [58, 79, 140, 1020])
def test_those_that_once_ended_in_a_traceback(seed, tmp_path):
    assert faults(command_line(seed), tmp_path) == []


@pytest.mark.parametrize(
    "words",
    [["show", "~nosuchuser/x"], ["train", "hydra=-1"], ["prepare", "~compute=[]"], ["train", "paths.experiments=~nosuchuser/x"],
     ["explain", "~nosuchuser"], ["predict", "scratch", "~nosuchuser/x.png"], ["train", "name=" + "x" * 1_000_000],
     ["plan", "training.alpha=" + "9" * 100_000], ["y" * 100_000],
     ["plan", "-m", "seed=range(0,100000000)"], ["plan", "-m", "seed=shuffle(range(100000000))"],
     ["plan", "-m", "seed=range(-1e300,1e300)"],
     ["plan", "-m", "seed=range(1000)", "data.fold=range(1000)", "training.iterations=range(1,1000)"],
     ["compare", "z" * 100_000]],
    ids=lambda words: words[0][:8] + words[-1][:12],
)  # fmt: skip
def test_words_that_no_one_can_mean(words, tmp_path):
    code, out, error = answer(words, tmp_path)
    assert code == 1 and 0 < max(map(len, error.splitlines())) <= 300 and out == "", (code, out[:300], error[:300])
    assert list(tmp_path.iterdir()) == []
