"""Prepared data comes back as it went in, and its name tells apart whatever may differ."""

import os
from dataclasses import replace

import numpy as np
import pytest

from pipeline.base.errors import FileError
from pipeline.data import prepared
from pipeline.data.dataset import Dataset, Pictures
from pipeline.settings import DataSettings, PathSettings, Settings
from tests.helpers.data import prepare


@pytest.fixture
def settings(tmp_path):
    return Settings(paths=PathSettings(str(tmp_path / "experiments")))


def from_file(settings, path):
    return replace(settings, data=DataSettings(source="arrays", path=str(path)))


def user_file(path, labels, images=None):
    np.savez(path, images=np.arange(10 * 12).reshape(10, 3, 4) if images is None else images, labels=labels)
    return path


@pytest.mark.parametrize("source", ["digits", "notebook"])
def test_round_trip_keeps_everything_and_the_digest(settings, source):
    settings = replace(settings, data=DataSettings(source=source))
    fresh, read = prepared.load(settings), prepare(settings)
    assert read.digest == fresh.digest
    again = Dataset(read.name, Pictures(read.images, read.labels, read.classes), read.split, read.scale)
    assert again.digest == fresh.digest  # computed anew from what was read
    assert (read.name, read.classes, read.scale) == (fresh.name, fresh.classes, fresh.scale)
    assert not read.images.flags.writeable


def test_round_trip_of_string_labels_and_doubles(settings, tmp_path):
    images = np.random.default_rng(0).uniform(-3, 3, (10, 3, 4))
    path = user_file(tmp_path / "d.npz", np.array(["é", "long name", "a,b", '"q"', ""] * 2), images)
    read = prepare(from_file(settings, path))
    assert read.classes == ("", '"q"', "a,b", "long name", "é")
    assert read.digest == prepared.load(from_file(settings, path)).digest
    assert read.images.tobytes() == images.tobytes()


def test_the_same_data_gives_the_same_bytes_and_is_written_once(settings):
    path = prepared.prepared_path(settings)
    prepare(settings)
    first, stamp = path.read_bytes(), path.stat().st_mtime_ns
    prepare(settings)
    assert path.stat().st_mtime_ns == stamp
    path.unlink()
    prepare(settings)
    assert path.read_bytes() == first


def test_a_name_tells_apart_seed_fold_and_file(settings, tmp_path):
    path = user_file(tmp_path / "d.npz", np.arange(10) % 2)
    seen = [
        prepared.prepared_path(settings),
        prepared.prepared_path(replace(settings, seed=1)),
        prepared.prepared_path(replace(settings, data=DataSettings(fold=1))),
        prepared.prepared_path(replace(settings, data=DataSettings(scale=2.0))),
        prepared.prepared_path(from_file(settings, path)),
        prepared.prepared_path(from_file(settings, tmp_path / "other.npz")),
    ]
    os.utime(path, ns=(1, 1))
    seen.append(prepared.prepared_path(from_file(settings, path)))
    assert len(set(seen)) == len(seen)
    others = replace(settings, training=replace(settings.training, alpha=3.0))
    assert prepared.prepared_path(others) == seen[0]


def test_a_changed_file_is_read_anew(settings, tmp_path):
    path = user_file(tmp_path / "d.npz", np.arange(10) % 2)
    first = prepare(from_file(settings, path)).digest
    user_file(path, np.arange(10) % 5)
    assert prepare(from_file(settings, path)).digest != first


def test_a_damaged_prepared_file_is_refused_and_made_again(settings):
    prepare(settings)
    path = prepared.prepared_path(settings)
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    with pytest.raises(FileError, match=r"\.npz: is not a readable"):
        prepared.read(path)
    prepare(settings)
    assert path.read_bytes() == whole


def test_digits_and_notebook_are_what_they_are_called(settings):
    digits = prepared.load(settings)
    assert digits.images.shape == (1797, 8, 8) and digits.images.dtype == np.uint8
    assert digits.classes == tuple("0123456789") and digits.scale == 16.0
    assert [digits.count(part) for part in range(3)] == [1078, 359, 360]
    assert digits.digest == PINNED_DIGITS
    one = prepared.load(replace(settings, data=DataSettings(source="notebook", scale=1.0)))
    assert one.images.shape == (1, 32, 32) and [one.count(part) for part in range(3)] == [1, 0, 0]
    assert one.images.min() >= 1 and one.images.max() <= 254


