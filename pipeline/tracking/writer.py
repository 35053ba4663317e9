"""The thread that writes a sweep's events into MLflow, again and again where that fails.

A tracker puts events in, and looks at how far it is. All else is the thread's: it imports MLflow, opens the store, tries, waits
and tries again, and begins anew when the store was replaced.
"""

import contextlib
import logging
import queue
import threading
import time
import traceback
from collections import Counter, deque
from pathlib import Path

from ..base.errors import MendableError
from ..settings import TrackingSettings
from .events import Compared, Curve, Ended, Event, Failed, Finished, Known, Started
from .glance import settled
from .known import Mended
from .lease import RENEW_SECONDS, Lease
from .runs import FINISHED, KILLED, Runs
from .store import Store, close_store, load_mlflow, open_store, resolved, store_uri
from .sweeps import SweepView
from .trouble import REPLACE, Trouble, explain, without_passwords
from .twins import is_gone

logger = logging.getLogger(__name__)

# After a failure the thread waits, longer each time.
FIRST_WAIT, LONGEST_WAIT = 0.5, 5.0
# An event that fails so often, in a store that can be opened, is left to the next command.
MOST_TRIES = 4


class Writer:
    """Takes events and writes them. SettingsError for an address that can be no store's. folder: see Tracker.

    The public methods are the tracker's, in its caller's thread; the public attributes it may look at, and only the writer's
    own thread changes them. written: how many events it is done with. drawn: how many of them were curves, by trajectory.
    opening: MLflow is being imported, or a database made. done: the last event, `Ended`, is written. trouble: what keeps it
    from writing now. lost: why an event was given up. mended: what was done to a damaged store.
    """

    def __init__(self, tracking: TrackingSettings, experiment: str, sweep: SweepView | None, folder: Path | None) -> None:
        self.tracking, self.uri = resolved(tracking), store_uri(tracking)
        self.written, self.opening, self.done = 0, True, False
        self.drawn: Counter[str] = Counter()
        self.trouble: Trouble | None = None
        self.lost: Trouble | None = None
        self.mended: Mended | None = None
        # Between the threads.
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._closing, self._given_up = threading.Event(), threading.Event()
        self._lease = Lease(self.uri, folder)
        # Of the thread alone.
        self._experiment, self._sweep, self._folder = experiment, sweep, folder
        self._waiting: deque[Event] = deque()
        self._runs: Runs | None = None
        self._ended: dict[str, Event] = {}
        self._over: set[str] = set()
        # Whether others may have deleted runs since we looked (see twins.py); whether we looked a last time.
        self._unsure, self._looked = False, self.tracking.store == "sqlite"
        self._tries: Counter[int] = Counter()
        self._doubted = False
        self._wait = FIRST_WAIT
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def put(self, event: Event) -> None:
        """One more event to be written."""
        self._queue.put(event)

    def close(self, status: str) -> None:
        """No more events: the command ends as FINISHED, FAILED or KILLED."""
        self._queue.put(Ended(status))
        self._closing.set()

    def give_up(self) -> None:
        """Nobody waits for the thread any longer."""
        self._given_up.set()
        # What is still RUNNING stays so until the next command, which must not take it for a living one's.
        self._lease.let_go()

    def is_alive(self) -> bool:
        """Whether the thread is still at work."""
        return self._thread.is_alive()

    def join(self, seconds: float) -> None:
        """Wait for the thread's end, so long at most."""
        self._thread.join(seconds)

    def pending(self) -> int:
        """How many events are not yet written."""
        return self._queue.qsize() + len(self._waiting)

    def logged(self) -> set[str]:
        """Keys of the points whose end is written."""
        return set(self._ended.copy())

    def _work(self) -> None:
        """The thread: write events until the last one, `Ended`, is written, or nobody waits for them any more."""
        try:
            if self._has_nothing_to_say():
                self.done = True
                return
            self._load()
            while not self.done and not self._given_up.is_set():
                event = self._next()
                if event is not None:
                    self._try(event)
        except BaseException as error:
            # Also what is no Exception: a thread's traceback would go to the terminal.
            self._failed(error)

    def _has_nothing_to_say(self) -> bool:
        """Whether the store holds a whole sweep, and all that is told of it is known there: then MLflow need not be imported.
        Else what was told so far waits to be written."""
        said = settled(self.tracking, self._experiment, self._sweep)
        while said is not None:
            event = self._queue.get()
            if isinstance(event, Ended) and event.status == FINISHED:
                return True
            self._take(event)
            known = isinstance(event, Finished) and event.known
            if not (known or (isinstance(event, Compared) and event.digest() == said)):
                break
        return False

    def _load(self) -> None:
        load_mlflow()
        # A server is waited for no longer than for its answers; a database may have to be made first.
        self.opening = self.tracking.store == "sqlite"

    def _take(self, event: Event) -> None:
        self._waiting.append(event)
        if isinstance(event, (Finished, Failed)):
            self._over.add(event.point.key)

    def _next(self) -> Event | None:
        """The next event that is worth writing, if any; the thread sleeps until there is one."""
        while not (self._waiting and self._queue.empty()):
            try:
                event = self._queue.get(timeout=RENEW_SECONDS)
            except queue.Empty:
                self._renew()
                continue
            self._take(event)
        event = self._waiting[0]
        if isinstance(event, Ended) and len(self._waiting) > 1:
            self._waiting.rotate(-1)
            return None
        other = self.mended.next(self._over) if self.mended and isinstance(event, Ended) and event.status != KILLED else None
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
                self._runs = Runs(self._opened(), self._sweep, self._lease, self.tracking.system_metrics)
            elif self._unsure or last:
                self._runs.look_again()
            self.opening = self._unsure = False
            self._runs.renew()
        except Exception as error:
            self._failed(error)
            return
        if self._waiting[0] is not event:
            # A new store is told first what an earlier one held.
            return
        if last:
            # What is there costs nothing to be told again.
            self._looked = True
            self._waiting.extendleft(reversed(self._ended.values()))
            return
        try:
            event.write(self._runs)
        except Exception as error:
            self._not_written(event, error)
        else:
            self._drop(event)
            self.trouble, self._wait = None, FIRST_WAIT

    def _not_written(self, event: Event, error: Exception) -> None:
        """The event is tried again, after the others, or given up."""
        self._unsure = is_gone(error)
        if self._unsure:
            return
        self._tries[id(event)] += 1
        if isinstance(error, MendableError) or self._tries[id(event)] >= MOST_TRIES:
            # A damaged record, or what this store will not take: it must not keep the others from being logged.
            self._drop(event, written=False)
            # The end of a point says again what its start and its curves said.
            if not isinstance(event, (Started, Curve)):
                self.lost = explain(error, self.uri)
        else:
            # Others may fare better.
            self._waiting.rotate(-1)
        if not isinstance(error, MendableError):
            self._failed(error)

    def _opened(self) -> Store:
        store = open_store(self.tracking, self._experiment, self._doubted)
        if store.mended:
            self.mended, self._doubted = Mended(store.mended, store.is_new, self._folder, self.tracking), False
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
        self.written += 1
        if isinstance(event, Curve):
            self.drawn[event.points[0].trajectory] += 1
        elif written and isinstance(event, (Finished, Failed, Compared)):
            self._ended["" if isinstance(event, Compared) else event.point.key] = event
        self.done = isinstance(event, Ended)

    def _forget(self) -> None:
        if self._runs is not None:
            self._runs.stop_watching()
        self._runs = None
        with contextlib.suppress(Exception):
            close_store(self.uri)

    def _start_again(self) -> None:
        """The database was deleted or replaced: all that was written went with it, and one is made anew."""
        self._forget()
        self.opening = self.tracking.store == "sqlite"
        self._tell_again()

    def _tell_again(self) -> None:
        self._waiting.extendleft(reversed(self._ended.values()))
        self._ended.clear()

    def _failed(self, error: BaseException) -> None:
        """Note what is wrong, and wait a little; what was known of the store may no longer hold."""
        # Not exc_info: MLflow's errors name the server by its whole address.
        logger.debug("MLflow: %s", without_passwords("".join(traceback.format_exception(error))))
        self.trouble = explain(error, self.uri)
        # Once, the end of the command waits for a damaged store to be replaced.
        self.opening = self.trouble.mend == REPLACE and not self._doubted and self.mended is None
        self._doubted = self._doubted or self.trouble.mend == REPLACE
        self._forget()
        if self._closing.is_set():
            time.sleep(FIRST_WAIT / 2)
        else:
            self._closing.wait(self._wait)
        self._wait = min(2 * self._wait, LONGEST_WAIT)
