"""MLflow as an observer of a sweep that never holds it up.

Whatever it is told, the tracker only puts an event into a queue. One thread of its own imports MLflow, opens the store and
writes the events, again and again where that fails, so that training neither waits for a store that is locked, slow or gone
nor fails with it. What is not written when the command ends is written by the next one: that is told all finished points,
and what the store has of them is not written again (see runs.py: one run a point).
"""

import contextlib
import logging
import math
import queue
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.errors import MendableError
from ..records.record import Record
from ..settings import TrackingSettings
from ..sweep.point import Point
from .ending import PATIENCE, PATIENCE_OPENING, missing_line, patience
from .events import Compared, Curve, Ended, Event, Failed, Finished, Known, Opened, Started
from .glance import settled
from .health import ailment
from .known import Mended
from .lease import RENEW_SECONDS, Lease
from .runs import FINISHED, KILLED, Runs
from .store import Store, close_store, load_mlflow, open_store, resolved, store_uri
from .sweeps import SweepView
from .trouble import REPLACE, Trouble, explain, silence, without_passwords
from .twins import is_gone

logger = logging.getLogger(__name__)

# A point that trains for longer shows its curves on the way, so often.
CURVE_SECONDS = 10.0
# After a failure the thread waits, longer each time.
FIRST_WAIT, LONGEST_WAIT = 0.5, 5.0
# An event that fails so often, in a store that can be opened, is left to the next command.
MOST_TRIES = 4
# For a server that is away, ill or slow: a sweep of twenty seconds is not to be a twentieth longer for it.
HASTE = 0.5


