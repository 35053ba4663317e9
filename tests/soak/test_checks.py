"""The soak's checks complain of what they look for, and of nothing else."""

import sqlite3
from contextlib import closing

from .checks import answered, each_once, everything, no_leftovers, same_bytes, words
from .sweeps import SWEEPS, Place, Straight, tables

TRACKED = SWEEPS[0]


def store(path, rows):
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE runs (run_uuid, status, lifecycle_stage)")
        made.execute("CREATE TABLE tags (run_uuid, key, value)")
        for number, (key, status) in enumerate(rows):
            made.execute("INSERT INTO runs VALUES (?, ?, 'active')", (number, status))
            made.execute("INSERT INTO tags VALUES (?, 'point', ?)", (number, key))
        made.commit()


def test_each_check_can_fail(tmp_path):
    place = Place(tmp_path)
    point = place.experiment / "points" / "0123456789abcdef" / "40"
    point.mkdir(parents=True)
    (point / "result.json").write_bytes(b"right")
    (place.experiment / "points.csv").write_bytes(b"right")
    expected = Straight(place, {"0123456789abcdef/40/result.json": b"right"}, tables(place.experiment), 1.0)
    store(place.database, [("0123456789abcdef/40", "FINISHED"), (None, "FINISHED")])
    assert everything(place, TRACKED, expected) == []

    (point / "result.json").write_bytes(b"wrong")
    (place.experiment / "points.csv").unlink()
    assert [line.partition(":")[0] for line in same_bytes(place, expected)] == ["points", "tables"]
    (place.experiment / "work").mkdir()
    (place.experiment / "work" / "point.x.unfinished").mkdir()
    assert "1 temporary" in no_leftovers(place)[0]
    place.said += ["Traceback (most recent call last):\nValueError: x", "x" * 301, "\x1b[31m"]
    assert len(words(place)) == 3
    place.database.unlink()
    store(place.database, [("0123456789abcdef/40", "FINISHED")] * 2 + [("0123456789abcdef/40", "RUNNING")])
    said = each_once(place, TRACKED, expected)
    assert "1 runs seem to run" in said[0] and "1 of them twice" in said[1]
    assert len(everything(place, TRACKED, expected)) == 8


def test_an_answer_to_nonsense_is_complained_of(tmp_path):
    place = Place(tmp_path, said=["name: must be letters\n"])
    assert answered(place, 1, set()) == [] == answered(place, 0, {tmp_path / "x"})
    assert "exit code -9" in answered(place, -9, set())[0] and "wrote" in answered(place, 1, {tmp_path / "x"})[0]
    place.said.append("")
    assert answered(place, 1, set()) == ["exit code 1 without a word"]
