"""data=images: what becomes of pictures in a folder, and what is said of files that are none."""

import io
import os
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.base.errors import DataError, SettingsError
from pipeline.data import images, prepared
from pipeline.data.dataset import TEST
from pipeline.settings import DataSettings, PathSettings, Settings, image_size, parse
from tests.helpers.data import prepare

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (6, 8), np.uint8)
COLOUR = RNG.integers(0, 256, (6, 8, 3), np.uint8)


def with_data(settings, **values):
    return replace(settings, data=replace(settings.data, **values))


def encoded(array, kind="PNG", **options):
    buffer = io.BytesIO()
    (array if isinstance(array, Image.Image) else Image.fromarray(array)).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    """Classes cat and dog, three pictures each."""
    for name in ("dog", "cat"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "pictures" / name / f"{number}.png").write_bytes(encoded(GREY // (number + 1)))
    return tmp_path / "pictures"


@pytest.fixture
def settings(tmp_path):
    data = DataSettings(source="images", path=str(tmp_path / "pictures"), scale=255.0, folds=3)
    return Settings(data=data, paths=PathSettings(str(tmp_path / "experiments")))


def refused(settings):
    """The one line; nothing may be left of the attempt."""
    with pytest.raises(DataError) as caught:
        prepare(settings)
    text = str(caught.value)
    assert text.isprintable()
    assert not Path(settings.paths.experiments).exists()
    return text


def test_classes_and_pictures_by_name(folder, settings):
    (folder / ".git").mkdir()
    (folder / "cat" / ".DS_Store").write_text("no picture")
    (folder / "labels.csv").write_text("no class")
    (folder / "cat" / "1.png").write_bytes(encoded(COLOUR))
    dataset = prepare(settings)
    assert dataset.classes == ("cat", "dog")
    assert dataset.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.images.dtype == np.uint8
    grey = np.asarray(Image.fromarray(COLOUR).convert("L"))
    np.testing.assert_array_equal(dataset.images, [GREY, grey, GREY // 3, GREY, GREY // 2, GREY // 3])
    assert [dataset.count(part) for part in range(3)] == [3, 1, 2]


def test_a_split_that_somebody_made_before_us(folder, settings):
    (folder.parent / "train").mkdir()
    for name in ("cat", "dog"):
        (folder / name).rename(folder.parent / "train" / name)
    (folder.parent / "train").rename(folder / "train")
    (folder / "test" / "dog").mkdir(parents=True)
    (folder / "test" / "dog" / "7.png").write_bytes(encoded(GREY // 7))
    dataset = prepare(settings)
    assert dataset.classes == ("cat", "dog")
    assert dataset.labels.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert [dataset.count(part) for part in range(3)] == [5, 1, 1]
    np.testing.assert_array_equal(dataset.images[dataset.split == TEST], [GREY // 7])
    # Another picture is other data, however deep it lies.
    before = prepared.prepared_path(settings)
    (folder / "test" / "dog" / "8.png").write_bytes(encoded(GREY // 8))
    assert prepared.prepared_path(settings) != before
    assert prepare(settings).count(TEST) == 2
    (folder / "test" / "cow").mkdir()
    (folder / "test" / "cow" / "1.png").write_bytes(encoded(GREY))
    with pytest.raises(DataError, match=r"test/cow: there is no .*train/cow; each class of test/ needs pictures in train/"):
        prepare(settings)


def test_classes_may_be_called_train_and_test(folder, settings):
    (folder / "cat").rename(folder / "train")
    (folder / "dog").rename(folder / "test")
    assert prepare(settings).classes == ("test", "train")


@pytest.mark.parametrize(("size", "shape"), [(4, (4, 4)), ("3x5", (3, 5)), ("20x3", (20, 3))])
def test_resized(folder, settings, size, shape):
    settings = with_data(settings, size=size)
    (folder / "cat" / "other.png").write_bytes(encoded(COLOUR[:1, :1]))
    dataset = prepare(settings)
    assert dataset.images.shape == (7, *shape)
    expected = Image.fromarray(GREY).resize(shape[::-1], Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(dataset.images[0], np.asarray(expected))


def test_shrinking_averages(folder, settings):
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    (folder / "cat" / "0.png").write_bytes(encoded(stripes))
    settings = with_data(settings, size=4)
    averaged = prepared.load(settings).images[0]
    assert 120 < averaged.min() <= averaged.max() < 135


@pytest.mark.parametrize("kind", ["BMP", "GIF", "JPEG", "PPM", "TIFF", "WEBP", "TGA"])
def test_formats(folder, settings, kind):
    content = encoded(COLOUR, kind)
    (folder / "cat" / "0.png").write_bytes(content)  # the name's ending does not count
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
    np.testing.assert_array_equal(prepared.load(settings).images[0], expected)


def test_modes(folder, settings):
    wide = GREY.astype(np.uint16) * 256 + 77
    ink = np.zeros((6, 8, 4), np.uint8)
    ink[..., 3] = GREY
    pictures = {
        "two levels": (encoded(Image.fromarray(GREY).convert("1", dither=0)), (GREY > 127) * 255),
        "palette": (encoded(Image.fromarray(GREY // 64).convert("P")), GREY // 64),
        "16 bits": (encoded(wide), GREY),
        "opaque": (encoded(np.dstack([GREY, GREY, GREY, np.full_like(GREY, 255)])), GREY),
        "black ink, nothing behind": (encoded(ink), 255 - GREY),
    }
    for content, expected in pictures.values():
        (folder / "cat" / "0.png").write_bytes(content)
        np.testing.assert_array_equal(prepared.load(settings).images[0], expected)


def test_the_first_frame(folder, settings):
    frames = [Image.fromarray(GREY), Image.fromarray(GREY // 2)]
    (folder / "cat" / "0.png").write_bytes(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    np.testing.assert_array_equal(prepared.load(settings).images[0], GREY)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, body=b""):
    head = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


PNG, JPEG, BMP = encoded(GREY), encoded(GREY, "JPEG"), encoded(GREY, "BMP")
NOISE = encoded(RNG.integers(0, 256, (64, 64, 3), np.uint8))
BROKEN = {
    "empty": (b"", "is empty; a picture is needed"),
    "text": (b"a note", "is no readable picture: damaged, or of an unknown format"),
    "page": (b"<!DOCTYPE html><html></html>", "is no readable picture"),
    "vectors": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "is no readable picture"),
    "program": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 6\n%%EndComments\n{} loop\n", "is no readable picture"),
    "array": (b"\x93NUMPY\x01\x00v\x00", "is no readable picture"),
    "zeros": (bytes(5000), "is no readable picture"),
    "png signature": (PNG[:8], "is no readable picture"),
    "png header": (PNG[:20], "is "),
    "png cut": (NOISE[:4000], "is a damaged picture (image file is truncated"),
    "png crc": (NOISE[:29] + b"\0\0\0\0" + NOISE[33:], "is "),
    "png body": (NOISE[:60] + bytes(500) + NOISE[560:], "is a damaged picture"),
    "png without width": (png(0, 6), "is "),
    "png without pixels": (png(8, 0), "is "),
    "bomb that warns": (png(10000, 10000), "unpacks to more than 89478485 pixels; make it smaller"),
    "bomb": (png(2**31 - 1, 2**31 - 1), "unpacks to more than 89478485 pixels"),
    "jpeg cut": (encoded(COLOUR.repeat(9, 0), "JPEG")[:-20], "is a damaged picture (image file is truncated"),
    "jpeg start": (JPEG[:30], "is "),
    "gif cut": (encoded(GREY, "GIF")[:-20], "is "),
    "gif header": (b"GIF89a", "is "),
    "bmp cut": (BMP[:-10], "is a damaged picture"),
    "bmp without rows": (BMP[:22] + bytes(4) + BMP[26:], "is "),
    "tiff cut": (encoded(GREY, "TIFF")[:-30], "is "),
    "webp cut": (encoded(COLOUR, "WEBP")[:-8], "is "),
    "ppm of nothing": (b"P5 0 0 255\n", "is "),
    "ppm cut": (b"P5 8 6 255\nfew", "is a damaged picture"),
    "ppm 16 bits": (b"P5 8 6 65535\n" + bytes(96), "has pixels beyond 8 bits without a known range"),
    "floats": (encoded(GREY.astype(np.float32), "TIFF"), "has pixels beyond 8 bits without a known range"),
    "film": (b"\x00\x00\x01\xb3\x01\x00\x10" + bytes(40), "is a damaged picture (cannot load this image"),
}
SIZES = {
    "other height": (encoded(COLOUR[:5]), "has 5 x 8 pixels, the first picture 6 x 8; data.size=N or data.size=HxW"),
    "turned": (encoded(GREY.T), "has 8 x 6 pixels, the first picture 6 x 8"),
    "one pixel": (encoded(COLOUR[:1, :1]), "has 1 x 1 pixels; at least 2 x 2 are needed"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_pictures(folder, settings, name):
    content, message = BROKEN[name]
    settings = with_data(settings, size=8)
    (folder / "dog" / "1.png").write_bytes(content)
    text = refused(settings)
    assert text.startswith(f"{folder / 'dog' / '1.png'}: {message}")


@pytest.mark.parametrize("name", SIZES)
def test_sizes_that_differ(folder, settings, name):
    content, message = SIZES[name]
    (folder / "dog" / "1.png").write_bytes(content)
    assert refused(settings).startswith(f"{folder / 'dog' / '1.png'}: {message}")
    settings = with_data(settings, size=8)
    assert len(prepared.load(settings).images) == 6


def test_names_that_would_tear_the_line(folder, settings):
    (folder / "dog" / "two\nlines \udcff.png").write_bytes(b"no picture")
    assert "two\\nlines \\udcff.png: is no readable picture" in refused(settings)
    (folder / "dog" / "two\nlines \udcff.png").unlink()
    (folder / "dog").rename(folder / "d\nog \udcff")
    assert "d\nog \\udcff" in prepared.load(settings).classes


def test_pipes_links_and_folders_where_pictures_should_be(folder, settings):
    odd = folder / "cat" / "odd"
    os.mkfifo(odd)
    right = f"{folder} needs a folder of pictures for each class, or train/ and test/ that have these"
    assert refused(settings) == f"{odd}: is not a file; {right}"
    odd.unlink()
    for target in ("odd", "nowhere", "/dev/zero"):
        odd.symlink_to(target)
        assert refused(settings).startswith(f"{odd}: is not a file")
        odd.unlink()
    odd.symlink_to("..")
    assert refused(settings).startswith(f"{odd}: is a folder")
    odd.unlink()
    (folder / "bird").symlink_to("bird")
    assert refused(settings).startswith(f"{folder / 'bird'}: is a broken link")


def test_a_linked_class(folder, settings, tmp_path):
    (folder / "dog").rename(tmp_path / "elsewhere")
    (folder / "dog").symlink_to(tmp_path / "elsewhere")
    before = prepared.prepared_path(settings)
    assert prepare(settings).classes == ("cat", "dog")
    (tmp_path / "elsewhere" / "2.png").unlink()
    assert prepared.prepared_path(settings) != before


def test_folders_without_pictures(tmp_path, folder, settings):
    (folder / "bird").mkdir()
    assert refused(settings) == f"{folder / 'bird'}: holds no picture; fill it or remove it"
    settings = with_data(settings, path=str(folder / "cat"))
    message = "has no sub-folders; one for each class, with its pictures, is needed"
    assert refused(settings) == f"{folder / 'cat'}: {message}"
    settings = with_data(settings, path=str(folder / "cat" / "0.png"))
    assert refused(settings).endswith("is a file, a folder is needed")
    settings = with_data(settings, path=str(tmp_path / "none"))
    assert refused(settings) == f"{tmp_path / 'none'}: no such folder"


def test_one_class_is_not_enough(folder, settings):
    (folder / "dog").rename(folder / "cat" / ".dog")
    assert "one-vs-rest needs at least two classes" in refused(settings)


def test_more_than_is_read(folder, settings, monkeypatch):
    monkeypatch.setattr(images, "LARGEST_ARRAY", 100)
    assert "6 pictures of 6 x 8 pixels are too many for the memory; a smaller data.size" in refused(settings)


def test_sizes():
    assert [image_size(size) for size in (28, "28", "28x32", None)] == [(28, 28), (28, 28), (28, 32), None]
    for size in (0, 1, -28, 4097, "1x28", "28x", "x", "28 x 28", "28x28x3", "٣x٣", "", True, 99999):
        assert image_size(size) is None
        with pytest.raises(SettingsError, match="size"):
            parse({"data": {"source": "images", "path": "x", "size": size}})
    assert parse({"data": {"source": "images", "path": "x", "size": "28x32"}}).data.size == "28x32"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"source": "images"}, "data.path: is missing; data=images needs data.path=FOLDER with a sub-folder"),
        ({"source": "idx"}, "data.path: is missing; data=idx needs data.path=FOLDER with train-images-idx3-ubyte"),
        ({"source": "digits", "size": 8}, "data.size: must be null with data=digits"),
        ({"source": "images", "path": "x", "size": "8by8"}, "data.size: must be N or HxW, each from 2 to 4096"),
    ],
)
def test_settings(data, message):
    with pytest.raises(SettingsError) as caught:
        parse({"data": data})
    assert len(caught.value.faults) == 1
    assert caught.value.faults[0].startswith(message)
