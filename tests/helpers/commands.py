"""Real command lines in a folder of the test's own."""

import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]

# A sweep that takes a second: two trajectories of two points each.
SMALL_SWEEP = ["-m", "model.kernel_size=3,5", "training.iterations=6,12", "training.batch_size=8"]


def command(stage: str, *arguments: str) -> list[str]:
    return [sys.executable, "-W", "error::DeprecationWarning:pipeline", "-m", f"pipeline.{stage}", *arguments]


def run_in(folder: Path, stage: str, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a stage as a user would, from a folder that is not the project's."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run(
        command(stage, *arguments), cwd=folder, env=environment, capture_output=True, text=True, timeout=300, **options
    )  # fmt: skip


@contextmanager
def started_in(folder: Path, stage: str, *arguments: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The same, without waiting for it: what it says comes through pipes. If it still runs in the end, it is killed."""
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command(stage, *arguments), cwd=folder, env=environment, text=True, **given) as process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], T], seconds: float = 60.0, process: subprocess.Popen[str] | None = None) -> T:
    """Wait for a condition; what it came to. process: the one that brings it about."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "what was waited for did not come"
        assert process is None or process.poll() is None, "what was waited for cannot come any more"
        time.sleep(0.02)
    return found


def points(folder: Path) -> list[Path]:
    """The finished points of an experiment's folder."""
    return sorted(path.parent for path in (folder / "points").glob("*/*/SHA256SUMS"))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def clothing(folder: Path) -> list[str]:
    """The overrides that make data=fashion_mnist read few small images, for a machine without the real ones."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for name, count in (("train", 200), ("t10k", 50)):
        images = random.integers(0, 256, (count, 8, 8), np.uint8)
        header = struct.pack(">4i", 0x803, *images.shape)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        labels = (np.arange(count) % 10).astype(np.uint8)
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 0x801, count) + labels.tobytes())
    return [f"data.path={folder}"]
