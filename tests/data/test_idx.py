"""data=idx: what is read from files in MNIST's format, and what is said of files that are not."""

import gzip
import os
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.base.errors import DataError
from pipeline.data import idx, prepared
from pipeline.data.dataset import TEST, TRAIN, VALIDATION
from pipeline.settings import DataSettings, PathSettings, Settings
from tests.helpers.data import prepare

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (30, 4, 5), np.uint8)
CLASSES = np.arange(30, dtype=np.uint8) % 3


def with_data(settings, **values):
    return replace(settings, data=replace(settings.data, **values))


def packed(array, code=8):
    return struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape) + array.tobytes()


def write(folder, part="train", images=PIXELS, labels=CLASSES, dot="-", gz=False):
    folder.mkdir(exist_ok=True)
    for kind, array in (("images", images), ("labels", labels)):
        content = packed(array)
        name = f"{part}-{kind}{dot}idx{array.ndim}-ubyte{'.gz' if gz else ''}"
        (folder / name).write_bytes(gzip.compress(content) if gz else content)


@pytest.fixture
def settings(tmp_path):
    data = DataSettings(source="idx", path=str(tmp_path / "mnist"), scale=255.0)
    return Settings(data=data, paths=PathSettings(str(tmp_path / "experiments")))


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "mnist")
    return tmp_path / "mnist"


