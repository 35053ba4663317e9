"""A trajectory's name changes with all that decides the numbers, and with nothing else."""

from dataclasses import replace

import pytest

from pipeline.records import fingerprint
from pipeline.records.fingerprint import trajectory
from pipeline.settings import ComputeSettings, DataSettings, PathSettings, Settings, TrackingSettings

BASE, DATA = Settings(), "d" * 64


def changed(part, **values):
    return replace(BASE, **{part: replace(getattr(BASE, part), **values)})


SAME = {
    "name": replace(BASE, name="other"),
    "n_jobs": replace(BASE, compute=ComputeSettings("dask", n_jobs=2, scheduler="tcp://h:1")),
    "tracking": replace(BASE, tracking=TrackingSettings("server", "http://x:1")),
    "paths": replace(BASE, paths=PathSettings("/elsewhere")),
    "iterations": changed("training", iterations=77),
    "how the data was asked for": replace(BASE, data=DataSettings("arrays", "x.npz")),
}
OTHER = {
    "seed": replace(BASE, seed=1),
    "kernel_size": changed("model", kernel_size=5),
    "filters": changed("model", filters=2),
    "init": changed("model", init="notebook"),
    "gradient": changed("model", gradient="notebook"),
    "dtype": changed("model", dtype="float64"),
    "alpha": changed("training", alpha=0.25),
    "alpha's last bit": changed("training", alpha=0.10000000000000002),
    "batch_size": changed("training", batch_size=16),
    "all": changed("training", batch_size="all"),
    "loss": changed("training", loss="half_squared_error"),
    "schedule": changed("training", schedule="cosine"),
}


@pytest.mark.parametrize("what", SAME)
def test_what_does_not_reach_the_numbers_does_not_count(what):
    assert trajectory(SAME[what], DATA) == trajectory(BASE, DATA)


def test_all_that_reaches_the_numbers_counts():
    names = {what: trajectory(settings, DATA) for what, settings in OTHER.items()}
    names |= {"base": trajectory(BASE, DATA), "data": trajectory(BASE, "e" * 64)}
    assert len(set(names.values())) == len(names)
    assert all(len(name) == 16 and set(name) <= set("0123456789abcdef") for name in names.values())


def test_numerics_of_the_engine_count_and_its_name_does_not(monkeypatch):
    before = trajectory(changed("compute", engine="numpy"), DATA)
    monkeypatch.setattr(fingerprint, "NUMERICS", {"twin": "numpy-1", "numba": "numba-0"})
    assert trajectory(changed("compute", engine="twin"), DATA) == before
    assert trajectory(BASE, DATA) != PINNED


def test_iterations_count_when_the_schedule_ends_with_them():
    for schedule, same in (("cosine", False), ("constant", True)):
        few, many = (changed("training", schedule=schedule, iterations=n) for n in (100, 200))
        assert (trajectory(few, DATA) == trajectory(many, DATA)) is same


def test_the_name_is_pinned():
    """A change of this name orphans every record that was ever written: it must be meant."""
    assert trajectory(BASE, DATA) == PINNED


PINNED = "b4ea9d83cd848c8f"
