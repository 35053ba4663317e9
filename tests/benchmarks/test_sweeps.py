"""Whole commands, watched: what is measured of them, what they leave, and that the floors write the same again."""

import math
import sqlite3
import sys
from dataclasses import replace

import pytest

from pipeline.benchmarks import floors, parts, sweeps
from pipeline.benchmarks.bounds import MOST, bounds
from pipeline.benchmarks.commands import CommandError, Place, run
from pipeline.benchmarks.drawings import sweep_figure
from pipeline.benchmarks.plan import FULL_SWEEPS, QUICK
from pipeline.benchmarks.recorded import NAME, make_records
from pipeline.benchmarks.timing import Row, Sheet
from pipeline.records.provenance import PROVENANCE
from pipeline.records.record import FILES, is_finished
from pipeline.sweep.grid import read_grid
from pipeline.sweep.points import points_of

WORDS = "print('point 1/2'); print('point 2/2', flush=True); import numpy, time; numpy.ones(10**7); time.sleep(0.1)"
TINY = replace(FULL_SWEEPS, rounds=1, starts=1, compilations=0, shorter=2, longer=4, many=4, early=1, recorded=4)


def test_a_command_is_watched_line_by_line(tmp_path):
    ran = run([sys.executable, "-c", WORDS], tmp_path, {})
    assert [line.text for line in ran.points] == ["point 1/2", "point 2/2"]
    assert 0 < ran.until("point") <= ran.seconds and math.isnan(ran.until("compiled"))
    if sys.platform == "linux":
        # Ten million numbers take 80 MB.
        assert ran.memory > 80 and ran.points[1].files >= 3


def test_a_command_that_fails_is_one_line(tmp_path):
    with pytest.raises(CommandError, match="exit code 3: why"):
        run([sys.executable, "-c", "print('so'); print('why'); raise SystemExit(3)"], tmp_path, {})


def test_a_failed_command_leaves_a_row_that_says_so(monkeypatch):
    def fail(self, *arguments, **options):
        raise CommandError("no space left")

    monkeypatch.setattr(Place, "run", fail)
    rows = sweeps.sweeps(replace(QUICK, sweeps=TINY), lambda _: None)
    assert {row.note for row in rows} == {"no space left"} and not any(row.values for row in rows)


def test_raw_rows_are_the_same_rows(tmp_path):
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT)")
    connection.execute("CREATE TABLE other (number INTEGER)")
    connection.execute("CREATE INDEX by_name ON runs (name)")
    connection.executemany("INSERT INTO runs VALUES (?, ?)", [("a", "x"), ("b", None)])
    connection.execute("INSERT INTO other VALUES (7)")
    connection.commit()
    rows = floors.Rows.of(tmp_path / "a.db")
    assert [len(group) for group in rows.runs] == [1, 1, 1]
    assert rows.write(tmp_path / "b.db") > 0
    copy = sqlite3.connect(tmp_path / "b.db")
    assert list(copy.iterdump()) == list(connection.iterdump())
    for database in (connection, copy):
        database.close()


@pytest.mark.slow
def test_made_up_records_are_an_experiment_of_ours(tmp_path):
    place = Place(tmp_path)
    make_records(place, 6)
    points = points_of(read_grid(place.experiments / NAME))
    assert len({point.folder for point in points}) == 6 and all(is_finished(point.folder) for point in points)
    assert len({point.trajectory for point in points}) == 6
    place.run("compare", f"name={NAME}")
    assert len((place.experiments / NAME / "points.csv").read_text().splitlines()) == 7


@pytest.mark.slow
def test_what_tracks_does_so_in_any_folder(tmp_path):
    place = Place(tmp_path / "50%25 or what?")
    make_records(place, 2)
    points = points_of(read_grid(place.experiments / NAME))
    assert all(seconds > 0 for seconds in parts.seconds_to_track(points, place.folder / "parts.db"))
    place.run("train", "training.iterations=1", tracked=True)
    assert {path.name for path in place.folder.glob("*.db")} == {"parts.db", "mlflow.db"}
    assert [path.name for path in tmp_path.iterdir()] == [place.folder.name]


@pytest.mark.slow
def test_a_long_sweep_is_looked_at_on_its_way(tmp_path):
    sheet = Sheet(sweeps.SECTION, sweeps.many_job(4))
    sweeps.many(TINY, tmp_path, sheet)
    rows = {row.contestant: row for row in sheet.rows()}
    assert rows[sweeps.FIRST].median < rows[sweeps.WHOLE].median
    # All files of a record, and where it comes from.
    assert rows[sweeps.FLOOR_FILES].note.startswith(f"{4 * len([*FILES, PROVENANCE])},") and rows[sweeps.FLOOR_ROWS].median > 0


def test_bounds_and_picture_find_their_rows():
    rows = [Row(sweeps.SECTION, job, contestant, "s", (most,)) for job, contestant, most in MOST]
    missed = [replace(row, values=(row.median + 1,)) for row in rows]
    for measured, verdict in ((rows, "yes"), (missed, "no"), ([], "not measured")):
        found = bounds(measured)[-len(MOST) :]
        assert {bound.verdict for bound in found} == {verdict}
    assert sweep_figure(rows) is None
    floor = [sweeps.FLOOR_START, sweeps.FLOOR_TRAIN, *sweeps.FLOORS_RAW]
    more = [Row(sweeps.SECTION, sweeps.DIGITS, name, "s", (0.1,)) for name in floor]
    assert sweep_figure([*rows, *more]) is not None
