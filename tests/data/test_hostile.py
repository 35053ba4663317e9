"""Files made to fill memory or to hang: refused by what they promise, in one line, with little memory and no wait."""

import gzip
import os
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from pipeline.base.errors import DataError
from pipeline.base.files import most_unpacked
from pipeline.data import images, prepared
from pipeline.data.files import Input, Reader, read_file
from pipeline.settings import DataSettings, PathSettings, Settings

MEGABYTE, PIECE = 2**20, bytes(2**24)
# As the command does it, in a process of its own; then what it took at most.
ASK = """
import sys
from pathlib import Path
from pipeline.base.errors import MendableError
from pipeline.data import prepared
from pipeline.settings import DataSettings, PathSettings, Settings
for source, path in zip(sys.argv[1::2], sys.argv[2::2]):
    size = 28 if source == "images" else None
    try:
        prepared.load(Settings(data=DataSettings(source=source, path=path, size=size), paths=PathSettings("e")))
        print("used")
    except MendableError as error:
        print(error)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def npy(shape, descr):
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def packed(path, **members):
    """An npz of zeros: each member a shape and a type."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, (shape, descr) in members.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                file.write(npy(shape, descr))
                left = int(np.prod(shape)) * np.dtype(descr).itemsize
                while left > 0:
                    file.write(PIECE[:left])
                    left -= len(PIECE)
    return path


def png(path, height, width):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b""))


def bombs(folder):
    """Files and folders that stand for up to gigabytes, with what is said of them."""
    found = {}
    path = packed(folder / "images.npz", images=((3 * MEGABYTE, 8, 8), "|u1"), labels=((3 * MEGABYTE,), "|u1"))
    found["arrays", path] = "unpack to"
    found["arrays", packed(folder / "labels.npz", images=((9, 8, 8), "|u1"), labels=((200 * MEGABYTE,), "|u1"))] = "unpack to"
    texts = packed(folder / "texts.npz", images=((9, 8, 8), "|u1"), labels=((9,), f"<U{6 * MEGABYTE}"))
    found["arrays", texts] = "unpack to"
    few = packed(folder / "few.npz", images=((9, 8, 8), "|u1"), labels=((9 * MEGABYTE,), "|u1"))
    found["arrays", few] = "there are 9 images and 9437184 labels"
    idx = folder / "idx"
    idx.mkdir()
    for name, shape in (("images-idx3", (3 * MEGABYTE, 8, 8)), ("labels-idx1", (3 * MEGABYTE,))):
        with gzip.open(idx / f"train-{name}-ubyte.gz", "wb", 1) as file:
            file.write(struct.pack(f">I{len(shape)}I", 0x800 + len(shape), *shape))
            for _ in range(int(np.prod(shape)) // len(PIECE)):
                file.write(PIECE)
    found["idx", idx] = "too many times its"
    for kind, (height, width) in {"wide": (70_000, 70_000), "just too large": (9_200, 9_200)}.items():
        for name in "ab":
            (folder / kind / name).mkdir(parents=True)
            png(folder / kind / name / "0.png", height, width)
        found["images", folder / kind] = "unpacks to more than"
    return found


@pytest.mark.slow
def test_what_stands_for_gigabytes_is_refused_within_little_memory(tmp_path):
    found = bombs(tmp_path)
    words = [str(word) for key in found for word in key]
    ended = subprocess.run([sys.executable, "-c", ASK, *words], capture_output=True, text=True, timeout=120, check=True)
    *said, peak = ended.stdout.splitlines()
    assert len(said) == len(found) and ended.stderr == ""
    for (_, path), wanted, line in zip(found, found.values(), said, strict=True):
        assert str(path) in line and wanted in line
    assert int(peak) < 500 * 1024


def test_only_files_that_end_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    (tmp_path / "zero.npz").symlink_to("/dev/zero")
    reader = Reader(Input((8, 8), 16.0, 16.0), "digits", None)
    for path in (tmp_path / "pipe.npz", tmp_path / "zero.npz"):
        settings = Settings(data=DataSettings(source="arrays", path=str(path)), paths=PathSettings(str(tmp_path / "e")))
        for read in (lambda settings=settings: prepared.load(settings), lambda path=path: read_file(path, reader)):
            with pytest.raises(DataError, match=f"{path.name}: is no file that ends, but a pipe, a socket or a device"):
                read()


def test_what_is_transparent_takes_more_memory_and_is_bounded_sooner(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "LARGEST_PICTURE", 16 * 99)
    for mode, side in (("RGBA", 10), ("L", 18)):
        Image.new(mode, (side, side)).save(tmp_path / "a.png")
        with pytest.raises(DataError, match=r"a\.png: unpacks to more than (99|316) pixels; make it smaller"):
            images.read_picture(tmp_path / "a.png", None)
        Image.new(mode, (side - 1, side - 1)).save(tmp_path / "a.png")
        assert images.read_picture(tmp_path / "a.png", None).shape == (side - 1, side - 1)


def test_pictures_that_pack_well_are_not_refused(tmp_path):
    """Blank pictures, as a first try has them, are read; so is what packs as well as line drawings do."""
    path = tmp_path / "blank.npz"
    np.savez_compressed(path, images=np.zeros((20_000, 28, 28), np.uint8), labels=np.arange(20_000) % 2)
    settings = Settings(data=DataSettings(source="arrays", path=str(path)), paths=PathSettings(str(tmp_path / "e")))
    assert len(prepared.load(settings).images) == 20_000
    assert most_unpacked(10 * MEGABYTE) > 1000 * MEGABYTE
