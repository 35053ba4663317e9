"""MLflow's client for a database on this disk, with what every point writes as plain inserts.

MLflow makes an object of each row and looks for it before it writes: 15 ms for the rows of a point, 3 ms here. These are
MLflow's own tables, described by the MLflow that is installed, and its own checks of names and lengths; whatever is not as
expected is left to MLflow. `tests/tracking/test_quick.py` holds both ways against each other, row by row.

To be imported only where MLflow is imported already: that takes a second.
"""

import time
import uuid
from collections.abc import Sequence
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import (
    LoggedModel,
    LoggedModelParameter,
    LoggedModelStatus,
    LoggedModelTag,
    Param,
    Run,
    RunData,
    RunInfo,
    RunTag,
)
from mlflow.store.tracking.dbmodels import models as tables
from mlflow.utils.validation import (
    _validate_batch_log_data,
    _validate_logged_model_name,
    _validate_param_keys_unique,
)
from sqlalchemy import Connection, Table, bindparam, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import IntegrityError

RUNS, TAGS, PARAMS = tables.SqlRun.__table__, tables.SqlTag.__table__, tables.SqlParam.__table__
METRICS, LATEST = tables.SqlMetric.__table__, tables.SqlLatestMetric.__table__
DATASETS, INPUTS, INPUT_TAGS = tables.SqlDataset.__table__, tables.SqlInput.__table__, tables.SqlInputTag.__table__
MODELS, MODEL_METRICS = tables.SqlLoggedModel.__table__, tables.SqlLoggedModelMetric.__table__
MODEL_PARAMS, MODEL_TAGS = tables.SqlLoggedModelParam.__table__, tables.SqlLoggedModelTag.__table__
ACTIVE = "active"

Row = dict[str, Any]


def _new_latest() -> Any:
    """A key's latest value is the one of the largest step, then time, then value."""
    put = insert(LATEST)
    order = ("step", "timestamp", "value")
    later = tuple_(*(put.excluded[name] for name in order)) > tuple_(*(LATEST.c[name] for name in order))
    new = {name: put.excluded[name] for name in (*order, "is_nan")}
    return put.on_conflict_do_update(index_elements=["key", "run_uuid"], set_=new, where=later)


def _new_tag(table: Table, *key: str) -> Any:
    put = insert(table)
    value = "tag_value" if "tag_value" in table.c else "value"
    return put.on_conflict_do_update(index_elements=list(key), set_={value: put.excluded[value]})


# Made once: SQLAlchemy knows a statement again, and does not compile it twice.
SET_LATEST = _new_latest()
SET_TAG = _new_tag(TAGS, "key", "run_uuid")
ADD = {table: insert(table) for table in (RUNS, TAGS, PARAMS, INPUT_TAGS, MODELS, MODEL_PARAMS, MODEL_TAGS)}
OF_RUN = RUNS.c.run_uuid == bindparam("run"), RUNS.c.lifecycle_stage == ACTIVE
EXPERIMENT = select(RUNS.c.experiment_id).where(*OF_RUN)
END = update(RUNS).where(*OF_RUN).values(status=bindparam("new_status"), end_time=bindparam("ended"))
# Changes nothing. A transaction that begins by reading cannot wait for another's writes.
TOUCH = update(RUNS).where(*OF_RUN).values(lifecycle_stage=ACTIVE)
OF_MODEL = MODELS.c.model_id == bindparam("model")
FINALIZE = update(MODELS).where(OF_MODEL).values(status=bindparam("new_status"), last_updated_timestamp_ms=bindparam("updated"))
SAME_DATA = DATASETS.c.name == bindparam("named"), DATASETS.c.digest == bindparam("digested")
DATASET = select(DATASETS.c.dataset_uuid).where(DATASETS.c.experiment_id == bindparam("experiment"), *SAME_DATA)
ADD_NEW = {table: insert(table).prefix_with("OR IGNORE") for table in (METRICS, DATASETS, INPUTS, MODEL_METRICS)}


