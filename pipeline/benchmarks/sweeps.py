"""What a sweep costs: whole commands as a user types them, and the floors under them.

Nothing is compiled while it is timed, but where that is what is measured; a command that nobody times comes first.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..sweep.grid import read_grid
from ..sweep.points import points_of
from . import floors, parts
from .commands import CommandError, Place, run
from .plan import Plan, Sweeps
from .recorded import NAME, make_records
from .timing import Row, Say, Sheet

SECTION = "what a sweep costs"
WORKERS = 2
DIGITS = "27 points: experiment=digits"
ONE = "one point of one iteration, tracking=off, a new alpha each time"
# What the bounds and the picture look for.
TRACKED, AGAIN = "train, tracked, from nothing", "train, tracked, nothing to train"
OFF, OFF_AGAIN = "train, tracking=off, from nothing", "train, tracking=off, nothing to train"
COMPARE, WHOLE = "compare", "whole command"
FLOOR_START, FLOOR_TRAIN = "floor: start, import of numpy, hydra and numba", f"floor: training alone, {WORKERS} workers"
FLOOR_FILES, FLOOR_ROWS = "floor: the records' files, raw", "floor: MLflow's rows, raw"
FLOOR_ARTIFACTS = "floor: MLflow's files, raw"
FLOORS_RAW = (FLOOR_FILES, FLOOR_ROWS, FLOOR_ARTIFACTS)
A_POINT, MLFLOW = "a point, tracked", "of which MLflow"
FIRST, GROWN, OPENED = "until the first point's line", "memory gained a point, second half", "files opened since"
PEAK, COMPILED = "peak memory", "until all of them are compiled"
START = [sys.executable, "-c", "import numpy, hydra, numba"]
# Alphas for a sweep of short points: each another trajectory, and small, so that no head dies and is warned of.
STEP = 0.0001


def point_job(wanted: Sweeps) -> str:
    return f"a point beyond its training: ({wanted.longer} points less {wanted.shorter}) / {wanted.longer - wanted.shorter}"


def many_job(count: int) -> str:
    return f"{count:,} points of 2 iterations, tracked"


def recorded_job(count: int) -> str:
    return f"comparison of {count:,} recorded points"


def compile_job(kernel_sizes: tuple[int, ...]) -> str:
    return f"first compilation, kernel size {', '.join(map(str, kernel_sizes))}: experiment=digits, tracking=off"


def sweeps(plan: Plan, say: Say) -> list[Row]:
    """All rows of the section; none when the plan has no sweeps."""
    if plan.sweeps is None:
        return []
    wanted = plan.sweeps
    jobs: list[tuple[str, Callable[[Sweeps, Path, Sheet], None]]] = [
        (DIGITS, digits),
        (point_job(wanted), a_point),
        (many_job(wanted.many), many),
        (recorded_job(wanted.recorded), recorded),
        (ONE, one_point),
        (compile_job(wanted.compiled), compilation),
    ]
    rows: list[Row] = []
    for job, measure in jobs:
        say(f"{SECTION}: {job}")
        sheet = Sheet(SECTION, job)
        with tempfile.TemporaryDirectory(prefix="ovrcnn-benchmark-") as folder:
            try:
                measure(wanted, Path(folder), sheet)
            except CommandError as error:
                sheet.absent("the rest", str(error))
        rows += sheet.rows()
        for row in sheet.rows():
            say(row.text())
    return rows


def digits(wanted: Sweeps, home: Path, sheet: Sheet) -> None:
    """The project's own sweep: four ways to train, then to compare, and what none of them can do without."""
    Place(home / "before").run("train", "-m", "model.kernel_size=3,5,7", "training.iterations=1")
    for number in range(wanted.rounds):
        kept, alone = Place(home / f"tracked{number}"), Place(home / f"off{number}")
        train = partial(kept.run, "train", "experiment=digits", tracked=True)
        for name in (TRACKED, AGAIN):
            sheet.add(name, train().seconds)
        for name in (OFF, OFF_AGAIN):
            sheet.add(name, alone.run("train", "experiment=digits").seconds)
        sheet.add(COMPARE, kept.run("compare", "experiment=digits").seconds)
        sheet.add(FLOOR_START, run(START, home, {}).seconds)
        points = points_of(read_grid(kept.experiments / "digits"))
        floors.first_blocks(points)
        sheet.add(FLOOR_TRAIN, floors.train_alone(points, WORKERS))
        _raw(kept, "digits", home / f"raw{number}", sheet)


def _raw(place: Place, name: str, target: Path, sheet: Sheet) -> None:
    """The floors under records and store: what a tracked sweep left, written once more."""
    records, artifacts = floors.files_below(place.experiments / name / "points"), floors.files_below(place.artifacts)
    sheet.add(FLOOR_FILES, floors.write_files(records, target / "records", sync=True), note=f"{len(records):,}, each synced")
    rows = floors.Rows.of(place.database)
    count = sum(map(len, rows.runs))
    sheet.add(FLOOR_ROWS, rows.write(target / "raw.db"), note=f"{count:,} rows, a transaction a point")
    seconds = floors.write_files(artifacts, target / "artifacts", sync=False)
    sheet.add(FLOOR_ARTIFACTS, seconds, note=f"{len(artifacts):,}, not synced, as MLflow copies them")


