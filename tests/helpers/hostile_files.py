"""Data files made to harm, at random: damaged, lying, endless in names; each of a few kilobytes."""

import gzip
import io
import random
import struct
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("=1+1", "\x1b[31m", "\u202e", "a\nb", "a\rb", "x" * 300, "", " ", "mean", "..", "a/b", "$\\frac", "<b>", "🐜", "-1")


def hostile_file(folder: Path, choice: random.Random) -> list[str]:
    """Write one into `folder`; the words of a command line that ask for it."""
    kind = choice.choice([_names, _damaged_npz, _lying_npz, _damaged_idx, _damaged_pictures, _noise])
    source, path = kind(folder, choice)
    return [f"data={source}", f"data.path={path}", *(["data.size=8"] if source == "images" else [])]


def _npz(choice: random.Random, names: tuple[str, ...] = ("a", "b", "c"), images: np.ndarray | None = None) -> bytes:
    random_state = np.random.default_rng(choice.randrange(2**32))
    labels = np.array([choice.choice(names) for _ in range(48)])
    file = io.BytesIO()
    saved = random_state.integers(0, 17, (48, 6, 5), np.uint8) if images is None else images
    choice.choice([np.savez, np.savez_compressed])(file, images=saved, labels=labels)
    return file.getvalue()


def _damaged(content: bytes, choice: random.Random) -> bytes:
    """A few bytes changed, or the end cut off."""
    if choice.random() < 0.3:
        return content[: choice.randrange(len(content))]
    changed = bytearray(content)
    for _ in range(choice.randint(1, 20)):
        changed[choice.randrange(len(changed))] = choice.randrange(256)
    return bytes(changed)


def _names(folder: Path, choice: random.Random) -> tuple[str, Path]:
    path = folder / f"{choice.choice(['=x', 'a', chr(27) + '[31m', 'ü'])}.npz"
    path.write_bytes(_npz(choice, NAMES))
    return "arrays", path


def _damaged_npz(folder: Path, choice: random.Random) -> tuple[str, Path]:
    path = folder / "damaged.npz"
    path.write_bytes(_damaged(_npz(choice), choice))
    return "arrays", path


def _lying_npz(folder: Path, choice: random.Random) -> tuple[str, Path]:
    """A header of any shape and type, and few bytes."""
    shape = tuple(choice.choice([-1, 0, 1, 5, 2**31, 2**62]) for _ in range(choice.randint(0, 4)))
    descr = choice.choice(["|u1", "<f8", "|O", "<U99999999", "|V5", "<M8[s]", "<c16", "nonsense", "|b1"])
    text = repr({"descr": descr, "fortran_order": choice.random() < 0.5, "shape": shape}).encode() + b"\n"
    path = folder / "lying.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("images.npy", "labels.npy"):
            archive.writestr(name, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + choice.randbytes(300))
    return "arrays", path


def _damaged_idx(folder: Path, choice: random.Random) -> tuple[str, Path]:
    for name, shape in (("images-idx3", (48, 6, 5)), ("labels-idx1", (48,))):
        content = struct.pack(f">I{len(shape)}I", 0x800 + len(shape), *shape) + bytes(int(np.prod(shape)))
        is_packed = choice.random() < 0.5
        content = _damaged(gzip.compress(content) if is_packed else content, choice)
        (folder / f"train-{name}-ubyte{'.gz' if is_packed else ''}").write_bytes(content)
    return "idx", folder


def _damaged_pictures(folder: Path, choice: random.Random) -> tuple[str, Path]:
    root = folder / "pictures"
    for number in range(24):
        file = io.BytesIO()
        Image.new(choice.choice(["L", "RGB", "1", "RGBA"]), (8, 8), 1).save(file, choice.choice(["PNG", "GIF", "BMP", "TIFF"]))
        place = root / choice.choice(["a", "=b", "\x1b[31m"])
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.png").write_bytes(_damaged(file.getvalue(), choice) if number % 8 == 0 else file.getvalue())
    return "images", root


def _noise(folder: Path, choice: random.Random) -> tuple[str, Path]:
    source = choice.choice(["arrays", "idx", "images"])
    name = {"arrays": "noise.npz", "idx": "train-images-idx3-ubyte", "images": "a/x.png"}[source]
    begins = choice.choice([b"", b"PK\x03\x04", b"\x00\x00\x08\x03", b"\x1f\x8b", b"\x89PNG\r\n\x1a\n"])
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(begins + choice.randbytes(400))
    return source, folder / name if source == "arrays" else folder