PINNED_DIGITS = "44581371bce2b31dc77f74273dfa966bf63260b2d782c541bfb8d5fc11d36319"


def test_pictures_are_stored_once_for_all_seeds_folds_and_sources_of_one_content(settings, tmp_path):
    for changed in (settings, replace(settings, seed=1), replace(settings, data=replace(settings.data, fold=2))):
        prepare(changed)
    folder = prepared.prepared_path(settings).parent
    assert len(list(folder.glob("pictures-*.npz"))) == 1 and len(list(folder.glob("digits-*.npz"))) == 3
    images = np.arange(10 * 12).reshape(10, 3, 4)
    for name in ("a.npz", "b.npz"):
        prepare(from_file(settings, user_file(tmp_path / name, np.arange(10) % 2, images)))
    assert len(list(folder.glob("pictures-*.npz"))) == 2


def test_missing_pictures_are_read_from_the_source_again(settings):
    first = prepare(settings)
    [pictures] = prepared.prepared_path(settings).parent.glob("pictures-*.npz")
    pictures.unlink()
    prepared._read_pictures.cache_clear()
    assert prepare(settings).digest == first.digest and pictures.exists()


def digest_of(dataset):
    return Dataset(dataset.name, Pictures(*plain(dataset)), dataset.split, dataset.scale).digest


def plain(dataset):
    return np.array(dataset.images), np.array(dataset.labels), dataset.classes


def test_no_flipped_bit_and_no_cut_is_used(settings):
    wanted = digest_of(prepare(settings))
    path = prepared.prepared_path(settings)
    [pictures] = path.parent.glob("pictures-*.npz")
    rng = np.random.default_rng(0)
    refused = 0
    for file in (path, pictures):
        whole = file.read_bytes()
        damaged = [whole[:at] for at in rng.integers(0, len(whole), 10)]
        for at in rng.integers(0, len(whole), 70):
            damaged.append(bytes([*whole[:at], whole[at] ^ 1 << rng.integers(8), *whole[at + 1 :]]))
        for content in damaged:
            file.write_bytes(content)
            prepared._read_pictures.cache_clear()
            try:
                # A few bits of a zip, such as its time stamps, mean nothing.
                assert digest_of(prepared.read(path)) == wanted
            except FileError:
                refused += 1
        file.write_bytes(whole)
    assert refused > 120


def test_exchanged_and_edited_files_are_refused_set_aside_and_made_again(settings, caplog):
    other = replace(settings, seed=1)
    first, second = prepare(settings), prepare(other)
    path, another = prepared.prepared_path(settings), prepared.prepared_path(other)
    whole = path.read_bytes()
    path.write_bytes(another.read_bytes())
    with pytest.raises(FileError, match=f"is the split that was written as '{another.stem}'"):
        prepared.read(path)
    assert prepare(settings).digest == first.digest != second.digest
    assert path.read_bytes() == whole
    [kept] = (path.parent.parent / "work" / "damaged").iterdir()
    assert kept.read_bytes() == another.read_bytes()
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: was damaged; it was moved to {kept} and is prepared again"
    ]
    [pictures] = path.parent.glob("pictures-*.npz")
    with np.load(pictures) as held:
        arrays = dict(held)
    np.savez(pictures, **(arrays | {"labels": arrays["labels"][::-1].copy()}))
    prepared._read_pictures.cache_clear()
    with pytest.raises(FileError, match="is damaged, its images or labels"):
        prepared.read(path)
    assert prepare(settings).digest == first.digest


def test_a_split_of_an_earlier_version_is_written_anew_without_a_word(settings, caplog):
    first = prepare(settings)
    path = prepared.prepared_path(settings)
    whole = path.read_bytes()
    with np.load(path) as held:
        np.savez(path, **{name: array for name, array in held.items() if name != "key"})
    assert prepare(settings).digest == first.digest
    assert path.read_bytes() == whole and not caplog.records and not (path.parent.parent / "work").exists()