def a_point(wanted: Sweeps, home: Path, sheet: Sheet) -> None:
    """The difference of two sweeps, one longer than the other, divided by the points it has more; and the parts of it."""
    extra = wanted.longer - wanted.shorter
    for number in range(wanted.rounds):
        seconds, places = {}, {}
        for tracked in (True, False):
            for count in (wanted.shorter, wanted.longer):
                places[count, tracked] = place = Place(home / f"{number}-{tracked}-{count}")
                seconds[count, tracked] = place.run("train", *_short(count), tracked=tracked).seconds
        each = {
            tracked: (seconds[wanted.longer, tracked] - seconds[wanted.shorter, tracked]) / extra for tracked in (True, False)
        }
        sheet.add(A_POINT, each[True])
        sheet.add(MLFLOW, each[True] - each[False], note="tracked less tracking=off")
        sheet.add("a point, tracking=off", each[False])
    folder = places[wanted.longer, False].experiments / "short"
    grid = read_grid(folder)
    points = points_of(grid)
    floors.first_blocks(points[:1])
    for name, values in {
        "part: training and evaluation": parts.seconds_to_train(points),
        "part: write_record": parts.seconds_to_write(points, home / "again"),
        "part: the tracker's thread": parts.seconds_to_track(points, home / "again.db"),
    }.items():
        sheet.extend(name, values, note="in one process, alone in it")
    # The first comparison imports pandas and matplotlib.
    parts.seconds_to_compare(points, home / "first", grid.swept)
    for number in range(wanted.rounds):
        few = parts.seconds_to_compare(points[: wanted.shorter], home / f"few{number}", grid.swept)
        more = parts.seconds_to_compare(points, home / f"more{number}", grid.swept)
        sheet.add("part: comparison", (more - few) / extra, note="in one process, the same difference of points")
    raw = Sheet(SECTION, point_job(wanted))
    _raw(places[wanted.longer, True], "short", home / "raw", raw)
    for row in raw.rows():
        sheet.add(row.contestant, row.median / wanted.longer, note=f"of {wanted.longer} points, divided by these")


def _short(count: int) -> list[str]:
    """A sweep of so many trajectories of two iterations."""
    alphas = f"range({STEP},{STEP * (count + 0.5):.6f},{STEP})"
    return ["-m", "name=short", f"training.alpha={alphas}", "training.iterations=2"]


def many(wanted: Sweeps, home: Path, sheet: Sheet) -> None:
    """One long sweep, its memory and its files looked at as its points end."""
    place = Place(home)
    ran = place.run("train", *_short(wanted.many), tracked=True)
    points = ran.points
    if len(points) != wanted.many:
        raise CommandError(f"{len(points)} lines of points instead of {wanted.many}")
    early, half, last = points[wanted.early - 1], points[wanted.many // 2 - 1], points[-1]
    sheet.add(WHOLE, ran.seconds)
    sheet.add(FIRST, points[0].seconds)
    sheet.add("until the last point's line", last.seconds)
    sheet.add(f"{PEAK} after {wanted.early} points", early.memory, "MB")
    sheet.add(f"{PEAK} after {wanted.many:,} points", last.memory, "MB", "before the comparison")
    grown = 1000 * (last.memory - half.memory) / (wanted.many - wanted.many // 2)
    sheet.add(GROWN, grown, "kB", "of the peak; MLflow is imported in the first half")
    sheet.add(f"{PEAK}, whole command", ran.memory, "MB")
    sheet.add(f"open files after {wanted.early} points", early.files, "files")
    sheet.add(f"open files after {wanted.many:,} points", last.files, "files")
    sheet.add(OPENED, last.files - early.files, "files")
    _raw(place, "short", home / "raw", sheet)


def recorded(wanted: Sweeps, home: Path, sheet: Sheet) -> None:
    """`ovrcnn compare` of an experiment far larger than any that is trained for a benchmark."""
    place = Place(home)
    make_records(place, wanted.recorded)
    folder = place.experiments / NAME
    for _ in range(wanted.rounds):
        ran = place.run("compare", f"name={NAME}")
        sheet.add(WHOLE, ran.seconds)
        sheet.add(PEAK, ran.memory, "MB")
        sheet.extend("floor: every result.json, read and parsed", [_read_all(folder / "points")])
    names = [name for name in ("points.csv", "summary.csv", "y_hat.csv", "metrics.json") if (folder / name).is_file()]
    size = sum((folder / name).stat().st_size for name in names) / 1e6
    sheet.add("tables", size, "MB", ", ".join(names))


def _read_all(folder: Path) -> float:
    begin = time.perf_counter()
    for path in folder.glob("*/*/result.json"):
        json.loads(path.read_bytes())
    return time.perf_counter() - begin


def one_point(wanted: Sweeps, home: Path, sheet: Sheet) -> None:
    """The shortest command there is; its data is prepared."""
    place = Place(home)
    point = "model.kernel_size=3", "training.iterations=1"
    place.run("train", *point)
    for number in range(wanted.starts):
        sheet.add(WHOLE, place.run("train", *point, f"training.alpha={STEP * (number + 1):.4f}").seconds)
        sheet.add(FLOOR_START, run(START, home, {}).seconds)


def compilation(wanted: Sweeps, home: Path, sheet: Sheet) -> None:
    """As after an installation: nothing of the engine is compiled yet."""
    for number in range(wanted.compilations):
        place = Place(home / str(number))
        sizes = f"model.kernel_size={','.join(map(str, wanted.compiled))}"
        ran = place.run("train", "experiment=digits", sizes, environment={"NUMBA_CACHE_DIR": str(place.folder / "compiled")})
        sheet.add(FIRST, ran.points[0].seconds)
        sheet.add(COMPILED, ran.until("compiled the engine"))
        sheet.add(WHOLE, ran.seconds)
