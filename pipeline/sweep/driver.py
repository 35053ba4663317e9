"""The driver: gives out blocks of trajectories to workers, takes what they return, and keeps it.

Workers compute and write nothing; only the driver writes. A trajectory is computed once: points on its way are written as it
passes them, and it goes on from wherever anything of it was kept. None of this changes a bit of any result.
"""

import errno
import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..base.errors import FileError, FullDiskError, LostWorkerError
from ..records.record import Record, is_finished, read_record, write_record
from ..records.shelf import set_damaged_aside
from ..records.times import note
from ..training.block import Task, Trained, train_block
from .locks import Locks
from .point import Observer, Point, Trajectory, group
from .pool import Pool, share_cores
from .rates import Rates
from .underway import Training
from .warm import Compiled

log = logging.getLogger(__name__)

# How much work a kill can lose.
CHECKPOINT_SECONDS = 5.0
# Trajectories that another process trains are looked at again after so long.
LOCKED_SECONDS = 0.1
# A block whose workers died so often will not be given out again.
MOST_LOST = 5
# What a disk answers that takes nothing more, whatever point it is of.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class Outcome:
    """How many points have a record, and how many failed."""

    done: int
    failed: int


def drive(points: Sequence[Point], pool: Pool, observer: Observer) -> Outcome:
    """Make sure that every point has its record, or has failed. A stop leaves all that was computed on disk.
    FullDiskError when that takes no more."""
    driver = Driver(pool, observer)
    try:
        driver.run(group(points))
    finally:
        driver.close()
    return Outcome(driver.done, driver.failed)


