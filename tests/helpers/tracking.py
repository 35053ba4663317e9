"""Points and records as a sweep leaves them, made up in milliseconds, and a store to log them in."""

import shutil
import sqlite3
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.data.dataset import Dataset, Pictures
from pipeline.heads.initial import initial_heads
from pipeline.records.record import Record, read_record, write_record
from pipeline.settings import ModelSettings, PathSettings, Settings, TrackingSettings, TrainingSettings
from pipeline.sweep.point import Point
from pipeline.tracking.address import address_of
from pipeline.tracking.store import open_store
from pipeline.tracking.sweeps import SweepView, sweep_key
from pipeline.tracking.tracker import Tracker
from pipeline.training.result import Result, Vectors

EXPERIMENT = "digits"


def make_points(folder: Path, count: int, iterations: Sequence[int] = (5,), classes: Sequence[str] = "ab") -> list[Point]:
    """Points of `count` trajectories, each with points at some iterations."""
    pictures = Pictures(np.zeros((4, 6, 6)), np.zeros(4, np.int64), tuple(classes))
    dataset = Dataset("digits", pictures, np.zeros(4, np.uint8), 1.0)
    points = []
    for seed in range(count):
        for steps in iterations:
            training = TrainingSettings(iterations=steps)
            paths = PathSettings(str(folder / "experiments"))
            settings = Settings(EXPERIMENT, seed, model=ModelSettings(), training=training, paths=paths)
            points.append(Point(settings, f"seed={seed} iterations={steps}", folder / "data.npz", dataset, f"{seed:016x}"))
    return points


def make_record(point: Point, images: int = 3) -> Record:
    """The point's record, on disk."""
    classes, random = point.dataset.classes, np.random.default_rng(point.settings.seed)
    values = {"train_loss": random.random(), "validation_accuracy": random.random(), "test_accuracy": random.random()}
    recalls = {"train_recall": 1.0, "validation_recall": 0.5, "test_recall": None}
    one = {"train_loss": 0.5, "test_loss": 0.25, **recalls, "dead": False, "saturated": False}
    heads = tuple({"class": name, **one} for name in classes)
    counts = {"train": 2, "validation": 1, "test": 1}
    result = Result(point.iterations, f"{point.settings.seed:064x}", counts, values, heads)
    y_hat = random.random((images, len(classes)))
    vectors = Vectors(np.arange(images), np.arange(images) % len(classes), y_hat)
    trained = initial_heads(0, len(classes), "he", 1, 3, (6, 6), "float32")
    write_record(point.folder, point.settings, (result, vectors), made_losses(point, point.iterations), tuple(trained))
    return Record(point.folder, result)


def made_losses(point: Point, iterations: int) -> Any:
    """(iterations, heads): the first losses of the point's trajectory."""
    heads = np.arange(1, len(point.dataset.classes) + 1)
    return np.outer(1 / np.arange(1, iterations + 1), heads + point.settings.seed)


def sweep_of(points: Sequence[Point]) -> SweepView:
    return SweepView(sweep_key(points), len(points), ("seed",))


def settings_of(folder: Path) -> TrackingSettings:
    return TrackingSettings(uri=address_of(folder / "mlflow.db"))


def open_tracker(folder: Path, points: Sequence[Point] | None = None) -> Tracker:
    """A tracker of a sweep over points, or of a point alone."""
    return Tracker(settings_of(folder), EXPERIMENT, None if points is None else sweep_of(points))


def track(folder: Path, points: Sequence[Point], sweep: bool = True, status: str = "FINISHED") -> list[str]:
    """What a command does that finds these points recorded, or records them; what it says of MLflow."""
    tracker = open_tracker(folder, points if sweep else None)
    for point in points:
        tracker.finished(point, read_record(point.folder) if point.folder.exists() else make_record(point), known=True)
    return tracker.close(status)


def told(watched: Tracker, points: Sequence[Point]) -> float:
    """Tell a tracker of points; the longest that it took to listen."""
    longest = 0.0
    for point in points:
        record = make_record(point)
        begin = time.perf_counter()
        watched.started(point)
        watched.advanced([point], 1, lambda record=record: record.losses)
        watched.finished(point, record, known=False)
        longest = max(longest, time.perf_counter() - begin)
    return longest


