"""MLflow as an observer of a sweep that never holds it up.

Whatever it is told, the tracker only hands an event to its writer, a thread of its own (see writer.py), so that training
neither waits for a store that is locked, slow or gone nor fails with it. What is not written when the command ends is written
by the next one: that is told all finished points, and what the store has of them is not written again (see runs.py: one run a
point).
"""

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..records.record import Record
from ..settings import TrackingSettings
from ..sweep.point import Point
from .ending import PATIENCE, PATIENCE_OPENING, missing_line, patience
from .events import Compared, Curve, Failed, Finished, Opened, Started
from .health import ailment
from .runs import KILLED
from .sweeps import SweepView
from .trouble import Trouble, silence
from .writer import Writer

logger = logging.getLogger(__name__)

# A point that trains for longer shows its curves on the way, so often.
CURVE_SECONDS = 10.0
# For a server that is away, ill or slow: a sweep of twenty seconds is not to be a twentieth longer for it.
HASTE = 0.5


class Tracker:
    """Tells MLflow of a sweep, or of a single point (`sweep` None). An Observer: every method returns at once, raises nothing.

    What is kept here is the caller's thread's alone; what the writer's thread keeps is only looked at.
    folder: the experiment's, for its lease on a server's runs. SettingsError for an address that can be no store's.
    """

    def __init__(
        self, tracking: TrackingSettings, experiment: str, sweep: SweepView | None, folder: Path | None = None
    ) -> None:
        self._writer = Writer(tracking, experiment, sweep, folder)
        # The points whose end was told; of each trajectory, when its curves are due, and how many were told; what `close` said.
        self._told: set[str] = set()
        self._due: dict[str, float] = {}
        self._curves: Counter[str] = Counter()
        self._said: list[str] | None = None
        # What the end found: a server that is ill; how many events were written in how many seconds, when it waited no longer.
        self._ailment: Trouble | None = None
        self._measured = 0, 0.0

    def open(self) -> None:
        """Wait until the sweep's run is there, or the store is in trouble, but not for long: jobs hang their runs under it."""
        self._writer.put(Opened())
        end = time.monotonic() + PATIENCE + PATIENCE_OPENING
        while not self._writer.written and self._writer.trouble is None and time.monotonic() < end:
            time.sleep(0.02)

    def started(self, point: Point) -> None:
        """The point's trajectory is being trained now."""
        self._due.setdefault(point.trajectory, time.monotonic() + CURVE_SECONDS)
        self._writer.put(Started(point))

    def advanced(self, points: Sequence[Point], iteration: int, losses: Callable[[], NDArray[np.float64]]) -> None:
        """A trajectory has reached `iteration`: its curves are logged when it is time. `losses` is called only then."""
        if not points:
            return
        name, now = points[0].trajectory, time.monotonic()
        due = self._due.setdefault(name, now + CURVE_SECONDS)
        # While the store is away, one curve of each trajectory waits, not one every ten seconds.
        if now < due or self._curves[name] > self._writer.drawn[name]:
            return
        self._due[name] = now + CURVE_SECONDS
        try:
            event = Curve(tuple(points), losses())
        except Exception:
            logger.debug("no curves of %s", points[0].name, exc_info=True)
            return
        self._curves[name] += 1
        self._writer.put(event)

    def finished(self, point: Point, record: Record, known: bool) -> None:
        """The point's record is on disk. A known one is logged, too, unless the store has it: so missing ones come back."""
        self._told.add(point.key)
        self._writer.put(Finished(point, record, known))

    def failed(self, point: Point, error: Exception) -> None:
        """The point will not be there."""
        self._told.add(point.key)
        self._writer.put(Failed(point, (str(error).strip() or type(error).__name__).splitlines()[0]))

    def compared(self, compared: Compared) -> None:
        """What the sweep came to is on disk."""
        self._writer.put(compared)

    def close(self, status: str) -> list[str]:
        """End as FINISHED, FAILED or KILLED; nothing when all is logged, else a line that says what is not, and why. A line
        before that says so when the store had to be replaced."""
        if self._said is None:
            self._writer.close(status)
            self._wait_for_thread(status == KILLED)
            self._writer.give_up()
            self._said = self._lines()
        return self._said

    def _wait_for_thread(self, killed: bool) -> None:
        writer = self._writer
        if writer.tracking.store == "server":
            writer.join(HASTE)
            self._ailment = (writer.trouble or ailment(writer.uri)) if writer.is_alive() else None
            if self._ailment:
                return
        end = time.monotonic() + (PATIENCE if killed else math.inf)
        while writer.is_alive():
            begin, before, pending, opening = time.monotonic(), writer.written, writer.pending(), writer.opening
            while writer.is_alive() and writer.opening == opening:
                allowed = PATIENCE if writer.trouble and not opening else patience(pending, opening)
                if time.monotonic() >= min(begin + allowed, end):
                    written = writer.written - before
                    if killed or written < max(pending / 2, 1):
                        self._measured = written, time.monotonic() - begin
                        return
                    break
                writer.join(0.02)

    def _lines(self) -> list[str]:
        writer = self._writer
        mended = [writer.mended.line()] if writer.mended else []
        trouble = writer.trouble or writer.lost or self._ailment
        if writer.done and writer.lost is None:
            return mended
        if trouble is None:
            trouble = Trouble("MLflow was not ready in time") if writer.opening else silence(writer.uri, *self._measured)
        return [*mended, missing_line(trouble, len(self._told - writer.logged()), len(self._told))]
