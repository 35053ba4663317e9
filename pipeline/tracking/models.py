"""A finished point as one of MLflow's models: found by search_logged_models, loaded by mlflow.pyfunc, served by its server.

MLflow's own log_model takes a second and a third for what is put together here in milliseconds: a folder of small files in the
form that it reads, and rows that it searches.
"""

import json
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ..data.input import Input
from ..records.record import Record, recorded
from ..settings import flatten
from ..sweep.point import Point
from . import owner
from .datasets import datasets, split_of
from .keys import clean
from .log import attach
from .run import Run
from .runs import POINT
from .store import Store
from .twins import keep_one_model

KIND = "one-vs-rest heads"
CHECKPOINT, HEADS, CODE_NAME = "artifacts/checkpoint.npz", "artifacts/heads.json", "model.py"
CODE = b'''"""The heads beside this file, for MLflow: models from code, weights without pickles."""

from mlflow.models import set_model

try:
    from pipeline.tracking.served import HeadsModel
except ImportError:
    raise ImportError("this model needs the package ovrcnn: load it in that project's environment") from None

set_model(HeadsModel())
'''


@dataclass(frozen=True)
class Parts:
    """What a model is made of, beside its weights. taken: what the heads take. pixels: the type of the stored numbers.
    example: (1, H, W), an image as stored."""

    classes: tuple[str, ...]
    taken: Input
    pixels: str
    example: NDArray[np.generic]

    @staticmethod
    def of(point: Point, record: Record) -> "Parts":
        data = point.dataset
        return Parts(data.classes, record.result.input or data.input, data.images.dtype.name, data.images[:1])


def log_model(store: Store, run: Run, point: Point, record: Record) -> str:
    """The id of the model of a point's run: made now, unless a killed command had made it."""
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    model = (None if run.fresh else keep_one_model(store, run.run_id)) or _make(store, run, point)
    weights = {CHECKPOINT: record.folder / "checkpoint.npz"}
    contents = files(Parts.of(point, record), model.model_id, run.run_id)
    attach(model.artifact_location, partial(store.client.log_model_artifacts, model.model_id), weights, contents)
    _log_metrics(store, run, model.model_id, point, record)
    store.client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    try:
        store.client.log_outputs(run.run_id, [LoggedModelOutput(model.model_id, point.iterations)])
    except Exception:
        # MLflow takes it once; another command may have said it.
        if Run.read(store.client.get_run(run.run_id)).model != model.model_id:
            raise
    return str(model.model_id)


def files(parts: Parts, model_id: str, run_id: str | None) -> dict[str, bytes]:
    """All files of a model but its weights, by their names in its folder."""
    example = parts.example.astype(np.float64).tolist()
    known = {"classes": parts.classes, "input": parts.taken.plain(), "pixels": parts.pixels}
    return {
        "MLmodel": yaml.dump(_description(parts, model_id, run_id), Dumper=yaml.CSafeDumper).encode(),
        CODE_NAME: CODE,
        HEADS: (json.dumps(known, indent=1) + "\n").encode(),
        "input_example.json": json.dumps(example).encode(),
        "serving_input_example.json": json.dumps({"inputs": example}).encode(),
    }


def _description(parts: Parts, model_id: str, run_id: str | None) -> dict[str, Any]:
    """What MLmodel says, in the words of MLflow 3."""
    from mlflow import __version__

    # Numbers of any kind are taken as they are: a signature of small integers would cut the fractions off in silence.
    pixels = {"dtype": "float64", "shape": [-1, *parts.example.shape[1:]]}
    columns: list[dict[str, Any]] = [{"type": "string", "name": "answer", "required": True}]
    columns += [{"type": "double", "name": f"y_hat_{name}", "required": True} for name in parts.classes]
    signature = {"inputs": json.dumps([{"type": "tensor", "tensor-spec": pixels}]), "outputs": json.dumps(columns)}
    named = {name: {"path": path, "uri": Path(path).name} for name, path in (("checkpoint", CHECKPOINT), ("heads", HEADS))}
    pyfunc: dict[str, Any] = {
        "loader_module": "mlflow.pyfunc.loaders.code_model",
        "model_code_path": CODE_NAME,
        "artifacts": named,
    }
    pyfunc |= {"python_version": platform.python_version(), "streamable": False}
    example = {"artifact_path": "input_example.json", "serving_input_path": "serving_input_example.json", "type": "ndarray"}
    return {
        "artifact_path": f"models:/{model_id}",
        "flavors": {"python_function": pyfunc},
        "mlflow_version": __version__,
        "model_id": model_id,
        "model_uuid": model_id,
        "run_id": run_id,
        "saved_input_example_info": example,
        "signature": {**signature, "params": None},
        "utc_time_created": str(datetime.now(UTC).replace(tzinfo=None)),
    }


def model_name(name: str) -> str:
    """A point's name in the letters that MLflow allows a model: alpha=0.1 becomes alpha=0,1."""
    return clean(re.sub(r"[/:%\"']", "_", name.replace(".", ",")))[:500] or "model"


def _make(store: Store, run: Run, point: Point) -> Any:
    params = {key: clean(value) for key, value in flatten(recorded(point.settings)).items()}
    named: dict[str, Any] = {"name": model_name(point.name), "source_run_id": run.run_id, "model_type": KIND}
    # Who made it and with what code, as MLflow's own models say it.
    source = {key: value for key, value in owner.identity().items() if key.startswith("mlflow.")}
    made = store.client.create_logged_model(store.experiment_id, tags={POINT: point.key, **source}, params=params, **named)
    return made if store.is_local else keep_one_model(store, run.run_id)


def _log_metrics(store: Store, run: Run, model_id: str, point: Point, record: Record) -> None:
    """The final values, which the run has already, tied to the model and to the split that they were measured on."""
    from mlflow.entities import Metric

    data = datasets(point.settings, record)
    rows = []
    for key, value in record.result.metrics.items():
        split = split_of(key)
        dataset = data.get(split) if split else None
        tied = {"dataset_name": dataset.name, "dataset_digest": dataset.digest} if dataset else {}
        rows.append(Metric(key, value, run.began, 0, model_id=model_id, run_id=run.run_id, **tied))
    store.client.log_batch(run.run_id, metrics=rows)
