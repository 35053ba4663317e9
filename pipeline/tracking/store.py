"""The MLflow store: opened and, when missing, created by one process at a time."""

import logging
import os
import sqlite3
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from ..base import project
from ..settings import SettingsError, TrackingSettings

# Read by MLflow when it is imported; it is imported only inside the functions below, because that takes a second.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")

SERVER_SECONDS = 5


@dataclass(frozen=True)
class Store:
    """An MLflow experiment, ready for runs: `client` is an mlflow.MlflowClient."""

    client: "mlflow.MlflowClient"  # type: ignore[name-defined]  # noqa: F821  the import takes a second
    uri: str
    experiment_id: str


def store_uri(tracking: TrackingSettings) -> str:
    """The store's address: an absolute sqlite path, or the server's. SettingsError for an address that fits neither."""
    if tracking.store == "server":
        return str(tracking.uri)
    uri = tracking.uri or f"sqlite:///{project.root() / 'mlflow.db'}"
    if not uri.startswith("sqlite:////"):
        raise SettingsError([f"tracking.uri: must be sqlite:////ABSOLUTE/PATH.db, not {uri!r}"])
    return uri


def check_store(tracking: TrackingSettings) -> None:
    """SettingsError when the store cannot be there, before anything is computed."""
    uri = store_uri(tracking)
    if tracking.store == "server":
        try:
            with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=SERVER_SECONDS):
                pass
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise SettingsError([f"tracking.uri: no MLflow server answers at {uri} ({reason})"]) from None


def open_store(tracking: TrackingSettings, experiment: str) -> Store | None:
    """The MLflow experiment called `experiment`, created if need be; None with tracking off.

    Safe to call from any number of processes at once, also when there is no database yet: a lock lets one create it.
    """
    if tracking.store == "off":
        return None
    uri = store_uri(tracking)
    if tracking.store == "server":
        return _open(uri, experiment, None)
    database = Path(uri.removeprefix("sqlite:///"))
    database.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{database}.lock"):
        _prepare_sqlite(database)
        return _open(uri, experiment, database.parent / "mlartifacts" / experiment)


def _open(uri: str, experiment: str, artifacts: Path | None) -> Store:
    _quiet()
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(uri)
    found = client.get_experiment_by_name(experiment)
    if found is not None and found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    if found is not None:
        return Store(client, uri, found.experiment_id)
    try:
        identifier = client.create_experiment(experiment, artifact_location=artifacts.as_uri() if artifacts else None)
    except MlflowException:
        # On a server, another process can have created it since we asked.
        found = client.get_experiment_by_name(experiment)
        if found is None:
            raise
        identifier = found.experiment_id
    return Store(client, uri, identifier)


def _prepare_sqlite(database: Path) -> None:
    """WAL lets readers and a writer work side by side, and makes small commits several times cheaper; it stays set."""
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
    from sqlalchemy import Engine, event

    if not event.contains(Engine, "connect", _relax_sync):
        event.listen(Engine, "connect", _relax_sync)


def _relax_sync(connection: object, _record: object) -> None:
    """With WAL, NORMAL loses at most the last commits on a power cut and never damages the file."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA busy_timeout=60000")


def _quiet() -> None:
    for name in ("alembic", "mlflow.store.db.utils", "mlflow.store.tracking"):
        logging.getLogger(name).setLevel(logging.WARNING)