def one_line(watched: Tracker, status: str = "FINISHED", most: float = 15.0) -> str:
    """The one line that it says in the end, soon enough."""
    begin = time.monotonic()
    [line] = watched.close(status)
    assert time.monotonic() - begin < most
    assert line.startswith("MLflow: ") and "\n" not in line
    return line


def runs_of(folder: Path, name: str = EXPERIMENT) -> list[Any]:
    """All runs of an experiment."""
    from mlflow import MlflowClient

    client = MlflowClient(address_of(folder / "mlflow.db"))
    return list(client.search_runs([client.get_experiment_by_name(name).experiment_id], max_results=1000))


def point_runs(folder: Path) -> dict[str, list[Any]]:
    """The runs of each point, by its key."""
    found: dict[str, list[Any]] = {}
    for run in runs_of(folder):
        if "point" in run.data.tags:
            found.setdefault(run.data.tags["point"], []).append(run)
    return found


def statuses(folder: Path) -> dict[str, list[str]]:
    """How the runs of each point stand, by its key."""
    return {key: [run.info.status for run in found] for key, found in point_runs(folder).items()}


def parents(folder: Path) -> list[Any]:
    return [run for run in runs_of(folder) if "sweep" in run.data.tags]


def new_store(folder: Path) -> Path:
    """A store as MLflow makes it: a second's work, so tests copy one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        open_store(settings_of(folder), EXPERIMENT)
    return folder / "mlflow.db"


def copy_store(database: Path, folder: Path) -> None:
    """A store of the test's own: as the copied one, but with artifacts in `folder`."""
    with sqlite3.connect(database) as source:
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    source.close()
    shutil.copy(database, folder / "mlflow.db")
    with sqlite3.connect(folder / "mlflow.db") as copy:
        place = (folder / "mlartifacts" / EXPERIMENT).as_uri()
        copy.execute("UPDATE experiments SET artifact_location = ? WHERE name = ?", (place, EXPERIMENT))
    copy.close()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another program has the database for itself."""
    connection = sqlite3.connect(folder / "mlflow.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextmanager
def answering(kind: str) -> Iterator[str]:
    """The address of a server that answers every request with a status (200 with garbage), with "nothing", or is "slow"."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            if kind == "nothing":
                over.wait(30)
                return
            if kind == "slow":
                over.wait(3)
            self.send_response(200 if kind == "slow" else int(kind))
            self.end_headers()
            self.wfile.write(b"<html>this is no MLflow</html>")

        do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815  http.server's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    # Whoever does not wait for an answer is none of its troubles.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that leave are meant
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def wait_for(condition: Any, seconds: float = 20) -> None:
    """Until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def damage(path: Path, kind: str) -> None:
    """Make a folder, garbage, a truncated, half made, newer or older database of a store; or damage a table within, where a
    command that opens it does not look."""
    if kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "garbage":
        path.write_bytes(b"this is no database" * 100)
    elif kind == "truncated":
        path.write_bytes(path.read_bytes()[:50_000])
    elif kind == "half made":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE experiments (x)")
        connection.close()
    elif kind == "newer":
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        connection.close()
    elif kind.startswith("within"):
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            [page] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", kind.split()[1:]).fetchone()
            [size] = connection.execute("PRAGMA page_size").fetchone()
        connection.close()
        with path.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)
    elif kind.startswith("older"):
        path.unlink()
        make_older(path, int(kind.removeprefix("older ")))


def make_older(path: Path, versions: int) -> None:
    """A store as MLflow made it so many versions of its tables ago, with a run in it."""
    from alembic import command
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base
    from sqlalchemy import create_engine, text

    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    config = _get_alembic_config(str(engine.url))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revisions[versions])
        place = f"'{(path.parent / 'mlartifacts').as_uri()}'"
        into = "experiments (experiment_id, name, artifact_location, lifecycle_stage)"
        connection.execute(text(f"INSERT INTO {into} VALUES (7, '{EXPERIMENT}', {place}, 'active')"))
        into = "runs (run_uuid, name, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id, user_id)"
        connection.execute(text(f"INSERT INTO {into} VALUES ('old', 'old', 'FINISHED', 1, 2, 'active', {place}, 7, 'me')"))
    engine.dispose()
