"""The MLflow store: opened and, when missing, created whole, by one process at a time.

MLflow is imported only inside the functions below, because that takes a second.
"""

import logging
import os
import shutil
import sqlite3
import tempfile
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from ..base import console, project
from ..base.errors import SettingsError
from ..settings import TrackingSettings
from .address import address_of, artifacts_of, database_of, fit_any_path, settle
from .mend import fault_of, make_room
from .trouble import LATER, StoreError, Trouble, is_missing, shown

# MLflow reads these when it is imported. A request is tried once: whoever asks tries again, and can be told to stop.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
}
# Where MLflow's own commands look for an address.
VARIABLE = "MLFLOW_TRACKING_URI"
NOISY = ("mlflow", "alembic", "sqlalchemy", "urllib3")
# How long another process may take to create a run before we look again.
LOCK_SECONDS = 5
# While others make or open the database: a whole class may start at once.
OPENING_SECONDS = 20
LOCKED_SECONDS = 1
# Bytes of a store without runs, and some to spare.
ROOM = 2**21


@dataclass(frozen=True)
class Store:
    """An MLflow experiment, ready for runs: `client` is an mlflow.MlflowClient. inode: of the database, on this disk. mended:
    what had to be done to open it, in words. is_new: it was made just now, in the place of another."""

    client: "mlflow.MlflowClient"  # type: ignore[name-defined]  # noqa: F821  the import takes a second
    uri: str
    experiment_id: str
    inode: int | None = None
    mended: str = ""
    is_new: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it is a database on this disk, where a lock keeps commands apart; else it is a server."""
        return self.inode is not None

    @property
    def is_gone(self) -> bool:
        """Whether the database was deleted or replaced: what is written now would be lost."""
        return self.inode is not None and _inode(database_of(self.uri)) != self.inode


def resolved(tracking: TrackingSettings) -> TrackingSettings:
    """With the address that counts: tracking.uri, else MLFLOW_TRACKING_URI, else mlflow.db in the project's folder. One of a
    server makes it a server's.

    SettingsError for an address that fits neither a database nor a server.
    """
    if tracking.store == "off":
        return tracking
    if tracking.uri is not None:
        return replace(tracking, store="server") if _is_server(tracking.uri) else tracking
    uri = os.environ.get(VARIABLE, "").strip()
    if not uri:
        return tracking if tracking.store == "server" else replace(tracking, uri=address_of(project.root() / "mlflow.db"))
    if _is_server(uri):
        return replace(tracking, store="server", uri=uri)
    # MLflow takes a path that is not absolute from the working folder.
    path = uri.removeprefix("sqlite:///")
    if path != uri and path and not path.endswith("/") and "?" not in path and tracking.store == "sqlite":
        return replace(tracking, uri=address_of(database_of(uri).absolute()))
    right = "http://HOST:PORT" if tracking.store == "server" else "http://HOST:PORT or sqlite:////ABSOLUTE/PATH.db"
    raise SettingsError([f"{VARIABLE}: must be {right}, not {uri!r}; tracking.uri=... goes before it"])


def store_uri(tracking: TrackingSettings) -> str:
    """The store's address: an absolute sqlite path, or the server's. SettingsError for an address that fits neither."""
    tracking = resolved(tracking)
    uri = tracking.uri or ""
    if tracking.store == "server":
        if not _is_server(uri):
            raise SettingsError([f"tracking.uri: must be the server's http://HOST:PORT, not {tracking.uri!r}"])
        return uri
    # What follows a question mark would be options of SQLAlchemy's, not the file's name.
    if not uri.startswith("sqlite:////") or "?" in uri or uri.endswith("/"):
        raise SettingsError([f"tracking.uri: must be sqlite:////ABSOLUTE/PATH.db or http://HOST:PORT, not {uri!r}"])
    return uri


def _is_server(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def check_store(tracking: TrackingSettings) -> None:
    """SettingsError for what no waiting mends. A store that does not answer holds nothing up: it is told of at the end."""
    if tracking.store == "off":
        return
    uri = store_uri(tracking)
    if tracking.system_metrics and find_spec("psutil") is None:
        raise SettingsError(["tracking.system_metrics: needs psutil: pip install psutil"])
    if tracking.uri is None and os.environ.get(VARIABLE, "").strip():
        console.say(f"MLflow: {shown(uri)}, from {VARIABLE}")


def load_mlflow() -> None:
    """Import MLflow, and keep it from writing on the terminal."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import mlflow  # noqa: F401  importing it is the purpose

    for name in NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


