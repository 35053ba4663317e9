"""How long training took here, by the shape of what was trained: what a plan's seconds are estimated from."""

import contextlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..base.files import write_text
from ..base.plain_json import read_json
from ..data.dataset import TRAIN
from ..heads.batches import batch_size
from .point import Point

FILE = Path("work") / "rates.json"


@dataclass(frozen=True)
class Rate:
    """Sums. iterations, seconds: of blocks between points, seconds of one core. points, last, took: of blocks that end at a
    point and evaluate it: how many, their iterations, their seconds."""

    iterations: float = 0
    seconds: float = 0
    points: float = 0
    last: float = 0
    took: float = 0

    def plus(self, other: "Rate", weight: float = 1) -> "Rate":
        mine, others = asdict(self), asdict(other)
        return Rate(**{key: mine[key] * weight + others[key] for key in mine})

    def estimate(self, iterations: int, points: int) -> float:
        """Seconds of one core for so many iterations and evaluations."""
        # Short blocks have a cost of their own, those with an evaluation that one: an iteration is no dearer than in either.
        costs = ((self.seconds, self.iterations), (self.took, self.last))
        each = min((seconds / count for seconds, count in costs if count), default=0.0)
        evaluation = max(0.0, self.took - each * self.last) / self.points if self.points else 0.0
        return iterations * each + points * evaluation


class Rates:
    """What one run of the driver measures."""

    def __init__(self) -> None:
        self._found: dict[tuple[Path, str], Rate] = {}

    def note(self, point: Point, iterations: int, seconds: float, at_point: bool) -> None:
        """A block was computed; seconds: its time, times the cores that it had."""
        new = Rate(0, 0, 1, iterations, seconds) if at_point else Rate(iterations, seconds)
        key = point.settings.folder / FILE, shape(point)
        self._found[key] = self._found.get(key, Rate()).plus(new)

    def write(self) -> None:
        """Keep what was measured beside each experiment; what was measured earlier counts half."""
        for path in {path for path, _ in self._found}:
            rates = read(path)
            for (where, name), rate in self._found.items():
                if where == path:
                    rates[name] = rates.get(name, Rate()).plus(rate, 0.5)
            text = json.dumps({name: asdict(rate) for name, rate in sorted(rates.items())}, indent=1)
            # An estimate is not worth a training that ends in an error.
            with contextlib.suppress(OSError):
                write_text(path, text + "\n")


def shape(point: Point) -> str:
    """What decides how long an iteration takes."""
    settings, dataset = point.settings, point.dataset
    batch = batch_size(settings.training.batch_size, dataset.count(TRAIN))
    height, width = dataset.image_shape
    compute, model = settings.compute, settings.model
    parts = (compute.executor, compute.engine, model.dtype, f"{len(dataset.classes)} heads", f"{model.filters} filters",
             f"kernel {model.kernel_size}", f"batch {batch}", f"{height}x{width}", f"{len(dataset.images)} images")  # fmt: skip
    return ", ".join(parts)


def read(path: Path) -> dict[str, Rate]:
    """The rates of a file; none when it is missing or damaged: they are an estimate's, and measured again."""
    try:
        plain = read_json(path.read_bytes())
        rates = {str(name): Rate(**{key: float(value) for key, value in sums.items()}) for name, sums in plain.items()}
    except (OSError, ValueError, TypeError, AttributeError, OverflowError):
        return {}
    return {name: rate for name, rate in rates.items() if all(0 <= v < math.inf for v in asdict(rate).values())}


def rates_near(folder: Path) -> Mapping[str, Rate]:
    """What was measured in an experiment, and for what is not there in those beside it."""
    found: dict[str, Rate] = {}
    for path in [*sorted(folder.parent.glob(f"*/{FILE}")), folder / FILE]:
        # Where a point was only evaluated, what it took to train is another's to say.
        found |= {name: rate for name, rate in read(path).items() if rate.iterations + rate.last > 0}
    return found
