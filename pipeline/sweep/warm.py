"""The engine's code for each kind of heads: made before a block needs it, several kinds side by side in processes."""

import gc
import time
from collections.abc import Iterable
from concurrent.futures import Future

from ..base import console, project
from ..base.home import is_private
from .executors import Processes, can_start_processes, cores
from .point import Point

# dtype of the heads, stored dtype of the images.
Kind = tuple[str, str]
SAID_SECONDS = 1.0


def kind_of(point: Point) -> Kind | None:
    """What a point's engine has to have compiled; None for an engine that is not."""
    if point.settings.compute.engine != "numba":
        return None
    return point.settings.model.dtype, point.dataset.images.dtype.name


class Compiled:
    """Which kinds are ready. Those that are on disk are loaded at once; the others are compiled in the background."""

    def __init__(self, points: Iterable[Point]) -> None:
        wanted = {kind: point for point in points if (kind := kind_of(point))}
        self.pending: dict[Future[float], Kind] = {}
        self._ready: set[Kind] = set()
        self._executor: Processes | None = None
        if not wanted:
            return
        from ..heads.compiled import engine

        missing = [kind for kind in wanted if not engine.is_compiled(*kind)]
        for kind in set(wanted) - set(missing):
            self._load(kind)
        if missing:
            console.say(
                f"compiling the engine for {' and '.join(map(named, missing))}; the result is kept {_where(engine.kept_in())}"
            )
            self._compile(missing, min(len(missing), cores(next(iter(wanted.values())).settings.compute)))

    def _compile(self, missing: list[Kind], count: int) -> None:
        """In processes, side by side; where there can be none, here."""
        if not can_start_processes():
            for kind in missing:
                self._load(kind)
            return
        self._executor = Processes(count)
        self.pending = {self._executor.submit(compile_kind, kind): kind for kind in missing}

    def is_ready(self, point: Point) -> bool:
        return kind_of(point) in {None, *self._ready}

    def take(self, future: Future[float]) -> None:
        """Load what a process has compiled; if that process failed, it is compiled here."""
        kind = self.pending.pop(future)
        self._load(kind)
        if future.exception() is None and future.result() > SAID_SECONDS:
            console.say(f"compiled the engine for {named(kind)} in {future.result():.1f} s")
        if not self.pending:
            self.close()

    def close(self) -> None:
        if self._executor:
            self._executor.shutdown(wait=False, cancel_futures=True)

    def _load(self, kind: Kind) -> None:
        from ..heads.compiled import engine

        engine.warm_up(*kind)
        self._ready.add(kind)


def named(kind: Kind) -> str:
    dtype, stored = kind
    return f"{dtype} heads and {stored} images"


def _where(folder: str) -> str:
    right = project.PACKAGE
    return f"in {folder}, since neither {right} nor the home folder can be written" if is_private() else "for later runs"


def compile_kind(kind: Kind) -> float:
    """Compile a kind, or load it; the seconds that took. What is compiled stays on disk."""
    from ..heads.compiled import engine

    # This process does nothing else, and looking for garbage would take a tenth of its time.
    gc.disable()
    began = time.monotonic()
    engine.warm_up(*kind)
    return time.monotonic() - began
