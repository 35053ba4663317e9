"""Small data and settings for the tests of records and points, and an engine that counts."""

from dataclasses import replace

import numpy as np

from pipeline.data.dataset import build, stratified_split
from pipeline.heads import engines, one_vs_rest
from pipeline.heads.one_vs_rest import Workers
from pipeline.settings import DataSettings, ModelSettings, PathSettings, Settings, TrainingSettings
from pipeline.training.point import train_point

FILES = ("checkpoint.npz", "losses.csv", "result.json", "settings.yaml", "y_hat.csv")


def small_data(tested=True, names=("ant", "bee", "cat")):
    random = np.random.default_rng(0)
    labels = np.array(names)[np.arange(15) % len(names)]
    images = random.integers(0, 17, (15, 5, 4), np.uint8)
    split = stratified_split(labels, 0, 3, 0, 0.2) if tested else np.zeros(15, np.uint8)
    return build("small", images, labels, split, None)


def small_settings(folder, iterations=40, **training):
    chosen = TrainingSettings(**{"alpha": 0.5, "iterations": iterations, "batch_size": 4, **training})
    paths = PathSettings(str(folder))
    return Settings("small", 3, DataSettings(), ModelSettings(filters=2), chosen, paths=paths)


def with_training(settings, **training):
    return replace(settings, training=replace(settings.training, **training))


def train(settings, dataset, waypoints=(), progress=lambda _: None):
    return train_point(settings, dataset, Workers(), waypoints, progress)


def contents(folder):
    """Every file of a record, as bytes; and nothing lies beside them."""
    held = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(held) == list(FILES)
    return held


def counted(monkeypatch):
    """A list that grows by the number of iterations of every head that the engine advances."""
    calls = []
    real = engines.engine("numba")

    def advance_group(*arguments):
        calls.extend([len(arguments[4])] * len(arguments[0]))
        return real.advance_group(*arguments)

    monkeypatch.setattr(one_vs_rest, "engine", lambda name: replace(real, advance_group=advance_group))
    return calls