class Tracker:
    """Tells MLflow of a sweep, or of a single point (`sweep` None). An Observer: every method returns at once, raises nothing.

    folder: the experiment's, for its lease on a server's runs. SettingsError for an address that can be no store's.
    """

    def __init__(
        self, tracking: TrackingSettings, experiment: str, sweep: SweepView | None, folder: Path | None = None
    ) -> None:
        self._tracking, self._experiment, self._sweep = resolved(tracking), experiment, sweep
        self._uri = store_uri(tracking)
        self._lease, self._folder = Lease(self._uri, folder), folder
        # Of the caller's thread: the points whose end was told, when a trajectory's curves are due, what `close` said.
        self._told: set[str] = set()
        self._due: dict[str, float] = {}
        self._said: list[str] | None = None
        self._ailment: Trouble | None = None
        self._measured = 0, 0.0
        # Between the threads.
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._closing, self._given_up = threading.Event(), threading.Event()
        # Of the thread; others only look.
        self._waiting: deque[Event] = deque()
        self._runs: Runs | None = None
        self._ended: dict[str, Event] = {}
        self._over: set[str] = set()
        # Whether others may have deleted runs since we looked (see twins.py); whether we looked a last time.
        self._unsure, self._looked = False, self._tracking.store == "sqlite"
        self._tries: Counter[int] = Counter()
        self._lost: Trouble | None = None
        self._mended: Mended | None = None
        self._doubted = False
        self._drawn: set[str] = set()
        self._written, self._wait = 0, FIRST_WAIT
        self._opening, self._done = True, False
        self._trouble: Trouble | None = None
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def open(self) -> None:
        """Wait until the sweep's run is there, or the store is in trouble, but not for long: jobs hang their runs under it."""
        self._queue.put(Opened())
        end = time.monotonic() + PATIENCE + PATIENCE_OPENING
        while not self._written and self._trouble is None and time.monotonic() < end:
            time.sleep(0.02)

    def started(self, point: Point) -> None:
        """The point's trajectory is being trained now."""
        self._due.setdefault(point.trajectory, time.monotonic() + CURVE_SECONDS)
        self._queue.put(Started(point))

    def advanced(self, points: Sequence[Point], iteration: int, losses: Callable[[], NDArray[np.float64]]) -> None:
        """A trajectory has reached `iteration`: its curves are logged when it is time. `losses` is called only then."""
        if not points:
            return
        name, now = points[0].trajectory, time.monotonic()
        due = self._due.setdefault(name, now + CURVE_SECONDS)
        # While the store is away, one curve of each trajectory waits, not one every ten seconds.
        if now < due or name in self._drawn:
            return
        self._due[name] = now + CURVE_SECONDS
        try:
            event = Curve(tuple(points), losses())
        except Exception:
            logger.debug("no curves of %s", points[0].name, exc_info=True)
            return
        self._drawn.add(name)
        self._queue.put(event)

    def finished(self, point: Point, record: Record, known: bool) -> None:
        """The point's record is on disk. A known one is logged, too, unless the store has it: so missing ones come back."""
        self._told.add(point.key)
        self._queue.put(Finished(point, record, known))

    def failed(self, point: Point, error: Exception) -> None:
        """The point will not be there."""
        self._told.add(point.key)
        self._queue.put(Failed(point, (str(error).strip() or type(error).__name__).splitlines()[0]))

    def compared(self, compared: Compared) -> None:
        """What the sweep came to is on disk."""
        self._queue.put(compared)

    def close(self, status: str) -> list[str]:
        """End as FINISHED, FAILED or KILLED; nothing when all is logged, else a line that says what is not, and why. A line
        before that says so when the store had to be replaced."""
        if self._said is None:
            self._queue.put(Ended(status))
            self._closing.set()
            self._wait_for_thread(status == KILLED)
            self._given_up.set()
            # What is still RUNNING stays so until the next command, which must not take it for a living one's.
            self._lease.let_go()
            self._said = self._lines()
        return self._said

    def _wait_for_thread(self, killed: bool) -> None:
        if self._tracking.store == "server":
            self._thread.join(HASTE)
            self._ailment = (self._trouble or ailment(self._uri)) if self._thread.is_alive() else None
            if self._ailment:
                return
        end = time.monotonic() + (PATIENCE if killed else math.inf)
        while self._thread.is_alive():
            begin, before, pending, opening = time.monotonic(), self._written, self._pending(), self._opening
            while self._thread.is_alive() and self._opening == opening:
                allowed = PATIENCE if self._trouble and not opening else patience(pending, opening)
                if time.monotonic() >= min(begin + allowed, end):
                    written = self._written - before
                    if killed or written < max(pending / 2, 1):
                        self._measured = written, time.monotonic() - begin
                        return
                    break
                self._thread.join(0.02)

    def _pending(self) -> int:
        return self._queue.qsize() + len(self._waiting)

    def _lines(self) -> list[str]:
        mended = [self._mended.line()] if self._mended else []
        trouble = self._trouble or self._lost or self._ailment
        if self._done and self._lost is None:
            return mended
        if trouble is None:
            trouble = Trouble("MLflow was not ready in time") if self._opening else silence(self._uri, *self._measured)
        return [*mended, missing_line(trouble, len(self._told - set(self._ended.copy())), len(self._told))]

    def _work(self) -> None:
        """The thread: write events until the last one, `Ended`, is written, or nobody waits for them any more."""
        try:
            if self._has_nothing_to_say():
                self._done = True
                return
            self._load()
            while not self._done and not self._given_up.is_set():
                event = self._next()
                if event is not None:
                    self._try(event)
        except BaseException as error:
            # Also what is no Exception: a thread's traceback would go to the terminal.
            self._failed(error)

    def _has_nothing_to_say(self) -> bool:
        """Whether the store holds a whole sweep, and all that is told of it is known there: then MLflow need not be imported.
        Else what was told so far waits to be written."""
        said = settled(self._tracking, self._experiment, self._sweep)
        while said is not None:
            event = self._queue.get()
            if isinstance(event, Ended) and event.status == FINISHED:
                return True
            self._waiting.append(event)
            known = isinstance(event, Finished) and event.known
            if not (known or (isinstance(event, Compared) and event.digest() == said)):
                break
        self._over |= {event.point.key for event in self._waiting if isinstance(event, (Finished, Failed))}
        return False

    def _load(self) -> None:
        load_mlflow()
        # A server is waited for no longer than for its answers; a database may have to be made first.
        self._opening = self._tracking.store == "sqlite"

    def _next(self) -> Event | None:
        """The next event that is worth writing, if any; the thread sleeps until there is one."""
        while not (self._waiting and self._queue.empty()):
            try:
                event = self._queue.get(timeout=RENEW_SECONDS)
            except queue.Empty:
                self._renew()
                continue
            self._waiting.append(event)
            if isinstance(event, (Finished, Failed)):
                self._over.add(event.point.key)
        event = self._waiting[0]
        if isinstance(event, Ended) and len(self._waiting) > 1:
            self._waiting.rotate(-1)
            return None
        other = self._mended.next(self._over) if self._mended and isinstance(event, Ended) and event.status != KILLED else None
        if other is not None:
            event = Known(*other)
            self._waiting.appendleft(event)
        if self._is_stale(event):
            self._drop(event)
            return None
        return event

    def _is_stale(self, event: Event) -> bool:
        """Whether an event is overtaken: of a point that is done, start and curves are written with its end."""
        if not isinstance(event, (Started, Curve)):
            return False
        points = event.points if isinstance(event, Curve) else (event.point,)
        return self._closing.is_set() or all(point.key in self._over for point in points)

    def _try(self, event: Event) -> None:
        last = isinstance(event, Ended) and not self._looked
        try:
            if self._runs is not None and self._runs.store.is_gone:
                self._start_again()
                return
            if self._runs is None:
                self._runs = Runs(self._opened(), self._sweep, self._lease, self._tracking.system_metrics)
            elif self._unsure or last:
                self._runs.look_again()
            self._opening = self._unsure = False
            self._runs.renew()
        except Exception as error:
            self._failed(error)
            return
        if last:
            # What is there costs nothing to be told again.
            self._looked = True
            self._waiting.extendleft(reversed(self._ended.values()))
            return
        try:
            event.write(self._runs)
        except Exception as error:
            self._unsure = is_gone(error)
            if self._unsure:
                return
            self._tries[id(event)] += 1
            if isinstance(error, MendableError) or self._tries[id(event)] >= MOST_TRIES:
                # A damaged record, or what this store will not take: it must not keep the others from being logged.
                self._drop(event, written=False)
                # The end of a point says again what its start and its curves said.
                if not isinstance(event, (Started, Curve)):
                    self._lost = explain(error, self._uri)
            else:
                # Others may fare better.
                self._waiting.rotate(-1)
            if not isinstance(error, MendableError):
                self._failed(error)
            return
        self._drop(event)
        self._trouble, self._wait = None, FIRST_WAIT

    def _opened(self) -> Store:
        store = open_store(self._tracking, self._experiment, self._doubted)
        if store.mended:
            self._mended, self._doubted = Mended(store.mended, store.is_new, self._folder, self._tracking), False
        if store.is_new:
            self._tell_again()
        return store

    def _renew(self) -> None:
        """Nothing happens for a while: what runs goes on to be RUNNING."""
        try:
            if self._runs is not None:
                self._runs.renew()
        except Exception as error:
            self._failed(error)

    def _drop(self, event: Event, written: bool = True) -> None:
        """An event is written, or need not be, or cannot be."""
        self._waiting.popleft()
        self._tries.pop(id(event), None)
        self._written += 1
        if isinstance(event, Curve):
            self._drawn.discard(event.points[0].trajectory)
        elif written and isinstance(event, (Finished, Failed, Compared)):
            self._ended["" if isinstance(event, Compared) else event.point.key] = event
        self._done = isinstance(event, Ended)

    def _forget(self) -> None:
        if self._runs is not None:
            self._runs.stop_watching()
        self._runs = None
        with contextlib.suppress(Exception):
            close_store(self._uri)

    def _start_again(self) -> None:
        """The database was deleted or replaced: all that was written went with it, and one is made anew."""
        self._forget()
        self._opening = self._tracking.store == "sqlite"
        self._tell_again()

    def _tell_again(self) -> None:
        self._waiting.extendleft(reversed(self._ended.values()))
        self._ended.clear()

    def _failed(self, error: BaseException) -> None:
        """Note what is wrong, and wait a little; what was known of the store may no longer hold."""
        # Not exc_info: MLflow's errors name the server by its whole address.
        logger.debug("MLflow: %s", without_passwords("".join(traceback.format_exception(error))))
        self._trouble = explain(error, self._uri)
        # Once, the end of the command waits for a damaged store to be replaced.
        self._opening = self._trouble.mend == REPLACE and not self._doubted and self._mended is None
        self._doubted = self._doubted or self._trouble.mend == REPLACE
        self._forget()
        if self._closing.is_set():
            time.sleep(FIRST_WAIT / 2)
        else:
            self._closing.wait(self._wait)
        self._wait = min(2 * self._wait, LONGEST_WAIT)
