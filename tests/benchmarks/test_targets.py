"""The engine on narrower CPUs: what a process prints becomes rows."""

from dataclasses import replace

import pytest

from pipeline.benchmarks import targets, timing
from pipeline.benchmarks.jobs import pictures
from pipeline.benchmarks.plan import QUICK


def test_a_process_times_every_case_of_the_data_that_are_there(monkeypatch, capsys):
    monkeypatch.setattr(targets, "pictures", lambda name: pictures("digits").some(64, 0) if name != "digits" else "none")
    monkeypatch.setattr(targets, "CASES", ((1, 3), (8, 3)))
    monkeypatch.setattr(timing, "TURN_SECONDS", 0.0)
    targets.main(64)
    cases, nanoseconds = zip(*(line.rsplit(": ", 1) for line in capsys.readouterr().out.splitlines()), strict=True)
    assert cases == ("8 x 8, 10 heads, k = 3, 1 filter", "8 x 8, 10 heads, k = 3, 8 filters")
    assert all(1 < float(each) < 1e6 for each in nanoseconds)


def test_each_target_is_a_contestant_of_the_same_cases(monkeypatch):
    found = targets.contestants("folder")
    names = [environment.get("NUMBA_CPU_NAME") for environment, _ in found.values()]
    assert names[0] is None and names[1:] in ([], ["haswell", "nehalem"])
    assert all(environment["NUMBA_CACHE_DIR"] == "folder/compiled" for environment, _ in found.values())
    # One is enough to see that a process's lines become rows; the others compile for seconds.
    first = dict(list(found.items())[:1])
    environment, _ = first[next(iter(first))]
    del environment["NUMBA_CACHE_DIR"]
    monkeypatch.setattr(targets, "contestants", lambda folder: {"one": (environment, 0.01), "two": (environment, 0.01)})
    said = []
    rows = targets.targets(replace(QUICK, target_rounds=1), said.append)
    [digits] = [row.job for row in rows if row.job.startswith("8 x 8")][::2]
    assert [(row.contestant, row.unit, len(row.values)) for row in rows if row.job == digits] == [
        ("one", "ns", 1),
        ("two", "ns", 1),
    ]
    assert len(said) == 1 + len(rows)


def test_none_are_measured_where_no_rounds_are_wanted():
    assert targets.targets(replace(QUICK, target_rounds=0), pytest.fail) == []