class Driver:
    """One run of `drive`."""

    def __init__(self, pool: Pool, observer: Observer) -> None:
        self.done = self.failed = self._points = 0
        self._is_full = False
        self._pool, self._observer = pool, observer
        self._locks = Locks()
        self._executor: Executor | None = None
        self._told: set[str] = set()
        self._rates = Rates()
        # By trajectory.
        self._active: dict[str, Training] = {}
        self._compiled = Compiled([])
        self._queue: deque[Trajectory] = deque()
        self._running: dict[Future[Trained], tuple[Training, Executor]] = {}

    def run(self, trajectories: Sequence[Trajectory]) -> None:
        """Until every trajectory has ended. FullDiskError when the disk takes no more."""
        self._points = sum(len(trajectory.points) for trajectory in trajectories)
        for trajectory in trajectories:
            if self._missing(trajectory):
                self._queue.append(trajectory)
        if not self._queue:
            return
        if self._pool.compiles_here:
            self._compiled = Compiled([point for trajectory in self._queue for point in trajectory.points])
        self._say_what_runs()
        while self._queue or self._running:
            waiting = self._fill()
            futures: set[Future[Any]] = {*self._running, *self._compiled.pending}
            if not futures:
                time.sleep(LOCKED_SECONDS)
                continue
            done, _ = wait(futures, LOCKED_SECONDS if waiting else None, FIRST_COMPLETED)
            for future in done:
                if future in self._compiled.pending:
                    self._compiled.take(future)
                else:
                    self._take(future)

    def close(self) -> None:
        """Keep what was computed, and end the workers without waiting for them."""
        for training in self._active.values():
            if training.wanted:
                self._save(training)
        self._locks.close()
        self._rates.write()
        for future in self._running:
            future.cancel()
        self._compiled.close()
        if self._executor:
            self._executor.shutdown(wait=False)
        self._pool.close()

    def _save(self, training: Training) -> None:
        """Keep how far a trajectory has come that ends early. That the disk takes no more is said once."""
        point = training.wanted[0]
        try:
            training.save(point)
        except OSError as error:
            level = logging.DEBUG if self._is_full else logging.WARNING
            log.log(level, "%s: its last iterations are not kept (%s)", point.name, error.strerror)

    def _say_what_runs(self) -> None:
        many, heads = share_cores(len(self._queue), self._pool.cores(), self._pool.split)
        shared = f", the heads of each on {heads} cores" if heads > 1 else ""
        count = "1 trajectory" if len(self._queue) == 1 else f"{len(self._queue)} trajectories"
        level = logging.INFO if sum(len(trajectory.points) for trajectory in self._queue) > 1 else logging.DEBUG
        log.log(level, "training %s on %s: %s at a time%s", count, self._pool.what, many, shared)

    def _missing(self, trajectory: Trajectory) -> list[Point]:
        """The points without a record, fewest iterations first; the observer is told of the others, once."""
        missing = []
        for point in trajectory.points:
            record = None if point.key in self._told else self._record(point)
            if record:
                self._finished(point, record, known=True)
            elif point.key not in self._told:
                missing.append(point)
        return missing

    def _record(self, point: Point) -> Record | None:
        if not is_finished(point.folder):
            return None
        try:
            record = read_record(point.folder)
            record.check(point.trajectory, point.iterations)
            return record
        except FileError as error:
            set_damaged_aside(point.folder, error)
            return None

    def _fill(self) -> bool:
        """Start trajectories while there is room, and one more than that, so that no worker waits while the driver writes;
        whether one waits for another process."""
        room = self._pool.cores() + 1 - len(self._running)
        waiting = False
        for _ in range(len(self._queue)):
            if room <= 0:
                break
            trajectory = self._queue.popleft()
            last = trajectory.last
            if self._pool.compiles_here and not self._compiled.is_ready(last):
                self._queue.append(trajectory)
            elif not self._locks.take(last.settings.folder, last.trajectory):
                waiting = True
                self._queue.append(trajectory)
            else:
                room -= self._start(trajectory)
        return waiting

    def _start(self, trajectory: Trajectory) -> int:
        """Give out a trajectory's first block; how many were given out: none when another process has just ended it."""
        wanted = self._missing(trajectory)
        if not wanted:
            self._locks.release(trajectory.last.settings.folder, trajectory.last.trajectory)
            return 0
        training = self._active[wanted[0].trajectory] = Training.begin(wanted)
        for point in training.wanted:
            _note(point, "began")
            self._observer.started(point)
        self._submit(training)
        return 1

    def _submit(self, training: Training) -> None:
        """Give out the next block."""
        point = training.wanted[0]
        last = min(point.iterations, training.iteration + training.length)
        active = len(self._queue) + len(self._running) + 1
        _, training.cores = share_cores(active, self._pool.cores(), self._pool.split)
        task = Task(point.settings, training.heads, training.iteration, last, last == point.iterations, training.cores)
        self._executor = self._executor or self._pool.make()
        try:
            future = self._executor.submit(train_block, task, self._pool.share(point))
        except BrokenExecutor:
            self._executor = self._pool.make()
            future = self._executor.submit(train_block, task, self._pool.share(point))
        self._running[future] = training, self._executor

    def _take(self, future: Future[Trained]) -> None:
        """Keep what a block gave, and give out the next one."""
        training, executor = self._running.pop(future)
        try:
            trained = future.result()
        except self._pool.lost as error:
            self._give_out_again(training, executor, error)
            return
        except Exception as error:
            self._fail(training, error)
            return
        self._rates.note(training.wanted[0], len(trained.losses), trained.seconds * training.cores, trained.point is not None)
        training.take(trained, self._pool.seconds)
        try:
            self._keep(training, trained)
        except OSError as error:
            if error.errno in FULL:
                raise self._full(training.wanted[0], error) from error
            self._fail(training, error)
            return
        if training.wanted:
            self._submit(training)

    def _keep(self, training: Training, trained: Trained) -> None:
        """A point's record at once, else a checkpoint when it is due."""
        point = training.wanted[0]
        if trained.point:
            write_record(point.folder, point.settings, trained.point, training.all_losses(), trained.heads)
            _note(point, "ended")
            training.wanted.pop(0)
            self._finished(point, Record(point.folder, trained.point[0], point.trajectory), known=False)
        if not training.wanted:
            # Its record is on disk: what is kept beside it spares later points some work, and can be lost.
            with suppress(OSError):
                training.save(point, durable=False)
            self._end(point)
            if training.later:
                self._queue.append(Trajectory(training.later))
            return
        self._observer.advanced(training.wanted, training.iteration, training.all_losses)
        if time.monotonic() - training.saved > CHECKPOINT_SECONDS:
            training.save(point)

    def _finished(self, point: Point, record: Record, known: bool) -> None:
        self.done += 1
        self._told.add(point.key)
        self._observer.finished(point, record, known)

    def _give_out_again(self, training: Training, executor: Executor, error: BaseException) -> None:
        """A worker died: its block is all that is lost."""
        if executor is self._executor and isinstance(error, BrokenExecutor):
            executor.shutdown(wait=False)
            self._executor = None
        training.lost += 1
        if training.lost > MOST_LOST:
            name = training.wanted[0].name
            text = f"{name}: its workers died {training.lost} times; is there enough memory, and are their packages the same?"
            self._fail(training, LostWorkerError(text))
            return
        log.warning("a worker died; its block of %s is given out again", training.wanted[0].name)
        self._submit(training)

    def _full(self, point: Point, error: OSError) -> FullDiskError:
        """The end: what else was trained would be lost like this."""
        self._is_full = True
        kept = f"{self.done} of {self._points} points are recorded, the same command goes on with the rest when there is room"
        return FullDiskError(f"{point.settings.folder}: {error.strerror}", kept)

    def _fail(self, training: Training, error: Exception) -> None:
        if isinstance(error, LostWorkerError):
            # What was computed before is good, and the next run goes on from it.
            self._save(training)
        for point in (*training.wanted, *training.later):
            self.failed += 1
            self._observer.failed(point, error)
        self._end(training.wanted[0])

    def _end(self, point: Point) -> None:
        del self._active[point.trajectory]
        self._locks.release(point.settings.folder, point.trajectory)


def _note(point: Point, what: str) -> None:
    note(point.settings.folder, {"point": point.key, what: int(time.time() * 1000)})