class QuickClient(MlflowClient):  # type: ignore[misc]  # MLflow's types are not looked at
    """An MlflowClient of an SQLite store. What it overrides does what MLflow's own does, and returns it, unless
    it says None."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self._engine = self._tracking_client.store.engine
        self._places: dict[str, str] = {}

    def create_run(
        self, experiment_id: str, start_time: int | None = None, tags: dict[str, Any] | None = None, run_name: str | None = None
    ) -> Run:
        if not run_name:
            return super().create_run(experiment_id, start_time, tags, run_name)
        run_id, began, name = uuid.uuid4().hex, start_time or _now(), run_name
        held = [RunTag(key, str(value)) for key, value in {**(tags or {}), "mlflow.runName": name}.items()]
        place = f"{self._place(experiment_id)}/{run_id}/artifacts"
        info = RunInfo(run_id, experiment_id, (tags or {}).get("mlflow.user", "unknown"), "RUNNING", began, None, ACTIVE, place)
        info._run_name = name
        row: Row = {"run_uuid": run_id, "name": name, "source_type": "UNKNOWN", "source_name": "", "entry_point_name": ""}
        row |= {"user_id": info.user_id, "status": "RUNNING", "start_time": began, "source_version": "", "artifact_uri": place}
        row |= {"lifecycle_stage": ACTIVE, "experiment_id": int(experiment_id)}
        _, _, held = _validate_batch_log_data([], [], held)
        with self._engine.begin() as connection:
            _put(connection, ADD[RUNS], [row])
            _put(connection, ADD[TAGS], [{"run_uuid": run_id, "key": tag.key, "value": tag.value} for tag in held])
        return Run(info, RunData(tags=held))

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Any] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
        synchronous: bool | None = None,
    ) -> Any:
        metrics, params, tags = _validate_batch_log_data(list(metrics), list(params), list(tags))
        _validate_param_keys_unique(params)
        rows = [_metric_row(run_id, metric) for metric in metrics]
        try:
            with self._engine.begin() as connection:
                _put(connection, ADD[PARAMS], [{"run_uuid": run_id, "key": p.key, "value": p.value} for p in params])
                _put(connection, ADD_NEW[METRICS], rows)
                _put(connection, SET_LATEST, _last(rows))
                _put(connection, SET_TAG, [{"run_uuid": run_id, "key": tag.key, "value": tag.value} for tag in tags])
                experiment = _experiment(connection, run_id)
                of_models = [_model_metric_row(run_id, experiment, metric) for metric in metrics if metric.model_id]
                _put(connection, ADD_NEW[MODEL_METRICS], of_models)
        except IntegrityError:
            # A parameter that is there, or a run that is not: MLflow says what is wrong, or sees that nothing is.
            super().log_batch(run_id, metrics, params, tags)

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        values = {"run": run_id, "new_status": status or "FINISHED", "ended": end_time or _now()}
        with self._engine.begin() as connection:
            found = connection.execute(END, values).rowcount
        if not found:
            super().set_terminated(run_id, status, end_time)

    def log_inputs(self, run_id: str, datasets: Sequence[Any] | None = None, models: Sequence[Any] | None = None) -> None:
        with self._engine.begin() as connection:
            connection.execute(TOUCH, {"run": run_id})
            experiment = _experiment(connection, run_id)
            for entry in datasets or ():
                _put(connection, ADD_NEW[DATASETS], [_dataset_row(experiment, entry.dataset)])
                dataset = _dataset_id(connection, experiment, entry.dataset)
                row: Row = {"source_type": "DATASET", "source_id": dataset, "destination_type": "RUN", "destination_id": run_id}
                row |= {"input_uuid": uuid.uuid4().hex, "step": 0}
                if connection.execute(ADD_NEW[INPUTS], row).rowcount:
                    held = [{"input_uuid": row["input_uuid"], "name": tag.key, "value": tag.value} for tag in entry.tags]
                    _put(connection, ADD[INPUT_TAGS], held)
        if models:
            super().log_inputs(run_id, None, models)

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
        model_type: str | None = None,
    ) -> LoggedModel:
        if not name:
            return super().create_logged_model(experiment_id, name, source_run_id, tags, params, model_type)
        _validate_logged_model_name(name)
        model, now = f"m-{uuid.uuid4().hex}", _now()
        place = f"{self._place(experiment_id)}/models/{model}/artifacts"
        row: Row = {"model_id": model, "experiment_id": int(experiment_id), "name": name, "artifact_location": place}
        row |= {
            "creation_timestamp_ms": now,
            "last_updated_timestamp_ms": now,
            "model_type": model_type,
            "status_message": None,
        }
        row |= {"status": LoggedModelStatus.PENDING.to_int(), "lifecycle_stage": ACTIVE, "source_run_id": source_run_id}
        common: Row = {"model_id": model, "experiment_id": int(experiment_id)}
        with self._engine.begin() as connection:
            _put(connection, ADD[MODELS], [row])
            held = [{**common, "param_key": key, "param_value": value} for key, value in (params or {}).items()]
            _put(connection, ADD[MODEL_PARAMS], held)
            _put(connection, ADD[MODEL_TAGS], [{**common, "tag_key": k, "tag_value": v} for k, v in (tags or {}).items()])
        known: Row = {"source_run_id": source_run_id, "model_type": model_type, "status": LoggedModelStatus.PENDING}
        known |= {"params": [LoggedModelParameter(key, value) for key, value in (params or {}).items()]}
        known |= {"tags": [LoggedModelTag(key, value) for key, value in (tags or {}).items()]}
        return LoggedModel(experiment_id, model, name, place, now, now, **known)

    def finalize_logged_model(self, model_id: str, status: LoggedModelStatus) -> None:
        values = {"model": model_id, "new_status": status.to_int(), "updated": _now()}
        with self._engine.begin() as connection:
            found = connection.execute(FINALIZE, values).rowcount
        if not found:
            super().finalize_logged_model(model_id, status)

    def log_outputs(self, run_id: str, models: Sequence[Any]) -> None:
        common = {"source_type": "RUN_OUTPUT", "source_id": run_id, "destination_type": "MODEL_OUTPUT"}
        rows = [{**common, "destination_id": m.model_id, "step": m.step, "input_uuid": uuid.uuid4().hex} for m in models]
        with self._engine.begin() as connection:
            _put(connection, ADD_NEW[INPUTS], rows)

    def _place(self, experiment_id: str) -> str:
        """Where an experiment's artifacts lie; it never changes."""
        if experiment_id not in self._places:
            self._places[experiment_id] = str(self.get_experiment(experiment_id).artifact_location).rstrip("/")
        return self._places[experiment_id]


