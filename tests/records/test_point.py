"""train_point: whatever was there before, whatever interrupted it, the record has the bytes of straight training."""

import json
import logging
import os

import numpy as np
import pytest
from record_cases import contents, counted, small_data, small_settings, train, with_training

from pipeline.heads.elementary import sigmoid
from pipeline.heads.one_vs_rest import NonFiniteError, Workers, all_logits
from pipeline.records.checkpoint import read_checkpoint, write_checkpoint
from pipeline.records.fingerprint import point_folder
from pipeline.records.record import read_record
from pipeline.training import point
from pipeline.training.point import train_point

BOTH = pytest.mark.parametrize("tested", [True, False])
SCHEDULES = pytest.mark.parametrize("schedule", ["constant", "cosine"])


def kill_at(iteration):
    def progress(done):
        if done >= iteration:
            raise KeyboardInterrupt

    return progress


@pytest.fixture
def eager(monkeypatch):
    """Blocks of one iteration or few, each followed by a checkpoint, which need not wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(point, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(point, "BLOCK_SECONDS", 0.0)
    monkeypatch.setattr(point, "FIRST_BLOCK", 3)


def work(folder):
    return sorted((folder / "small" / "work").glob("*.npz"))


def straight(tmp_path, dataset, iterations=40, **training):
    return contents(train(small_settings(tmp_path / "straight", iterations, **training), dataset))


def test_a_finished_point_is_not_computed_again(tmp_path, monkeypatch):
    calls, seen, dataset = counted(monkeypatch), [], small_data()
    folder = train(small_settings(tmp_path), dataset)
    assert sum(calls) == 3 * 40
    first = contents(folder)
    calls.clear()
    assert train(small_settings(tmp_path), dataset, progress=seen.append) == folder
    assert calls == [] and seen == [40] and contents(folder) == first


@BOTH
def test_a_longer_point_goes_on_from_a_shorter_one_to_the_same_bytes(tmp_path, monkeypatch, tested):
    dataset = small_data(tested)
    expected = straight(tmp_path, dataset)
    calls = counted(monkeypatch)
    shorter = contents(train(small_settings(tmp_path, 25), dataset))
    assert sum(calls) == 3 * 25
    assert contents(train(small_settings(tmp_path, 40), dataset)) == expected
    assert sum(calls) == 3 * 40
    assert contents(train(small_settings(tmp_path, 25), dataset)) == shorter
    longer_first = small_settings(tmp_path / "other", 40)
    train(longer_first, dataset)
    assert contents(train(longer_first.at(25), dataset)) == shorter


@BOTH
def test_waypoints_are_written_on_the_way_and_no_others(tmp_path, monkeypatch, tested):
    dataset, settings = small_data(tested), small_settings(tmp_path)
    expected = {n: straight(tmp_path, dataset, n) for n in (1, 24, 25, 40)}
    calls = counted(monkeypatch)
    folder = train(settings, dataset, waypoints=[24, 25, 1, 25, 40, 99])
    assert sum(calls) == 3 * 40
    assert sorted(int(path.name) for path in folder.parent.iterdir()) == [1, 24, 25, 40]
    assert {n: contents(folder.parent / str(n)) for n in expected} == expected


@SCHEDULES
@BOTH
@pytest.mark.parametrize("killed", [1, 17, 38, 39, 40])
def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path, monkeypatch, eager, tested, schedule, killed):
    dataset, settings = small_data(tested), small_settings(tmp_path, schedule=schedule)
    expected = straight(tmp_path, dataset, schedule=schedule)
    with pytest.raises(KeyboardInterrupt):
        train(settings, dataset, progress=kill_at(killed))
    assert len(work(tmp_path)) == (1 if killed > 3 else 0)
    calls = counted(monkeypatch)
    assert contents(train(settings, dataset)) == expected
    assert sum(calls) < 3 * 40 or killed == 1
    assert work(tmp_path) == []


@BOTH
def test_a_run_killed_while_its_record_is_written_goes_on_to_the_same_bytes(tmp_path, monkeypatch, eager, tested):
    dataset, settings = small_data(tested), small_settings(tmp_path)
    expected = straight(tmp_path, dataset)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(point, "write_record", killed)
        train(settings, dataset)
    assert contents(train(settings, dataset)) == expected


@BOTH
def test_a_longer_run_killed_at_a_waypoint_still_gives_the_waypoint_its_bytes(tmp_path, eager, tested):
    """The longer run is killed just after 25 iterations; then only the point of 25 is asked for."""
    dataset = small_data(tested)
    expected = straight(tmp_path, dataset, 25)
    with pytest.raises(KeyboardInterrupt):
        train(small_settings(tmp_path, 40), dataset, progress=kill_at(26))
    assert [read_checkpoint(path)[1] for path in work(tmp_path)] == [25]
    assert contents(train(small_settings(tmp_path, 25), dataset)) == expected


def test_a_partial_beyond_the_point_is_of_no_use_to_it(tmp_path, eager):
    dataset = small_data()
    expected = straight(tmp_path, dataset, 25)
    with pytest.raises(KeyboardInterrupt):
        train(small_settings(tmp_path, 40), dataset, progress=kill_at(31))
    assert contents(train(small_settings(tmp_path, 25), dataset)) == expected


def test_block_lengths_do_not_change_a_byte(tmp_path, eager):
    dataset = small_data()
    tiny = straight(tmp_path / "tiny", dataset)
    point.BLOCK_SECONDS, point.FIRST_BLOCK = 1e9, 7
    assert straight(tmp_path / "large", dataset) == tiny


def test_progress_rises_to_the_end(tmp_path, eager):
    seen = []
    train(small_settings(tmp_path), small_data(), progress=seen.append)
    assert seen == sorted(set(seen)) and seen[-1] == 40 and len(seen) > 20


DAMAGE = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:300]),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"garbage" * 1000),
    "other arrays": lambda path: np.savez(path, x=np.ones(3)),
    "other iteration": lambda path: write_checkpoint(path, read_checkpoint(path)[0], 5, np.zeros((4, 3))),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_partial_is_ignored_with_a_warning(tmp_path, eager, caplog, damage):
    dataset, settings = small_data(), small_settings(tmp_path)
    expected = straight(tmp_path, dataset)
    with pytest.raises(KeyboardInterrupt):
        train(settings, dataset, progress=kill_at(20))
    (partial,) = work(tmp_path)
    DAMAGE[damage](partial)
    with caplog.at_level(logging.WARNING):
        assert contents(train(settings, dataset)) == expected
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert partial.name in caplog.text and "training goes on without it" in caplog.text


@pytest.mark.parametrize("name", ["checkpoint.npz", "losses.csv"])
def test_a_longer_point_does_not_trust_a_damaged_shorter_one(tmp_path, caplog, name):
    dataset = small_data()
    expected = straight(tmp_path, dataset)
    shorter = train(small_settings(tmp_path, 25), dataset)
    content = (shorter / name).read_bytes()
    (shorter / name).write_bytes(content[: len(content) // 2])
    assert contents(train(small_settings(tmp_path, 40), dataset)) == expected
    assert "training goes on without it" in caplog.text


@pytest.mark.parametrize(("n_jobs", "backend"), [(2, "threads"), (2, "processes")])
def test_workers_do_not_change_a_byte(tmp_path, n_jobs, backend):
    dataset = small_data()
    folder = train_point(small_settings(tmp_path), dataset, Workers("numba", n_jobs, backend))
    assert contents(folder) == straight(tmp_path, dataset)


@BOTH
def test_the_record_says_what_the_heads_say(tmp_path, tested):
    dataset, settings = small_data(tested), small_settings(tmp_path)
    record = read_record(train(settings, dataset))
    # Without a test split, y_hat and metrics are what the last iteration saw before its update, as in the notebook.
    seen = record if tested else read_record(train(settings.at(39), dataset))
    logits = all_logits(seen.heads, dataset.images, dataset.scale, Workers())
    shown = np.flatnonzero(dataset.split == (2 if tested else 0))
    assert record.y_hat["image"].tolist() == shown.tolist()
    assert record.y_hat["target"].tolist() == [dataset.classes[label] for label in dataset.labels[shown]]
    assert record.y_hat.iloc[:, 2:].to_numpy().tobytes() == sigmoid(logits[shown]).tobytes()
    right = logits[shown].argmax(axis=1) == dataset.labels[shown]
    assert record.result["metrics"][f"{'test' if tested else 'train'}_accuracy"] == right.mean()
    assert record.losses.shape == (40, 3) and record.classes == list(dataset.classes)
    assert record.result["data"] == dataset.digest and sum(record.result["images"].values()) == 15


def test_strings_as_classes_named_like_columns_train_on(tmp_path):
    dataset = small_data(names=("iteration", "target", "image"))
    expected = straight(tmp_path, dataset)
    train(small_settings(tmp_path, 25), dataset)
    assert contents(train(small_settings(tmp_path, 40), dataset)) == expected


def test_numbers_that_break_leave_no_record(tmp_path):
    dataset, settings = small_data(), small_settings(tmp_path, alpha=1e308)
    with pytest.raises(NonFiniteError, match=r"head (ant|bee|cat): nan or inf at iteration \d+ with alpha 1e\+308"):
        train(settings, dataset)
    assert not point_folder(settings, dataset.digest).exists()


def test_another_trajectory_shares_nothing(tmp_path):
    dataset, settings = small_data(), small_settings(tmp_path)
    a, b = train(settings, dataset), train(with_training(settings, alpha=0.25), dataset)
    assert a.parent != b.parent
    assert json.loads((a / "result.json").read_text()) != json.loads((b / "result.json").read_text())