def open_store(tracking: TrackingSettings, experiment: str | None, doubted: bool = False) -> Store:
    """The MLflow experiment called `experiment`, created if need be; None opens the store alone, to look at it.

    Safe to call from any number of processes at once, also when there is no database yet: a lock lets one create it. A file
    that can be no store is set aside, and one is made in its place. doubted: it was found to be damaged, so all of it is read.
    StoreError, OSError or MLflow's own errors when there is no store to be had.
    """
    tracking = resolved(tracking)
    uri = store_uri(tracking)
    load_mlflow()
    if tracking.store == "server":
        return _open(uri, experiment, None)
    database = database_of(uri)
    database.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{database}.lock", timeout=OPENING_SECONDS):
        _relax_connections()
        fit_any_path()
        fault = fault_of(database, LOCKED_SECONDS, doubted)
        if fault is None:
            try:
                return _open_or_make(uri, experiment, database)
            except Exception:
                # Whatever MLflow says of a file that is none of its databases, it is looked at by us.
                fault = fault_of(database, LOCKED_SECONDS, thorough=True)
                if fault is None:
                    raise
        close_store(uri)
        mended = make_room(database, fault)
        is_new = is_missing(database)
        return replace(_open_or_make(uri, experiment, database), mended=mended, is_new=is_new)


def alone(store: Store) -> AbstractContextManager[object]:
    """While no other process looks for a run in this database and makes it when there is none; a server has no such lock."""
    if not store.uri.startswith("sqlite:"):
        return nullcontext()
    # Not the lock of opening: that takes others a second each, this one milliseconds.
    return FileLock(f"{database_of(store.uri)}.runs.lock", timeout=LOCK_SECONDS)


def close_store(uri: str) -> None:
    """Let go of the file of a database, which may not be the one that has its name now."""
    if uri.startswith("sqlite:"):
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        # MLflow keeps the engines of databases for the life of the process and has no public way to close one.
        engine = getattr(SqlAlchemyStore, "_engine_map", {}).get(uri)
        if engine is not None:
            engine.dispose()


def _open_or_make(uri: str, experiment: str | None, database: Path) -> Store:
    if is_missing(database):
        _create(database)
    _use_wal(database)
    return _open(uri, experiment, artifacts_of(database))


def _open(uri: str, experiment: str | None, artifacts: Path | None) -> Store:
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    if artifacts:
        from .quick import QuickClient

        client = QuickClient(uri)
        settle(database_of(uri))
    else:
        client = MlflowClient(uri)
    inode = _inode(database_of(uri)) if artifacts else None
    if experiment is None:
        return Store(client, uri, "", inode)
    found = client.get_experiment_by_name(experiment)
    if found is not None and found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    if found is None:
        try:
            location = (artifacts / experiment).as_uri() if artifacts else None
            found = client.get_experiment(client.create_experiment(experiment, artifact_location=location))
        except MlflowException:
            # On a server, another process can have created it since we asked.
            found = client.get_experiment_by_name(experiment)
            if found is None:
                raise
    return Store(client, uri, found.experiment_id, inode)


def _create(database: Path) -> None:
    """Make the database under another name in the same folder and rename it when it is whole: a kill leaves no half one."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    prefix = f".{database.name}.new."
    for left in database.parent.glob(f"{prefix}*"):
        shutil.rmtree(left, ignore_errors=True)
    # A folder, because SQLite keeps files beside a database; a new name each time, because MLflow remembers databases by name.
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=database.parent))
    try:
        made = folder / database.name
        _check_room(made)
        # SQLite itself would not let the group write, whatever the umask says.
        made.touch()
        _use_wal(made)
        store = SqlAlchemyStore(address_of(made), artifacts_of(database).as_uri())
        # The last connection that is closed writes all into the one file.
        store.engine.dispose()
        for rest in ("-wal", "-shm"):
            database.with_name(database.name + rest).unlink(missing_ok=True)
        made.replace(database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_room(database: Path) -> None:
    """StoreError where a new database would not fit. MLflow would try for minutes."""
    try:
        database.write_bytes(bytes(ROOM))
        database.unlink()
    except OSError as error:
        trouble = Trouble(f"{database.parent.parent}: has no room for a store ({error.strerror})", f"once it has, {LATER}")
        raise StoreError(trouble) from None


def _use_wal(database: Path) -> None:
    """WAL lets readers and a writer work side by side, and makes small commits several times cheaper; it stays set."""
    connection = sqlite3.connect(database, timeout=LOCKED_SECONDS)
    try:
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def _relax_connections() -> None:
    from sqlalchemy import Engine, event

    # MLflow makes its engines itself and takes no options for them.
    if not event.contains(Engine, "connect", _relax_sync):
        event.listen(Engine, "connect", _relax_sync)


def _relax_sync(connection: object, _record: object) -> None:
    """With WAL, NORMAL loses at most the last commits on a power cut and never damages the file."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=NORMAL")


def _inode(database: Path) -> int:
    """The file's number on its disk; -1 when there is none."""
    try:
        return database.stat().st_ino
    except OSError:
        return -1
