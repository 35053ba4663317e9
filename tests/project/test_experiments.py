"""Every named experiment runs, shortened, and says what it asks."""

import re

import pandas as pd
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


SUMMARIES = sorted((ROOT / "experiments").glob("*/summary.csv"))


@pytest.mark.parametrize("summary", SUMMARIES, ids=lambda path: path.parent.name)
def test_the_numbers_in_a_readmes_tables_are_those_of_its_summary(summary):
    """Each line with a deviation is one row of summary.csv, and of study.csv where there is one: every number with three
    decimals or more is one of the row's, rounded."""
    rows = pd.read_csv(summary)
    if (summary.parent / "study.csv").is_file():
        rows = rows.join(pd.read_csv(summary.parent / "study.csv"))
    values = rows.select_dtypes("number").to_numpy()
    lines = [line for line in (summary.parent / "README.md").read_text().splitlines() if line.startswith("|") and "±" in line]
    for line in lines:
        told = re.findall(r"\d\.\d{3,}", line)
        assert not told or any(set(told) <= {f"{v:.{len(n) - 2}f}" for v in row for n in told} for row in values), line
    assert lines or not any(key.endswith("_std") for key in rows.columns)
