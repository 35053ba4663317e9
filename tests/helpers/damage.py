"""Damage as disks, people and copies do it: a bit flipped, a file cut, filled with zeros, exchanged or edited."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

Generator = np.random.Generator
Harm = Callable[[bytes, bytes, Generator], bytes]


def flip(content: bytes, _other: bytes, random: Generator) -> bytes:
    at = int(random.integers(len(content)))
    return content[:at] + bytes([content[at] ^ 1 << int(random.integers(8))]) + content[at + 1 :]


def cut(content: bytes, _other: bytes, random: Generator) -> bytes:
    return content[: int(random.integers(len(content)))]


def zeros(content: bytes, _other: bytes, random: Generator) -> bytes:
    """A stretch that the disk has lost, often a whole page of it."""
    start = int(random.integers(len(content)))
    end = min(len(content), start + int(random.choice([1, 16, 4096])))
    return content[:start] + bytes(end - start) + content[end:]


def swap(_content: bytes, other: bytes, _random: Generator) -> bytes:
    return other


def edit(content: bytes, _other: bytes, random: Generator) -> bytes:
    """One digit is another, as a hand would do it."""
    digits = [at for at, byte in enumerate(content) if chr(byte).isdigit()]
    if not digits:
        return content + b"1"
    at = digits[int(random.integers(len(digits)))]
    return content[:at] + str((content[at] - 48 + int(random.integers(1, 10))) % 10).encode() + content[at + 1 :]


HARMS: dict[str, Harm] = {harm.__name__: harm for harm in (flip, cut, zeros, swap, edit)}


def state_files(experiment: Path) -> list[Path]:
    """What an experiment's commands read again: its grid, prepared data, records, checkpoints on the way."""
    found = [experiment / "config.yaml"]
    for pattern in ("data/*.npz", "points/*/*/*", "work/*.npz"):
        found += sorted(experiment.glob(pattern))
    return found


def harm(path: Path, how: str, random: Generator) -> bool:
    """Damage a file, `swap` with another of its kind nearby; whether its bytes are others now. The file is a new one."""
    root = path.parents[3] if "points" in path.parts else path.parent
    others = [each for each in sorted(root.rglob(f"*{path.suffix}")) if each != path and each.is_file()]
    content = path.read_bytes()
    other = others[int(random.integers(len(others)))].read_bytes() if others else content[::-1]
    damaged = HARMS[how](content, other, random)
    path.unlink()
    path.write_bytes(damaged)
    return damaged != content
