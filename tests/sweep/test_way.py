"""What a trajectory leaves on its way: whatever stopped or damaged it, the bytes are the same, and little is done twice."""

import logging
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from pipeline.records.checkpoint import Checkpoint
from pipeline.records.record import read_record
from pipeline.records.states import MOST, Way, read_way, write_way
from pipeline.sweep import driver, underway
from tests.helpers.records import (
    counted,
    kill_at,
    record_files,
    small_data,
    small_settings,
    straight,
    train,
    work,
)

BOTH = pytest.mark.parametrize("tested", [True, False])
SCHEDULES = pytest.mark.parametrize("schedule", ["constant", "cosine"])


@SCHEDULES
@BOTH
@pytest.mark.parametrize("killed", [1, 17, 38, 39])
@pytest.mark.parametrize("warned", [True, False], ids=["stopped", "killed"])
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path, monkeypatch, eager, tested, schedule, killed, warned):
    """Stopped, it keeps all that it has; killed, what its last checkpoint had."""
    close = driver.Driver.close
    if not warned:
        monkeypatch.setattr(driver.Driver, "_save", lambda *_: None)
    dataset, settings = small_data(tested), small_settings(tmp_path, schedule=schedule)
    expected = straight(tmp_path, dataset, schedule=schedule)
    with pytest.raises(KeyboardInterrupt):
        train(settings, dataset, observer=kill_at(killed))
    assert len(work(tmp_path)) == (1 if warned or killed > 3 else 0)
    monkeypatch.setattr(driver.Driver, "close", close)
    calls = counted(monkeypatch)
    assert record_files(train(settings, dataset)) == expected
    assert sum(calls) < 3 * 40 or (killed == 1 and not warned)
    assert len(work(tmp_path)) == 1


@BOTH
def test_a_run_killed_while_its_record_is_written_goes_on_to_the_same_bytes(tmp_path, monkeypatch, eager, tested):
    dataset, settings = small_data(tested), small_settings(tmp_path)
    expected = straight(tmp_path, dataset)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(driver, "write_record", killed)
        train(settings, dataset)
    assert record_files(train(settings, dataset)) == expected


@BOTH
def test_a_longer_run_killed_at_a_waypoint_still_gives_the_waypoint_its_bytes(tmp_path, eager, tested):
    """The longer run is killed near 25 iterations; then only the point of 25 is asked for."""
    dataset = small_data(tested)
    expected = straight(tmp_path, dataset, 25)
    with pytest.raises(KeyboardInterrupt):
        train(small_settings(tmp_path, 40), dataset, observer=kill_at(26))
    assert [read_way(path).states[-1].iteration for path in work(tmp_path)] == [27]
    assert record_files(train(small_settings(tmp_path, 25), dataset)) == expected


def test_a_shorter_point_after_a_killed_longer_one_costs_the_way_from_the_nearest_checkpoint(tmp_path, eager, monkeypatch):
    dataset = small_data()
    expected = {n: straight(tmp_path / str(n), dataset, n) for n in (25, 40)}
    calls = counted(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        train(small_settings(tmp_path, 40), dataset, observer=kill_at(31))
    assert sum(calls) == 3 * 33
    assert record_files(train(small_settings(tmp_path, 25), dataset)) == expected[25]
    assert sum(calls) == 3 * (33 + 1)
    # And the longer one still goes on from where it was killed.
    assert record_files(train(small_settings(tmp_path, 40), dataset)) == expected[40]
    assert sum(calls) == 3 * (33 + 1 + 7)


@given(steps=st.lists(st.integers(1, 60), min_size=1, max_size=6))
@settings_of_hypothesis(max_examples=20, deadline=None)
def test_points_in_any_order_cost_no_more_than_a_checkpoints_distance(steps):
    """Points of one trajectory, asked for in any order, one name or another: bytes of straight training, little twice."""
    dataset, folder = small_data(), Path(tempfile.mkdtemp())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(underway, "FIRST_BLOCK", 3)
        patch.setattr(underway, "GROWTH", 1)
        calls = counted(patch)
        for place, step in enumerate(steps):
            named = replace(small_settings(folder, step), name="small" if place % 3 < 2 else "other")
            found, cost = train(named, dataset), sum(calls)
            calls.clear()
            assert cost <= 3 * max(step - max(steps[:place], default=0), 2 * 60 // MOST)
            assert read_record(found).losses.shape == (step, 3)
        longest = replace(small_settings(folder, max(steps)), name="other")
        ours, theirs = record_files(train(longest, dataset)), straight(folder, dataset, max(steps))
        assert {name: ours[name] for name in ("checkpoint.npz", "losses.npy")} == {
            name: theirs[name] for name in ("checkpoint.npz", "losses.npy")
        }
    shutil.rmtree(folder)


def test_a_way_keeps_what_leaves_the_smallest_gaps():
    state = Checkpoint((), 0)
    way = Way(np.empty((0, 1)))
    for iteration in range(1, 400):
        way = way.joined(np.zeros((iteration, 1)), [replace(state, iteration=iteration)])
    kept = [state.iteration for state in way.states]
    assert len(kept) == MOST and kept[-1] == 399 and len(way.losses) == 399
    assert max(np.diff([0, *kept])) <= 2 * 399 / MOST


def as_anothers(path):
    other = path.with_name("0" * 16 + ".npz")
    write_way(other, read_way(path))
    other.rename(path)


DAMAGE = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:300]),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"garbage" * 1000),
    "other arrays": lambda path: np.savez(path, x=np.ones(3)),
    "fewer losses": lambda path: write_way(path, replace(read_way(path), losses=np.zeros((4, 3)))),
    "losses of other heads": lambda path: write_way(path, replace(read_way(path), losses=np.zeros((99, 2)))),
    "in the wrong order": lambda path: write_way(path, replace(read_way(path), states=read_way(path).states[::-1])),
    "another's": as_anothers,
    "a flipped bit": lambda path: path.write_bytes(path.read_bytes().replace(b"\x3f", b"\x3e", 1)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_partial_is_ignored_with_a_warning(tmp_path, eager, caplog, damage):
    dataset, settings = small_data(), small_settings(tmp_path)
    expected = straight(tmp_path, dataset)
    with pytest.raises(KeyboardInterrupt):
        train(settings, dataset, observer=kill_at(20))
    (partial,) = work(tmp_path)
    DAMAGE[damage](partial)
    with caplog.at_level(logging.WARNING):
        assert record_files(train(settings, dataset)) == expected
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert partial.name in caplog.text and "training goes on without it" in caplog.text
    assert [path.name for path in (partial.parent / "damaged").iterdir()] == [partial.name]


@pytest.mark.parametrize("name", ["checkpoint.npz", "losses.npy"])
def test_a_longer_point_does_not_trust_a_damaged_shorter_one(tmp_path, caplog, name):
    dataset = small_data()
    expected = straight(tmp_path, dataset)
    shorter = train(small_settings(tmp_path, 25), dataset)
    for path in work(tmp_path):
        path.unlink()
    content = (shorter / name).read_bytes()
    (shorter / name).write_bytes(content[: len(content) // 2])
    assert record_files(train(small_settings(tmp_path, 40), dataset)) == expected
    assert f"{name}: is damaged" in caplog.text and "is computed again" in caplog.text
    assert not shorter.exists() and len(list((shorter.parents[2] / "work" / "damaged").iterdir())) == 1
