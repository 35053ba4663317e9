"""What a sweep would do, before it does: which points are recorded, which go on from where, which are new; why; how long."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..records.record import FILES, is_finished
from ..records.shelf import SHELF
from ..records.states import kept_anywhere, kept_iterations
from ..training.evaluate import shown_images
from .nearest import Difference, nearest
from .point import Point, group
from .rates import rates_near, shape
from .underway import leg

RECORDED, GOING_ON, NEW = "recorded", "going on", "new"
# Bytes of a number in a csv, and of a record's other files beside its heads and losses.
CELL, OTHER, PER_HEAD, LOSS_ROWS = 20, 2500, 1100, 200


@dataclass(frozen=True)
class Step:
    """What is to be done for one point. start: the iteration that it goes on from. left: iterations to compute for it, those
    for shorter points of its trajectory not counted twice. seconds: of one core, None when nothing like it was measured."""

    point: Point
    what: str
    start: int
    left: int
    seconds: float | None
    bytes: int


@dataclass(frozen=True)
class Plan:
    """A step for each point, in the sweep's order."""

    steps: tuple[Step, ...]

    def wall(self, cores: int) -> float | None:
        """Seconds on so many cores, from what was measured before; None when some of it never was."""
        known = [step.seconds for step in self.steps if step.seconds is not None]
        return sum(known) / max(1, cores) if len(known) == len(self.steps) else None

    def first_line(self, cores: int) -> str:
        """What comes, in a line."""
        count = Counter(step.what for step in self.steps)
        parts = [f"{count[what]} {what}" for what in (RECORDED, GOING_ON, NEW) if count[what]]
        line = f"{len(self.steps)} point{'s' if len(self.steps) > 1 else ''}: {', '.join(parts)}"
        if count[RECORDED] == len(self.steps):
            return line
        wall, left = self.wall(cores), sum(step.left for step in self.steps)
        time = "how long was not measured yet" if wall is None else f"about {duration(wall)} of training"
        return f"{line}; {left} iterations, {time}, {size(sum(step.bytes for step in self.steps))}"


def plan_of(points: Sequence[Point]) -> Plan:
    """The plan of these points. Nothing is verified, moved or written."""
    steps: dict[str, Step] = {}
    folder = points[0].settings.folder
    rates, kept = rates_near(folder), kept_anywhere(folder.parent)
    for trajectory in group(points):
        last, missing = trajectory.last, list[Point]()
        rate = rates.get(shape(last))
        for point in trajectory.points:
            if is_finished(point.folder) or is_finished(_shelved(point)):
                steps[point.key] = Step(point, RECORDED, point.iterations, 0, 0.0, 0)
            else:
                missing.append(point)
        there = kept_iterations(last.settings, last.trajectory) if last.trajectory in kept else []
        while missing:
            # As the driver does: one training, until a state that is kept is further on.
            start, count = leg(missing, there)
            at = start
            for point in missing[:count]:
                left = point.iterations - at
                seconds = rate.estimate(left, 1) if rate else None
                steps[point.key] = Step(point, GOING_ON if start else NEW, start, left, seconds, record_bytes(point))
                at = point.iterations
            missing = missing[count:]
    return Plan(tuple(steps[key] for key in dict.fromkeys(point.key for point in points)))


def reasons(plan: Plan) -> list[tuple[str, tuple[Difference, ...]]]:
    """For each step why it is what it is: in words, and as what differs from the nearest recorded trajectory."""
    folder = plan.steps[0].point.settings.folder
    new = [step for step in plan.steps if step.what == NEW]
    near = dict(zip((step.point.key for step in new), nearest(folder, [step.point for step in new]), strict=True))
    return [_reason(step, *near.get(step.point.key, ("", ()))) for step in plan.steps]


def _reason(step: Step, name: str, differ: tuple[Difference, ...]) -> tuple[str, tuple[Difference, ...]]:
    if step.what == RECORDED:
        return "" if is_finished(step.point.folder) else "on the shelf", ()
    if step.point.folder.is_dir():
        lacking = [file for file in FILES if not (step.point.folder / file).is_file()]
        return f"its record lacks {', '.join(lacking)}", ()
    if step.what == GOING_ON:
        return f"its trajectory has reached {step.start}", ()
    return (f"{', '.join(map(str, differ))} (nearest: {name})", differ) if differ else ("nothing is recorded here yet", ())


def record_bytes(point: Point) -> int:
    """About how large a point's record will be."""
    heads, images = len(point.dataset.classes), len(shown_images(point.dataset))
    height, width = point.dataset.image_shape
    model = point.settings.model
    number = 4 if model.dtype == "float32" else 8
    parameters = model.filters * ((model.kernel_size or 5) ** 2 + (height // 2) * (width // 2) + 1) + 1
    losses = heads * (8 * point.iterations + CELL * min(LOSS_ROWS, point.iterations))
    return OTHER + losses + images * (heads * CELL + 8) + heads * (parameters * number + PER_HEAD + 4 * 250)


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def size(count: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _shelved(point: Point) -> Path:
    return point.settings.folder / SHELF / point.trajectory / str(point.iterations)