@pytest.mark.parametrize("gz", [False, True])
@pytest.mark.parametrize("dot", ["-", "."])
def test_official_split(tmp_path, settings, dot, gz):
    folder = tmp_path / "mnist"
    write(folder, dot=dot, gz=gz)
    write(folder, "t10k", PIXELS[:6] // 2, CLASSES[:6], dot, gz)
    dataset = prepare(settings)
    assert dataset.images.dtype == np.uint8
    np.testing.assert_array_equal(dataset.images, np.concatenate([PIXELS, PIXELS[:6] // 2]))
    np.testing.assert_array_equal(dataset.labels, np.concatenate([CLASSES, CLASSES[:6]]))
    assert dataset.classes == ("0", "1", "2")
    assert (dataset.split[30:] == TEST).all()
    assert dataset.count(TEST) == 6
    held_out = dataset.labels[dataset.split == VALIDATION]
    assert np.bincount(held_out).tolist() == [2, 2, 2]
    assert dataset.count(TRAIN) == 24


def test_the_seed_draws_the_validation_split(folder, settings):
    write(folder, "t10k", PIXELS[:6], CLASSES[:6])
    first = prepared.load(settings).split
    np.testing.assert_array_equal(first, prepared.load(settings).split)
    settings = replace(settings, seed=1)
    assert (first != prepared.load(settings).split).any()
    settings = with_data(settings, validation=0.0)
    assert prepared.load(settings).count(VALIDATION) == 0


def test_without_t10k_a_fold_is_the_test_split(folder, settings):
    folds = []
    for fold in range(5):
        settings = with_data(settings, fold=fold)
        dataset = prepared.load(settings)
        folds += np.flatnonzero(dataset.split == TEST).tolist()
        assert [dataset.count(part) for part in (TRAIN, VALIDATION, TEST)] == [18, 6, 6]
    assert sorted(folds) == list(range(30))


def test_classes_are_the_labels_there_are(tmp_path, settings):
    write(tmp_path / "mnist", labels=CLASSES * 100 + 26)
    assert prepared.load(settings).classes == ("26", "126", "226")


def test_content_decides_whether_a_file_is_packed(folder, settings):
    (folder / IMAGES).rename(folder / f"{IMAGES}.gz")
    (folder / LABELS).write_bytes(gzip.compress(packed(CLASSES)))
    np.testing.assert_array_equal(prepared.load(settings).images, PIXELS)


def test_unpacked_beside_packed_and_folders_of_that_name(tmp_path, settings):
    folder = tmp_path / "mnist"
    write(folder, dot=".")
    write(folder, images=PIXELS // 2, gz=True)
    (folder / IMAGES).mkdir()
    np.testing.assert_array_equal(prepared.load(settings).images, PIXELS)


def test_the_prepared_file_follows_the_files(folder, settings):
    paths = [prepared.prepared_path(settings)]
    (folder / ".hidden").write_text("")
    assert prepared.prepared_path(settings) == paths[0]
    status = (folder / LABELS).stat()
    os.utime(folder / LABELS, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    paths.append(prepared.prepared_path(settings))
    (folder / LABELS).write_bytes(b"")
    os.utime(folder / LABELS, ns=(status.st_atime_ns, status.st_mtime_ns))
    paths.append(prepared.prepared_path(settings))
    (folder / LABELS).rename(folder / "other")
    paths.append(prepared.prepared_path(settings))
    (folder / "other").unlink()
    paths.append(prepared.prepared_path(settings))
    assert len(set(paths)) == 5


def test_links_in_circles_and_pipes_do_not_hang(folder, settings):
    (folder / "up").symlink_to("..")
    (folder / "self").symlink_to("self")
    os.mkfifo(folder / "t10k-images-idx3-ubyte")
    assert len(prepare(settings).images) == 30


def header(*shape, code=8, zero=0):
    return struct.pack(f">HBB{len(shape)}I", zero, code, len(shape), *shape)


def bad_crc(content):
    whole = bytearray(gzip.compress(content))
    whole[-8] ^= 1
    return bytes(whole)


GOOD = packed(PIXELS)
BROKEN_IMAGES = {
    "empty": (b"", "is no idx file; it begins with nothing, not with 00 00 08 03"),
    "two bytes": (b"\0\0", "is no idx file; it begins with 00 00,"),
    "text": (b"<!DOCTYPE html>", "is no idx file; it begins with 3c 21 44 4f, not with 00 00 08 03"),
    "little-endian": (struct.pack("<4I", 0x803, 30, 4, 5) + PIXELS.tobytes(), "begins with 03 08 00 00"),
    "header": (GOOD[:10], "ends after 10 bytes, within its header of 16"),
    "int32": (header(30, 4, 5, code=12) + bytes(2400), "holds int32 (code 0c); uint8 (code 08) is needed"),
    "unknown type": (header(30, 4, 5, code=7) + bytes(600), "holds an unknown type (code 07)"),
    "labels": (packed(CLASSES), "has 1 dimensions; images have 3"),
    "colours": (header(30, 4, 5, 3) + bytes(1800), "has 4 dimensions; images have 3"),
    "no dimension": (b"\0\0\x08\0", "has 0 dimensions"),
    "no image": (header(0, 4, 5), "holds no images; at least one is needed"),
    "no row": (header(30, 0, 5), "its images have 0 x 5 pixels; at least 2 x 2 are needed"),
    "one column": (header(30, 4, 1) + bytes(120), "its images have 4 x 1 pixels"),
    "short": (GOOD[:-1], "promises 600 bytes (30 x 4 x 5) and holds 599"),
    "trailing": (GOOD + b"\0", "promises 600 bytes (30 x 4 x 5) and holds 601"),
    "huge": (header(2**32 - 1, 2**32 - 1, 2**32 - 1), "at most 17179869184 are read"),
    "much": (header(2**20, 64, 64), "promises 4294967296 bytes (1048576 x 64 x 64) and holds 0"),
    "packed much": (gzip.compress(header(2**20, 64, 64)), "packed bytes can hold"),
    "packed short": (gzip.compress(GOOD[:-1]), "promises 600 bytes (30 x 4 x 5) and holds 599"),
    "packed trailing": (gzip.compress(GOOD + b"\0"), "promises 600 bytes (30 x 4 x 5) and holds more"),
    "packed bomb": (gzip.compress(GOOD + bytes(2**26), 1), "promises 600 bytes (30 x 4 x 5) and holds more"),
    "second member": (gzip.compress(GOOD) + gzip.compress(b"more"), "and holds more"),
    "packed twice": (gzip.compress(gzip.compress(GOOD)), "is no idx file; it begins with 1f 8b 08 00"),
    "truncated gz": (gzip.compress(GOOD)[:-9], "is a damaged .gz file (Compressed file ended"),
    "gz of a few bytes": (gzip.compress(GOOD)[:3], "is a damaged .gz file"),
    "gz and no more": (gzip.compress(GOOD)[:10], "is a damaged .gz file"),
    "crc": (bad_crc(GOOD), "is a damaged .gz file (CRC check failed"),
    "gz and garbage": (gzip.compress(GOOD) + b"garbage", "is a damaged .gz file (Not a gzipped file"),
    "deflate": (gzip.compress(GOOD)[:10] + b"\xff" * 99, "is a damaged .gz file (Error -3"),
}
BROKEN_LABELS = {
    "images": (GOOD, "has 3 dimensions; labels have 1"),
    "fewer": (packed(CLASSES[:29]), "has 29 labels for the 30 images of train-images-idx3-ubyte"),
    "none": (header(0), "holds no labels"),
    "short": (packed(CLASSES)[:-3], "promises 30 bytes (30) and holds 27"),
    "crc": (bad_crc(packed(CLASSES)), "is a damaged .gz file (CRC"),
}
CASES = [(IMAGES, name) for name in BROKEN_IMAGES] + [(LABELS, name) for name in BROKEN_LABELS]


def refused(settings):
    """The one line; nothing may be left of the attempt."""
    with pytest.raises(DataError) as caught:
        prepare(settings)
    text = str(caught.value)
    assert text.isprintable()
    assert not Path(settings.paths.experiments).exists()
    return text


@pytest.mark.parametrize(("file", "name"), CASES)
def test_broken_files(folder, settings, file, name):
    content, message = (BROKEN_IMAGES if file == IMAGES else BROKEN_LABELS)[name]
    (folder / file).write_bytes(content)
    text = refused(settings)
    assert text.startswith(f"{folder / file}: ")
    assert message in text


def test_broken_test_files(folder, settings):
    write(folder, "t10k", PIXELS[:6, :3], CLASSES[:6])
    sizes = "its images have 3 x 5 pixels, those of train-images-idx3-ubyte 4 x 5; they must be alike"
    assert refused(settings) == f"{folder / 't10k-images-idx3-ubyte'}: {sizes}"
    (folder / "t10k-images-idx3-ubyte").write_bytes(packed(PIXELS[:7]))
    assert "t10k-labels-idx1-ubyte: has 6 labels for the 7 images" in refused(settings)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    assert "has no file t10k-labels-idx1-ubyte, plain or .gz; it holds t10k-images" in refused(settings)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ([IMAGES], f"has no file {IMAGES}, plain or .gz; it holds {LABELS}"),
        ([LABELS], f"has no file {LABELS}, plain or .gz; it holds {IMAGES}"),
        ([IMAGES, LABELS], "it holds nothing"),
    ],
)
def test_missing_files(folder, settings, missing, message):
    for name in missing:
        (folder / name).unlink()
    assert message in refused(settings)


def test_folders_that_are_none(tmp_path, settings):
    assert refused(settings) == f"{tmp_path / 'mnist'}: no such folder"
    (tmp_path / "mnist").write_text("")
    assert refused(settings).endswith("is a file, a folder is needed")
    for path in ("~nobody-of-that-name/x", "nul\0byte", "x" * 5000, "two\nlines"):
        settings = with_data(settings, path=path)
        assert refused(settings)


def test_one_class_is_not_enough(tmp_path, settings):
    write(tmp_path / "mnist", labels=CLASSES * 0)
    assert "one-vs-rest needs at least two classes" in refused(settings)


def test_more_than_is_read_in_both_files(folder, settings, monkeypatch):
    write(folder, "t10k")
    monkeypatch.setattr(idx, "LARGEST_ARRAY", 1000)
    assert refused(settings) == f"{folder}: its files promise 1200 bytes of images; at most 1000 are read"


def test_a_bomb_is_not_unpacked(folder, settings, monkeypatch):
    """What is asked of a packed file in all: its promise, one more byte, and the header twice."""
    asked = []
    read = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda self, size=-1: asked.append(size) or read(self, size))
    (folder / IMAGES).write_bytes(BROKEN_IMAGES["packed bomb"][0])
    refused(settings)
    assert min(asked) >= 0
    assert sum(asked) <= 600 + 600 + 1 + 2 * 16
