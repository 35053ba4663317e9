"""What Hydra runs for each point: in this process, or in a worker of the joblib launcher."""

import json
import logging
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from ..base import project
from ..base.console import INPUT_ERRORS, configure_logging, explain_error
from ..base.files import write_text
from ..base.stops import Killed, terminated_as_exception, undisturbed
from ..comparison.tables import short
from ..data.prepared import prepare
from ..heads.one_vs_rest import Workers
from ..records.fingerprint import trajectory
from ..records.record import Record, is_finished, read_record
from ..settings import Settings, flatten, parse
from ..tracking import log, runs
from ..tracking.store import open_store
from ..training.point import train_point
from .grid import Grid, deciding
from .progress import Board

logger = logging.getLogger(__name__)
PLAN = "plan.json"


@dataclass(frozen=True)
class Plan:
    """What the points of one run need to know of each other; a file, because workers may live in other processes."""

    points: int
    iterations: int
    waypoints: dict[str, list[int]]
    names: dict[str, str]
    parent: str | None = None

    @staticmethod
    def of(grid: Grid, parent: str | None) -> "Plan":
        """Also prepares the data of every point."""
        waypoints: dict[str, set[int]] = {}
        names, swept = {}, grid.swept()
        for point in grid.points:
            key = trajectory(point, prepare(point).digest)
            waypoints.setdefault(key, set()).add(point.training.iterations)
            names[f"{key}/{point.training.iterations}"] = point_name(point, swept)
        total = sum(max(iterations) for iterations in waypoints.values())
        ordered = {key: sorted(iterations) for key, iterations in waypoints.items()}
        return Plan(len(grid.points), total, ordered, names, parent)

    def write(self, folder: Path) -> None:
        write_text(folder / PLAN, json.dumps(asdict(self), indent=1))

    @staticmethod
    def read(folder: Path) -> "Plan":
        return Plan(**json.loads((folder / PLAN).read_text()))


def point_name(settings: Settings, swept: list[str]) -> str:
    """A point by the settings it does not share with the others, short names; by the usual three when it is alone."""
    flat = flatten(deciding(settings))
    keys = swept or ["model.kernel_size", "training.alpha", "training.iterations"]
    return " ".join(f"{short(key)}={flat[key]}" for key in keys)


def job(cfg: DictConfig) -> None:
    """Train the point of this config, unless its record is there already, and show it in MLflow.

    Never raises for a point that fails: its traceback is logged at once and noted on the board, and the others go on.
    """
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    number = int(hydra.job.num) if hydra.mode == RunMode.MULTIRUN else 0
    project.register_resolver()
    configure_logging(folder / "train.log")
    board = Board(folder / "progress")
    settings = parse(cfg)
    try:
        with terminated_as_exception():
            _run(settings, folder, number, board, alone=hydra.runtime.choices.get("hydra/launcher") != "joblib")
        board.ended(number, "done")
    except (KeyboardInterrupt, Killed):
        raise
    except (*INPUT_ERRORS, OSError) as error:
        # What a person can mend is one line; where it came from stands in the log file.
        logger.error("point %s failed: %s", " ".join(hydra.overrides.task), explain_error(error))
        logger.debug("%s", traceback.format_exc().rstrip())
        board.ended(number, "failed")
    except Exception:
        logger.error("point %s failed:\n%s", " ".join(hydra.overrides.task), traceback.format_exc().rstrip())
        board.ended(number, "failed")


def _run(settings: Settings, folder: Path, number: int, board: Board, alone: bool) -> None:
    plan = Plan.read(folder)
    dataset = prepare(settings)
    key = trajectory(settings, dataset.digest)
    name = plan.names[f"{key}/{settings.training.iterations}"]
    # When the launcher runs points side by side, every core has one already: their heads are trained one by one.
    n_jobs = settings.compute.n_jobs if alone else 1
    workers = Workers(settings.compute.engine, n_jobs, settings.compute.backend)

    def train() -> Record:
        known = is_finished(settings.folder / "points" / key / str(settings.training.iterations))
        record = read_record(
            train_point(settings, dataset, workers, plan.waypoints[key], lambda done: board.iterations(key, done))
        )
        for line in warnings_of(record):
            logger.warning("warning: point %s: %s", name, line)
        logger.info("%s", summary(f"point {number + 1}/{plan.points}  {name}", record, known))
        return record

    with undisturbed():
        store = open_store(settings.tracking, settings.name)
    if store is None:
        train()
        return
    with runs.run(store, name, plan.parent, {"point": f"{key}/{settings.training.iterations}"}) as run_id:
        record = train()
        params = flatten({k: v for k, v in asdict(settings).items() if k not in ("paths", "tracking")})
        with undisturbed():
            log.log_record(store, run_id, record, params)


def warnings_of(record: Record) -> list[str]:
    """What is wrong with the heads of a finished point, a line each."""
    found = []
    for kind, why in {
        "dead": "no pooled feature is active on any training image; another seed, or a smaller training.alpha, may help",
        "saturated": "the sigmoid is flat on all training images; a smaller training.alpha leaves it room to learn",
    }.items():
        names = [head["class"] for head in record.result["heads"] if head[kind]]
        if names:
            found.append(f"{len(names)} of {len(record.classes)} heads {kind} ({', '.join(names)}): {why}")
    return found


def summary(name: str, record: Record, known: bool) -> str:
    """One line about a finished point."""
    values = record.result["metrics"]
    shown = [key for key in ("validation_accuracy", "test_accuracy", "train_loss") if key in values]
    return "  ".join([name, *(f"{key} {values[key]:.4f}" for key in shown), *(["already computed"] if known else [])])
