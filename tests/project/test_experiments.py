"""Every named experiment runs, shortened, and says what it asks."""

import re

import pytest

from pipeline.train import main
from tests.helpers.commands import ROOT, clothing, points

FILES = sorted((ROOT / "conf" / "experiment").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_opens_with_question_command_expectation_and_time(file):
    head = file.read_text().split("defaults:")[0]
    for word in ("Question:", "Command:", "Expected:", "Time:"):
        assert re.search(rf"^# {word} +\S", head, re.M), word
    assert f"python -m pipeline.train experiment={file.stem}" in head
    assert f"name: {file.stem}" in file.read_text()


# A search imports a library that takes seconds.
RUN = [pytest.param(file, marks=pytest.mark.slow if file.stem == "digits_search" else (), id=file.stem) for file in FILES]


@pytest.mark.parametrize("file", RUN)
def test_it_runs(file, place, tmp_path):
    small = clothing(tmp_path / "clothing") if "data: fashion_mnist" in file.read_text() else []
    # One seed of a hundred will do.
    assert main([*place, *small, f"experiment={file.stem}", "training.iterations=3", "seed=0"]) == 0
    assert points(tmp_path / "experiments" / file.stem)


@pytest.mark.parametrize("file", sorted((ROOT / "conf").glob("*/*.yaml")), ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_every_choice_opens_with_the_command_that_uses_it(file):
    lines = file.read_text().splitlines()
    assert any("python -m pipeline.train" in line for line in lines[:4])
