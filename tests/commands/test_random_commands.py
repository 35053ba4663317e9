"""Command lines at random, of all stages: no traceback, exit code 0 or 1, short lines, and nothing written where refused."""

import pytest

from tests.helpers.command_lines import command_line, faults


@pytest.mark.parametrize("first", range(0, 80, 20))
def test_of_each_stage_they_are_answered_in_short_lines(first, tmp_path):
    found = []
    for seed in range(first, first + 20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found += faults(seed, folder)
    assert found == []


@pytest.mark.parametrize("seed", [58, 79, 140, 1020])
def test_those_that_once_ended_in_a_traceback(seed, tmp_path):
    assert faults(seed, tmp_path) == [], command_line(seed)


@pytest.mark.parametrize(
    "words",
    [["show", "~nosuchuser/x"], ["train", "hydra=-1"], ["prepare", "~compute=[]"], ["train", "paths.experiments=~nosuchuser/x"],
     ["explain", "~nosuchuser"], ["predict", "scratch", "~nosuchuser/x.png"], ["train", "name=" + "x" * 1_000_000],
     ["plan", "training.alpha=" + "9" * 100_000], ["y" * 100_000], ["compare", "z" * 100_000]],
    ids=lambda words: words[0][:8] + words[-1][:12],
)  # fmt: skip
def test_words_that_no_one_can_mean(words, tmp_path):
    from tests.helpers.command_lines import answer

    code, out, error = answer(words, tmp_path)
    assert code == 1 and 0 < max(map(len, error.splitlines())) <= 300 and out == "", (code, out[:300], error[:300])
    assert list(tmp_path.iterdir()) == []
