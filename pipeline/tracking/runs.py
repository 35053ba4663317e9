"""The runs of a store: which one is a point's, which one is the sweep's, and what became of those whose owner died.

A point has one run in an experiment, found by its tag `point`, whatever was killed, repeated or extended: a finished one is
left as it is, one that did not get so far is gone on with. A sweep has one parent run, found by its tag `sweep`. A point
that several sweeps have hangs under the one that asked for it last, and has a tag `sweep.<key>` for each of them: by that
tag a sweep's view shows all its points. What commands make twice on one server is made one again (see twins.py).
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

from ..records.times import Times, note
from ..sweep.point import Point
from . import owner
from .glance import is_unknown
from .keys import clean, run_name
from .lease import OWNER, Lease, read_times
from .machine import Monitor
from .run import Run
from .store import Store, alone
from .sweeps import SweepView, key_of, mark
from .twins import drop_models, keep_one

PARENT = "mlflow.parentRunId"
POINT, SWEEP, ERROR = "point", "sweep", "error"
FINISHED, FAILED, KILLED, RUNNING = "FINISHED", "FAILED", "KILLED", "RUNNING"
PAGE = 1000
PARENT_TRIES, PARENT_WAIT = 6, 0.5


@dataclass(frozen=True)
class Conclusion:
    """What a sweep came to. folder: its experiment's. points: the keys of its points. command: what was typed. ended: when, if
    that is known already, in milliseconds."""

    folder: Path
    points: tuple[str, ...]
    command: str
    ended: int | None = None


class Runs:
    """The runs of an experiment as one sweep sees them, or one point alone (`sweep` None).

    lease: says that the runs' owner lives. began: when the sweep did, in milliseconds, if it is told of afterwards.
    """

    def __init__(
        self, store: Store, sweep: SweepView | None, lease: Lease, system_metrics: bool = False, began: int | None = None
    ) -> None:
        self.store, self.sweep, self.lease, self._sweep_began = store, sweep, lease, began
        self._monitor = Monitor(store.uri) if system_metrics else None
        self._points: dict[str, Run] = {}
        # Up to which iteration a point's curves are in the store, by its key, as far as that was asked.
        self.curved: dict[str, int] = {}
        # When the points of each experiment's folder began and ended.
        self._times: dict[Path, Times] = {}
        self.came_to: Conclusion | None = None
        self.parent: Run | None = None
        lease.take(store)
        # A sweep's jobs need not ask again what the sweep has asked.
        if sweep is None or sweep.whole:
            self._reap()
        self._load()
        if sweep is not None:
            self.parent = self._open_parent(sweep)
            if sweep.whole:
                self.describe(self.parent)

    def apart(self) -> "Runs":
        """The same runs for points that are none of this sweep's."""
        other = copy(self)
        other.sweep = other.parent = None
        return other

    def open(self, point: Point, tags: dict[str, str]) -> Run:
        """The point's run, RUNNING and owned by this process, new or gone on with; one that is FINISHED stays so."""
        known = self._points.get(point.key)
        if known is None or not self._is_settled(known):
            with alone(self.store):
                self._find_or_make(point, tags)
        else:
            self._adopt(point, known)
        return self._points[point.key]

    def is_finished(self, key: str) -> bool:
        """Whether the store holds the point's run, finished."""
        if key not in self._points and not is_unknown(self.store.uri, key):
            self._points |= self._of_points(_of_point(key))
        return key in self._points and self._points[key].status == FINISHED

    def describe(self, run: Run) -> None:
        """What goes once with a command's own run, the sweep's or that of a point alone: the diff of a changed checkout, and
        what the machine does, if that was asked for."""
        diff = owner.diff()
        if diff:
            self.store.client.log_text(run.run_id, diff, "git.diff")
        if self._monitor is not None:
            self._monitor.watch(run.run_id)

    def renew(self) -> None:
        """Go on holding the lease. Runs that others closed, because it had run out, go on."""
        if self.lease.renew(self.store):
            for run in list(self._search(f"tags.`{OWNER}` = '{self.lease.owner}'")):
                if run.status == KILLED:
                    self.store.client.update_run(run.run_id, status=RUNNING)

    def stop_watching(self) -> None:
        """No more of what the machine does."""
        if self._monitor is not None:
            self._monitor.stop()

    def look_again(self) -> None:
        """Read anew which runs there are: another command may have deleted some of those that this one knew (see twins.py)."""
        before, self._points = self._points, {}
        self.curved.clear()
        self._load()
        for key in before.keys() - self._points.keys():
            self._points |= self._of_points(_of_point(key))
        for key, run in before.items():
            if key not in self._points or self._points[key].run_id != run.run_id:
                # Made since the run was deleted.
                drop_models(self.store, run.run_id)
        if self.sweep is not None and self.parent is not None:
            parent = self._find_parent(self.sweep)
            same = parent is not None and parent.run_id == self.parent.run_id
            self.parent = parent if same else self._open_parent(self.sweep)

    def is_at_work(self, sweep: SweepView) -> bool:
        """Whether somebody runs this sweep now: the runs of the dead are closed by now."""
        found = self._find_parent(sweep)
        return found is not None and found.status == RUNNING

    def hold(self, key: str, params: Iterable[str]) -> None:
        """Remember that a point's run has these parameters."""
        run = self._points[key]
        self._points[key] = replace(run, params=run.params | frozenset(params))

    def keep_model(self, key: str, model: str) -> None:
        """Remember the model of a point's run."""
        self._points[key] = replace(self._points[key], model=model)

    def end(self, point: Point, status: str) -> None:
        """Close a point's run; a finished one at the time when its record was written."""
        run = self._points[point.key]
        ended = self._times_of(point).ended(point.key) if status == FINISHED else None
        self.store.client.set_terminated(run.run_id, status, ended)
        self._points[point.key] = replace(run, status=status)

    def close(self, status: str) -> None:
        """Close the parent with this status, and as KILLED the runs of this owner that did not come to an end."""
        self.stop_watching()
        for run in list(self._search(f"attributes.status = '{RUNNING}'")):
            if POINT in run.tags and self.lease.is_mine(run.tags):
                self.store.client.set_terminated(run.run_id, KILLED)
        if self.parent is not None and self.sweep is not None and self.sweep.whole:
            now = int(time.time() * 1000)
            ended = self.came_to.ended or now if self.came_to else now
            self.store.client.set_terminated(self.parent.run_id, status, ended)
            if self.came_to is not None and not self.came_to.ended:
                self._note_sweep(self.sweep, self.came_to, {"status": status, "began": self.parent.began, "ended": ended})
        self.lease.release(self.store)

    def _note_sweep(self, sweep: SweepView, came_to: "Conclusion", how: dict[str, object]) -> None:
        """What `ovrcnn track` tells another store of this sweep."""
        known = {"sweep": sweep.key, "count": sweep.points, "swept": list(sweep.swept)}
        points = key_of(came_to.points)
        # A line is short, but for the first one of these points.
        keys = {} if (Times(came_to.folder).sweep(points) or {}) else {"keys": list(came_to.points)}
        note(came_to.folder, {**known, "points": points, "command": came_to.command, **how, **keys})

    def _times_of(self, point: Point) -> Times:
        return self._times.setdefault(point.settings.folder, Times(point.settings.folder))

    @staticmethod
    def renewed(run: Run) -> Run:
        """The run as if it began now: of two values of a metric at one step, MLflow shows the one with the later time."""
        return replace(run, began=int(time.time() * 1000))

    def _reap(self) -> None:
        """Close the runs of dead owners, in all experiments of the store."""
        experiments = list(self.store.client.search_experiments())
        times = read_times(experiments)
        for run in list(self._search(f"attributes.status = '{RUNNING}'", [each.experiment_id for each in experiments])):
            # Asked once more: it may have ended its run, and then itself, since we looked; the dead write no more.
            if self.lease.is_dead(run.tags, times) and self.store.client.get_run(run.run_id).info.status == RUNNING:
                self.store.client.set_terminated(run.run_id, KILLED)
        self.lease.clean_up(self.store, experiments, times)

    def _load(self) -> None:
        """Read what the store has of this sweep, a page at a time; the store is asked for other points one by one."""
        if self.sweep is None:
            return
        self._points |= self._of_points(self.sweep.condition)

    def _of_points(self, condition: str) -> dict[str, Run]:
        """By its key, the run of each point that meets a condition."""
        found: dict[str, list[Run]] = {}
        for run in self._search(condition):
            if POINT in run.tags:
                found.setdefault(run.tags[POINT], []).append(run)
        return {key: kept for key, runs in found.items() if (kept := keep_one(self.store, runs))}

    def _find_or_make(self, point: Point, tags: dict[str, str]) -> None:
        """Ask the store, since others may work on the point, too; then make its run, or take over the one that is there."""
        self._points.pop(point.key, None)
        if not is_unknown(self.store.uri, point.key):
            self._points |= self._of_points(_of_point(point.key))
        if point.key not in self._points:
            made = {**self.lease.tags(), **tags, POINT: point.key, **self._membership()}
            run = self._create(run_name(point.name), made, self._times_of(point).began(point.key))
            self._points[point.key] = run
            if not self.store.is_local:
                self._points |= self._of_points(_of_point(point.key))
            if self._points[point.key].run_id == run.run_id:
                return
        found = self._points[point.key]
        if self._is_settled(found):
            self._adopt(point, found)
        else:
            self._points[point.key] = self._go_on(found, run_name(point.name), {**tags, **self._membership()})

    def _adopt(self, point: Point, run: Run) -> None:
        """Hang a run under this sweep, if it is another's so far. A point alone leaves it where it is."""
        wanted = self._membership()
        if all(run.tags.get(name) == value for name, value in wanted.items()):
            return
        self._set_tags(run.run_id, wanted)
        name = run_name(point.name)
        if run.name != name:
            self.store.client.update_run(run.run_id, name=name)
        self._points[point.key] = replace(run, name=name, tags={**run.tags, **wanted})

    def _open_parent(self, sweep: SweepView) -> Run:
        """The sweep's own run, RUNNING: the one that it had before, if any."""
        tags = {SWEEP: sweep.key, "swept": ", ".join(sweep.swept)}
        # Jobs begin together with the sweep's process, which makes the run; one that is far away may have to do it itself.
        for _ in range(0 if sweep.whole else PARENT_TRIES):
            if self._find_parent(sweep) is not None:
                break
            time.sleep(PARENT_WAIT)
        with alone(self.store):
            found = self._find_parent(sweep)
            if found is None:
                made = self._create(sweep.name, {**self.lease.tags(), **tags}, self._sweep_began)
                found = made if self.store.is_local else self._find_parent(sweep)
                if found is None or found.run_id == made.run_id:
                    return made
        return self._go_on(found, sweep.name, tags) if sweep.whole else found

    def _find_parent(self, sweep: SweepView) -> Run | None:
        return keep_one(self.store, [run for run in self._search(f"tags.`{SWEEP}` = '{sweep.key}'") if PARENT not in run.tags])

    def _membership(self) -> dict[str, str]:
        if self.sweep is None or self.parent is None:
            return {}
        return {PARENT: self.parent.run_id, mark(self.sweep.key): "yes"}

    def _create(self, name: str, tags: dict[str, str], began: int | None) -> Run:
        plain = {key: clean(value) for key, value in tags.items()}
        made = self.store.client.create_run(self.store.experiment_id, began, plain, clean(name))
        return replace(Run.read(made), fresh=self.store.is_local)

    def _go_on(self, run: Run, name: str, tags: dict[str, str]) -> Run:
        tags = {**self.lease.tags(), **tags}
        self._set_tags(run.run_id, tags)
        if ERROR in run.tags:
            self.store.client.delete_tag(run.run_id, ERROR)
        self.store.client.update_run(run.run_id, status=RUNNING, name=clean(name))
        held = {key: value for key, value in run.tags.items() if key != ERROR}
        return replace(run, name=name, status=RUNNING, fresh=False, tags={**held, **tags})

    def _set_tags(self, run_id: str, tags: dict[str, str]) -> None:
        from mlflow.entities import RunTag

        self.store.client.log_batch(run_id, tags=[RunTag(key, clean(value)) for key, value in tags.items()])

    def _search(self, condition: str, experiments: Sequence[str] = ()) -> Iterator[Run]:
        """All runs of this experiment, or of those named, that meet a condition, newest first; MLflow gives them in pages."""
        asked = list(experiments) or [self.store.experiment_id]
        token: str | None = None
        while True:
            page = self.store.client.search_runs(asked, condition, max_results=PAGE, page_token=token)
            yield from map(Run.read, page)
            token = page.token
            if not token:
                return

    def _is_settled(self, run: Run) -> bool:
        """Whether no one else will write into the run."""
        return run.status == FINISHED or (run.status == RUNNING and self.lease.is_mine(run.tags))


def _of_point(key: str) -> str:
    return f"tags.`{POINT}` = '{key}'"
