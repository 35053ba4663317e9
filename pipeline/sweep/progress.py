"""How far a run is: a folder of tiny files that workers of any process write and the bar in the parent reads."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

REFRESH_SECONDS = 0.25


@dataclass(frozen=True)
class Board:
    """Where workers note their progress: iterations by trajectory, and how each point ended."""

    folder: Path

    def iterations(self, trajectory: str, done: int) -> None:
        """Note that a trajectory has reached `done` iterations; a lower number than before is ignored by the reader."""
        self._write(f"{trajectory}.{os.getpid()}.iterations", str(done))

    def ended(self, point: int, how: str) -> None:
        """Note that a point is "done" or "failed"."""
        self._write(f"{point}.{how}", "")

    def points(self, how: str) -> int:
        return sum(1 for _ in self.folder.glob(f"*.{how}"))

    def total_iterations(self) -> int:
        """Iterations reached, each trajectory counted once."""
        reached: dict[str, int] = {}
        for path in self.folder.glob("*.iterations"):
            with contextlib.suppress(OSError, ValueError):
                name = path.name.split(".")[0]
                reached[name] = max(reached.get(name, 0), int(path.read_text()))
        return sum(reached.values())

    def _write(self, name: str, text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / f".{name}"
        temporary.write_text(text)
        temporary.replace(self.folder / name)


@contextlib.contextmanager
def bar(board: Board, points: int, iterations: int) -> Iterator[None]:
    """A bar over all iterations, with the points done beside it, while the block runs; nothing when not in a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    stop = threading.Event()
    shown = tqdm(total=iterations, unit="it", unit_scale=True, dynamic_ncols=True, leave=False, desc=f"points 0/{points}")

    def follow() -> None:
        while not stop.wait(REFRESH_SECONDS):
            shown.set_description(f"points {board.points('done') + board.points('failed')}/{points}", refresh=False)
            shown.n = board.total_iterations()
            shown.refresh()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        shown.close()
