"""data=fashion_mnist: MNIST's format, ten named classes, a default folder."""

import struct
from pathlib import Path

import numpy as np
import pytest

from pipeline.base.errors import DataError
from pipeline.data import fashion_mnist, prepared
from pipeline.data.dataset import SPLITS
from pipeline.settings import DataSettings, PathSettings, Settings
from tests.helpers.data import prepare

LABELS = np.arange(40, dtype=np.uint8) % 10


def write(folder, part, labels):
    folder.mkdir(exist_ok=True)
    images = np.arange(len(labels) * 16, dtype=np.uint32).astype(np.uint8).reshape(-1, 4, 4)
    for kind, array in (("images", images), ("labels", labels)):
        content = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
        (folder / f"{part}-{kind}-idx{array.ndim}-ubyte").write_bytes(content)


def settings_of(tmp_path, path):
    data = DataSettings(source="fashion_mnist", path=path, scale=255.0)
    return Settings(data=data, paths=PathSettings(str(tmp_path / "experiments")))


def test_a_folder_of_ones_own(tmp_path):
    write(tmp_path / "fashion", "train", LABELS)
    write(tmp_path / "fashion", "t10k", LABELS[:7])
    dataset = prepare(settings_of(tmp_path, str(tmp_path / "fashion")))
    assert dataset.classes == fashion_mnist.CLASSES
    assert dataset.name == "fashion_mnist"
    assert dataset.labels.tolist() == [*LABELS, *LABELS[:7]]
    assert [dataset.count(part) for part in range(3)] == [32, 8, 7]


def test_a_label_beyond_the_classes(tmp_path):
    write(tmp_path / "fashion", "train", LABELS)
    write(tmp_path / "fashion", "t10k", LABELS[:7] + np.uint8(4))
    with pytest.raises(DataError) as caught:
        prepare(settings_of(tmp_path, str(tmp_path / "fashion")))
    assert str(caught.value).endswith("t10k-labels-idx1-ubyte: label 6 is 10; they must be from 0 to 9")
    assert not (tmp_path / "experiments").exists()


def test_without_the_folder_it_says_how_to_get_the_files(tmp_path, monkeypatch):
    monkeypatch.setattr(fashion_mnist, "FOLDER", str(tmp_path / "absent"))
    for path in (None, str(tmp_path / "absent")):
        with pytest.raises(DataError) as caught:
            prepare(settings_of(tmp_path, path))
        text = str(caught.value)
        assert text.startswith(f"{tmp_path / 'absent'}: no such folder; ")
        assert "apt install dataset-fashion-mnist" in text
        assert "data.path=FOLDER" in text
    assert not (tmp_path / "experiments").exists()


def test_the_default_folder_counts_for_the_prepared_file(tmp_path, monkeypatch):
    monkeypatch.setitem(prepared.PATHS, "fashion_mnist", str(tmp_path / "fashion"))
    settings = settings_of(tmp_path, None)
    before = prepared.prepared_path(settings)
    write(tmp_path / "fashion", "train", LABELS)
    assert prepared.prepared_path(settings) != before


if Path(fashion_mnist.FOLDER).is_dir():

    def test_the_real_files(tmp_path):
        dataset = prepare(settings_of(tmp_path, None))
        assert dataset.images.shape == (70000, 28, 28)
        assert dataset.images.dtype == np.uint8
        assert isinstance(dataset.images, np.memmap)
        counts = [np.bincount(dataset.labels[dataset.split == part]).tolist() for part in range(len(SPLITS))]
        assert counts == [[4800] * 10, [1200] * 10, [1000] * 10]
        assert dataset.labels[:5].tolist() == [9, 0, 0, 3, 0]
        assert dataset.labels[60000:60005].tolist() == [9, 2, 1, 1, 6]
