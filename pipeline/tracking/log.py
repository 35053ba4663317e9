"""Fill a run from a record: parameters, loss curves, final metrics, data, y-hat table, files and a picture.

Whatever is logged twice stays one row, so that a run can be gone on with from anywhere: timestamps follow from the run's
start and the step, and curves have the same steps while a point is trained and when it is done.
"""

import math
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..base.text import in_markdown
from ..data.dataset import SPLITS, TRAIN
from ..records.provenance import PROVENANCE
from ..records.record import FILES, Record, recorded
from ..settings import Settings, flatten
from ..sweep.point import Point
from . import table
from .curves import Row, curve_rows
from .datasets import inputs
from .keys import class_keys, clean
from .run import Run
from .store import Store
from .view import LOG_ALPHA, NOTE, SHOWN

RECALL = "_recall"
# MLflow takes at most 1000 rows in one batch, 100 of them parameters.
BATCH = 900


def log_record(store: Store, run: Run, point: Point, record: Record, curved: int) -> None:
    """Log everything that a finished point has to say. curved: up to which iteration its curves are there already."""
    # Imported here: drawing is needed by nobody who only starts.
    from . import pictures

    rows = [*_final_rows(record), *curve_rows(record.losses, record.classes, point.iterations, curved)]
    log_rows(store, run, rows, _missing_params(run, point.settings), {NOTE: _note(point, record), **dict([pictures.TAG])})
    store.client.log_inputs(run.run_id, inputs(point.settings, record))
    files = {f"record/{name}": record.folder / name for name in (*FILES, PROVENANCE)}
    log_files(store, run, files, {**table.tables(record), **pictures.pictures(record, run.began)})


def log_rows(
    store: Store, run: Run, rows: Sequence[Row], params: Mapping[str, str] | None = None, tags: Mapping[str, str] | None = None
) -> None:
    """Log metrics, and with the first batch parameters and tags."""
    from mlflow.entities import Metric, Param, RunTag

    metrics = [Metric(key, value, run.began + step, step) for key, value, step in rows]
    held = [Param(key, value) for key, value in (params or {}).items()]
    marks = [RunTag(key, value) for key, value in (tags or {}).items()]
    for first in range(0, max(len(metrics), 1), BATCH):
        part = metrics[first : first + BATCH]
        store.client.log_batch(run.run_id, metrics=part, params=[] if first else held, tags=[] if first else marks)


def log_params(store: Store, run: Run, settings: Settings) -> list[str]:
    """Log the settings of a point that has no record yet; the names of those that the run had not."""
    params = _missing_params(run, settings)
    if params:
        log_rows(store, run, [], params)
    return list(params)


def log_files(store: Store, run: Run, files: Mapping[str, Path], contents: Mapping[str, bytes]) -> None:
    """Attach files to a run, by their names in MLflow; those that are missing are left out."""
    attach(run.artifacts, partial(store.client.log_artifacts, run.run_id), files, contents)


def attach(place: str, send: Callable[[str], object], files: Mapping[str, Path], contents: Mapping[str, bytes]) -> None:
    """Put files where artifacts lie, or hand a folder of them to `send`, which takes them there."""
    if place.startswith("file:"):
        # What MLflow would do with a local folder, without copying all to a temporary one first.
        _copy_files(Path(url2pathname(urlsplit(place).path)), files, contents)
        return
    with tempfile.TemporaryDirectory() as folder:
        _copy_files(Path(folder), files, contents)
        send(folder)


def _copy_files(folder: Path, files: Mapping[str, Path], contents: Mapping[str, bytes]) -> None:
    for place in {(folder / name).parent for name in (*files, *contents)}:
        place.mkdir(parents=True, exist_ok=True)
    for name, path in files.items():
        if path.is_file():
            shutil.copyfile(path, folder / name)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def _final_rows(record: Record) -> list[Row]:
    """Final values at step 0: MLflow's pages draw a bar then, and for a single late step a curve of one dot."""
    rows: list[Row] = [(key, value, 0) for key, value in record.result.metrics.items()]
    if len(record.classes) >= table.MANY:
        return rows
    for key, head in zip(class_keys(record.classes), record.result.heads, strict=True):
        # A head's losses are in its curve, and in the record.
        values = [(name, value) for name, value in head.items() if name.endswith(RECALL) and value is not None]
        # How it does on images that it was trained on says little, if there are others.
        fresh = [(name, value) for name, value in values if not name.startswith(SPLITS[TRAIN])]
        # Groups of charts are sorted by name; these come after the losses.
        rows += [(f"{name}/{key}", value, 0) for name, value in fresh or values]
    return rows


def _missing_params(run: Run, settings: Settings) -> dict[str, str]:
    """What decides the point's numbers, by dotted names; without what the run has: MLflow refuses to change a parameter."""
    flat: dict[str, Any] = flatten(recorded(settings)) | {LOG_ALPHA: f"{math.log10(settings.training.alpha):.6g}"}
    return {key: clean(value) for key, value in flat.items() if key not in run.params}


def _note(point: Point, record: Record) -> str:
    """What the pages show first of a run: how good it is, what it is, where its files lie."""
    metrics, (criterion, _) = record.result.metrics, record.result.criterion
    shown = dict.fromkeys([criterion, *(key for key in SHOWN if key in metrics)])
    values = ", ".join(f"{key} {metrics[key]:.4g}" for key in shown)
    return clean(f"**{values}**\n\n{in_markdown(point.name)}\n\nrecord: `{record.folder}`")
