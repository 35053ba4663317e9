"""Fill a run from a record: parameters, loss curves, final metrics, data, y-hat table, files and pictures."""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..comparison.figures import kernels_figure, losses_figure
from ..records.record import Record
from .store import Store

# Points of a loss curve in MLflow; the whole curve is in the record.
CURVE_POINTS = 50
# Rows of the y-hat table in MLflow; the whole table is in the record.
TABLE_ROWS = 500
# Classes in a cell of its column `output`.
TABLE_CLASSES = 10
BATCH = 1000


def log_record(store: Store, run_id: str, record: Record, params: dict[str, Any]) -> None:
    """Log everything that a finished point has to say. `params`: its settings by their dotted names."""
    from mlflow.entities import Metric, Param

    began = store.client.get_run(run_id).info.start_time
    metrics = [Metric(key, value, began + step, step) for key, value, step in _metrics(record)]
    for first in range(0, len(metrics), BATCH):
        store.client.log_batch(run_id, metrics=metrics[first : first + BATCH])
    store.client.log_batch(run_id, params=[Param(key, str(value)) for key, value in params.items()])
    _log_data(store, run_id, record)
    store.client.log_table(run_id, _table(record), "y_hat.json")
    store.client.log_artifacts(run_id, str(record.folder), "record")
    with tempfile.TemporaryDirectory() as folder:
        kernels_figure({"": record}).savefig(Path(folder) / "kernels.png")
        losses_figure({"": record}).savefig(Path(folder) / "losses.png")
        store.client.log_artifacts(run_id, folder, "figures")


def log_outputs(store: Store, run_id: str, folder: Path, names: list[str]) -> None:
    """Attach files and folders of `folder` to a run."""
    for name in names:
        path = folder / name
        if path.is_dir():
            store.client.log_artifacts(run_id, str(path), name)
        elif path.exists():
            store.client.log_artifact(run_id, str(path))


def _metrics(record: Record) -> list[tuple[str, float, int]]:
    """(key, value, step): thinned curves, loss/<class> and loss/mean; final values at the last step."""
    losses, classes = record.losses, record.classes
    steps = np.unique(np.geomspace(1, len(losses), CURVE_POINTS).round().astype(int))
    found = []
    for step in steps:
        row = losses.iloc[step - 1].to_numpy(float)
        found.append(("loss/mean", float(row.sum() / len(row)), int(step)))
        found += [(f"loss/{_key(name)}", float(value), int(step)) for name, value in zip(classes, row, strict=True)]
    last = int(record.result["iterations"])
    found += [(key, value, last) for key, value in record.result["metrics"].items()]
    for head in record.result["heads"]:
        values = {key: value for key, value in head.items() if isinstance(value, float)}
        found += [(f"head {_key(head['class'])}/{key}", value, last) for key, value in values.items()]
    return found


def _key(name: str) -> str:
    """A class name in the letters that MLflow allows."""
    return re.sub(r"[^\w.\- ]", "_", name) or "_"


def _table(record: Record) -> pd.DataFrame:
    """y_hat with a column `output`, which MLflow's pages compare first: the likeliest classes of an image, best first."""
    table = record.y_hat.head(TABLE_ROWS)
    classes, output = record.classes, []
    for target, values in zip(table["target"], table[[f"y_hat_{name}" for name in classes]].to_numpy(float), strict=True):
        likely = np.argsort(-values, kind="stable")[:TABLE_CLASSES]
        named = [f"{classes[j]}={values[j]:.4f}{' (target)' if classes[j] == target else ''}" for j in likely]
        output.append(", ".join(named))
    return table.assign(output=output)


def _log_data(store: Store, run_id: str, record: Record) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = record.settings["data"]
    profile = {**record.result["images"], "classes": len(record.classes)}
    dataset = Dataset(
        name=data["source"],
        digest=record.result["data"][:16],
        source_type="local",
        source=json.dumps({"source": data["source"], "path": data["path"]}),
        profile=json.dumps(profile),
    )
    store.client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])
