"""Small data, settings and points for the tests of training, records and sweeps, and an engine that counts."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from pipeline.base.files import sha256_sums
from pipeline.data import prepared
from pipeline.data.dataset import Dataset, build, stratified_split
from pipeline.heads import engines, one_vs_rest
from pipeline.records.fingerprint import trajectory
from pipeline.records.provenance import PROVENANCE
from pipeline.records.record import FILES, SUMS
from pipeline.settings import ComputeSettings, DataSettings, ModelSettings, PathSettings, Settings, TrainingSettings
from pipeline.sweep.driver import Outcome, drive
from pipeline.sweep.executors import pool
from pipeline.sweep.point import Point
from pipeline.sweep.pool import Pool


def small_data(tested=True, names=("ant", "bee", "cat")) -> Dataset:
    random = np.random.default_rng(0)
    labels = np.array(names)[np.arange(15) % len(names)]
    images = random.integers(0, 17, (15, 5, 4), np.uint8)
    split = stratified_split(labels, 0, 3, 0, 0.2) if tested else np.zeros(15, np.uint8)
    return build("small", images, labels, split, None)


def small_settings(folder: Path, iterations=40, **training) -> Settings:
    chosen = TrainingSettings(**{"alpha": 0.5, "iterations": iterations, "batch_size": 4, **training})
    compute, paths = ComputeSettings(n_jobs=1), PathSettings(str(folder))
    return Settings("small", 3, DataSettings(), ModelSettings(filters=2), chosen, compute, paths=paths)


def mend(folder: Path) -> None:
    """Write a record's checksums anew, so that what was changed is a record like any other."""
    held = {name: (folder / name).read_bytes() for name in FILES if name != SUMS and (folder / name).exists()}
    # A new file: those of many records may be one.
    (folder / SUMS).unlink(missing_ok=True)
    (folder / SUMS).write_bytes(sha256_sums(held))


def with_training(settings: Settings, **training) -> Settings:
    return replace(settings, training=replace(settings.training, **training))


def point_of(settings: Settings, dataset: Dataset) -> Point:
    """The point of these settings, with its data prepared."""
    path = settings.folder / "data" / f"small-{dataset.digest[:8]}.npz"
    if not path.exists():
        prepared.write(path, dataset)
    name = f"iterations={settings.training.iterations}"
    return Point(settings, name, path, dataset, trajectory(settings, dataset.digest))


@dataclass
class Recorder:
    """An observer that remembers; `at` is called with the iterations that are reached."""

    at: Callable[[int], None] = lambda _: None
    reached: list[int] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    trained: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    def started(self, point):
        pass

    def advanced(self, points, iteration, losses):
        self.reached.append(iteration)
        self.at(iteration)

    def finished(self, point, record, known):
        (self.known if known else self.trained).append(point.key)
        self.at(point.iterations)

    def failed(self, point, error):
        self.errors.append(error)


def train(settings: Settings, dataset: Dataset, waypoints=(), observer=None, workers: Pool | None = None) -> Path:
    """Train a point, and with it others of its trajectory; the folder of its record. The first error is raised."""
    points = [point_of(with_training(settings, iterations=n), dataset) for n in (*waypoints, settings.training.iterations)]
    watched = observer or Recorder()
    outcome = drive(points, workers or pool(settings.compute), watched)
    if getattr(watched, "errors", None):
        raise watched.errors[0]
    assert outcome == Outcome(len({point.key for point in points}), 0)
    return points[-1].folder


def record_files(folder: Path) -> dict[str, bytes]:
    """Every file of a record, as bytes; and nothing lies beside them but where it comes from."""
    held = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != PROVENANCE}
    assert sorted(held) == sorted(FILES)
    return held


def counted(monkeypatch) -> list[int]:
    """A list that grows by the number of iterations of every head that the engine advances."""
    calls: list[int] = []
    real = engines.engine("numba")

    def advance(heads, block):
        calls.extend([len(block.batches)] * len(heads))
        return real.advance(heads, block)

    monkeypatch.setattr(one_vs_rest, "engine", lambda name: SimpleNamespace(advance=advance, logits=real.logits))
    return calls


def kill_at(iteration):
    def at(done):
        if done >= iteration:
            raise KeyboardInterrupt

    return Recorder(at)


def work(folder):
    return sorted((folder / "small" / "work").glob("*.npz"))


def straight(tmp_path, dataset, iterations=40, **training):
    return record_files(train(small_settings(tmp_path / "straight", iterations, **training), dataset))