def _put(connection: Connection, statement: Any, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(statement, rows)


def _experiment(connection: Connection, run_id: str) -> int:
    """The experiment of an active run. IntegrityError when there is none."""
    found = connection.execute(EXPERIMENT, {"run": run_id}).scalar()
    if found is None:
        raise IntegrityError("no active run", run_id, ValueError())
    return int(found)


def _metric_row(run_id: str, metric: Any) -> Row:
    # As MLflow stores what is no number: 0, and the largest one for infinity.
    is_nan, value = metric.value != metric.value, float(metric.value)
    value = 0.0 if is_nan else max(min(value, 1.7976931348623157e308), -1.7976931348623157e308)
    row = {"run_uuid": run_id, "key": metric.key, "value": value, "timestamp": metric.timestamp}
    return {**row, "step": metric.step, "is_nan": is_nan}


def _model_metric_row(run_id: str, experiment: int, metric: Any) -> Row:
    row = {"model_id": metric.model_id, "metric_name": metric.key, "metric_timestamp_ms": metric.timestamp}
    row |= {"metric_step": metric.step, "metric_value": _metric_row(run_id, metric)["value"], "run_id": run_id}
    row |= {"experiment_id": experiment, "dataset_uuid": None}
    return row | {"dataset_name": metric.dataset_name, "dataset_digest": metric.dataset_digest}


def _last(rows: Sequence[Row]) -> list[Row]:
    """Of each key the row of the largest step, then time, then value."""
    found: dict[str, Row] = {}
    for row in rows:
        known = found.get(row["key"])
        if known is None or _order(row) > _order(known):
            found[row["key"]] = row
    return list(found.values())


def _order(row: Row) -> tuple[Any, ...]:
    return row["step"], row["timestamp"], row["value"]


def _dataset_row(experiment: int, dataset: Any) -> Row:
    row = {"dataset_uuid": uuid.uuid4().hex, "experiment_id": experiment, "name": dataset.name, "digest": dataset.digest}
    row |= {"dataset_source_type": dataset.source_type, "dataset_source": dataset.source}
    return row | {"dataset_schema": dataset.schema, "dataset_profile": dataset.profile}


def _dataset_id(connection: Connection, experiment: int, dataset: Any) -> str:
    named = {"experiment": experiment, "named": dataset.name, "digested": dataset.digest}
    return str(connection.execute(DATASET, named).scalar_one())


def _now() -> int:
    return int(time.time() * 1000)
