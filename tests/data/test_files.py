"""Files to apply heads to: what is read from each kind, and one line for each that cannot be used."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.base.errors import DataError
from pipeline.data.files import Reader, read_file, read_files
from pipeline.data.input import Input, odd_range

LEVELS = np.random.default_rng(0).integers(0, 256, (3, 6, 5), np.uint8)
EIGHT_BITS = Reader(Input((6, 5), 255.0, 255.0), "arrays", None)


def idx(images: np.ndarray) -> bytes:
    return struct.pack(">4i", 0x803, *images.shape) + images.tobytes()


def picture(path: Path, levels=LEVELS[0], size=None) -> Path:
    image = Image.fromarray(levels)
    (image.resize(size) if size else image).save(path)
    return path


def test_every_kind_is_read_as_it_is_stored_in_the_order_given(tmp_path):
    np.savez(tmp_path / "named.npz", images=LEVELS, labels=np.arange(3))
    np.savez(tmp_path / "only.npz", LEVELS[1].astype(np.int64))
    np.savez(tmp_path / "channel.npz", images=LEVELS[..., None].astype(np.float16))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(LEVELS))
    (tmp_path / "t10k.gz").write_bytes(gzip.compress(idx(LEVELS[:2])))
    names = ["named.npz", "only.npz", "t10k-images-idx3-ubyte", "t10k.gz", "channel.npz", "p.png"]
    picture(tmp_path / "p.png")
    found = read_files([tmp_path / name for name in names], EIGHT_BITS)
    expected = np.concatenate([LEVELS, LEVELS[1:2], LEVELS, LEVELS[:2], LEVELS, LEVELS[:1]])
    assert (found.images == expected).all()
    assert found.numbers == (0, 1, 2, 0, 0, 1, 2, 0, 1, 0, 1, 2, 0)
    assert [file.name for file in found.files][2:5] == ["named.npz", "only.npz", "t10k-images-idx3-ubyte"]


@pytest.mark.parametrize(
    ("source", "largest", "white"),
    [
        ("digits", 16, 16),
        ("arrays", 0.7, 1),
        ("arrays", 200, 255),
        ("arrays", 4095, 4095),
        ("images", 90, 255),
        ("notebook", 9, 255),
    ],
)
def test_a_pictures_white_is_that_of_training(tmp_path, source, largest, white):
    found = read_file(picture(tmp_path / "p.png"), Reader(Input((6, 5), 1.0, largest), source, None))
    np.testing.assert_allclose(found[0], LEVELS[0] * (white / 255))


def test_pictures_are_resized_and_made_grey_as_in_training(tmp_path):
    reader = Reader(Input((6, 5), 255.0, 255.0), "images", (6, 5))
    colours = np.random.default_rng(1).integers(0, 256, (40, 30, 3), np.uint8)
    grey = Image.fromarray(colours).convert("L").resize((5, 6), Image.Resampling.BILINEAR)
    assert (read_file(picture(tmp_path / "p.png", colours), reader) == np.asarray(grey)).all()


FAULTS = {
    "small.png": "has 4 x 5 pixels; this point takes 6 x 5; resize the picture first: only points trained on data=images",
    "text.png": "is no readable picture: damaged, or of an unknown format",
    "missing.png": "cannot be read (No such file or directory)",
    "folder": "is a folder; name its files, {folder}/folder/*",
    "colour.npz": "images must be grey, (N, H, W), not three colours a pixel, (1, 6, 5, 3); the mean over axis 3 makes grey",
    "two.npz": "has no array images; it holds x, y",
    "flat.npz": "images must be (N, H, W), not (30,)",
    "none.npz": "there is no image in it; images are (0, 6, 5)",
    "text.npz": "images must be integers or floats, not <U1",
    "nan.npz": "has a pixel that is nan or inf; all pixels must be finite",
    "labels.idx": "has 1 dimensions; images have 3",
    "floats.idx": "holds float32 (code 0d); uint8 (code 08) is needed",
    "cut.gz": "is a damaged .gz file",
    "other.npz": "has 5 x 6 pixels; this point takes 6 x 5",
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faulty")
    (folder / "folder").mkdir()
    picture(folder / "small.png", size=(5, 4))
    (folder / "text.png").write_text("no picture")
    for name, array in {
        "colour": np.zeros((1, 6, 5, 3)), "flat": np.zeros(30), "none": np.zeros((0, 6, 5)), "text": np.full((1, 6, 5), "a"),
        "nan": np.full((1, 6, 5), np.nan), "other": np.zeros((1, 5, 6)),
    }.items():  # fmt: skip
        np.savez(folder / f"{name}.npz", images=array)
    np.savez(folder / "two.npz", x=LEVELS, y=LEVELS)
    (folder / "labels.idx").write_bytes(struct.pack(">2i", 0x801, 4) + bytes(4))
    (folder / "floats.idx").write_bytes(struct.pack(">4i", 0xD03, 1, 6, 5) + bytes(120))
    (folder / "cut.gz").write_bytes(gzip.compress(idx(LEVELS))[:40])
    return folder


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_that_cannot_be_used_is_named_in_one_line(faulty, name):
    with pytest.raises(DataError) as caught:
        read_file(faulty / name, EIGHT_BITS)
    assert str(caught.value).startswith(f"{faulty / name}: {FAULTS[name].format(folder=faulty)}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("largest", "trained", "odd"),
    [
        (255, 1, True),
        (255, 255, False),
        (30, 255, False),
        (1, 255, True),
        (0, 255, False),
        (1, 1, False),
        (4, 1, False),
        (1, 7, False),
    ],
)
def test_numbers_of_another_scale_are_told(largest, trained, odd):
    said = odd_range(np.array([[[0.0, -largest]]]), Input((1, 2), 1.0, trained))
    assert said == (f"pixels reach {largest}, those of training {trained}; bring them to one scale" if odd else "")
