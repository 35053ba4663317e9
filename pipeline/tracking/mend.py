"""A file that cannot be the embedded store: found out, and set aside, never deleted, so that a new one can take its place.

What only time or a person can mend, a lock, a full disk, a file that may not be read, is no reason for that; nor may a file be
moved that is another program's.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..base.files import keep_damaged
from .address import address_of, migrations
from .trouble import REPLACE, StoreError, Trouble, explain, is_missing

HEADER = b"SQLite format 3\0"
# A file of another name was meant by no one: it is a mistyped tracking.uri, and not ours to move.
DATABASES = (".db", ".sqlite", ".sqlite3")
# The tables without which there is no store; others came with later versions of MLflow.
CORE = {"alembic_version", "experiments", "runs"}
ELSEWHERE = "choose another tracking.uri, or move it away"


@dataclass(frozen=True)
class Fault:
    """what: why a file cannot be the store. older: it can be, once it has the form of the MLflow that is installed."""

    what: str
    older: bool = False


def fault_of(database: Path, seconds: float, thorough: bool = False) -> Fault | None:
    """What is wrong with a database, if anything; a missing one is not. thorough: every page is read, and its version compared.

    StoreError for what setting it aside does not mend. seconds: how long a lock is waited for.
    """
    uri = address_of(database)
    if database.is_dir():
        if any(database.iterdir()):
            raise StoreError(Trouble(f"the store {uri} is a folder with files in it", ELSEWHERE))
        return Fault("is a folder")
    if is_missing(database):
        return None
    with database.open("rb") as file:
        if file.read(len(HEADER)) != HEADER:
            if database.suffix not in DATABASES:
                raise StoreError(Trouble(f"the store {uri} is no database", ELSEWHERE))
            return Fault("is damaged or no database")
    try:
        with _opened(database, seconds) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if thorough and connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return Fault("is damaged")
            return _fault_of_tables(uri, connection, names, thorough)
    except sqlite3.DatabaseError as error:
        if any(words in str(error) for words in ("malformed", "not a database")):
            return Fault("is damaged")
        raise StoreError(explain(error, uri)) from None


def _fault_of_tables(uri: str, connection: sqlite3.Connection, names: set[str], thorough: bool) -> Fault | None:
    from mlflow.store.tracking.dbmodels.models import Base

    known = set(Base.metadata.tables)
    if not names >= CORE:
        # Of a program of its own, or the beginning of a store of MLflow's.
        if {name for name in names if not name.startswith(("alembic_", "_alembic_", "sqlite_"))} - known:
            raise StoreError(Trouble(f"the store {uri} is a database of another program", ELSEWHERE))
        return Fault("was never finished")
    if names >= known and not thorough:
        return None
    version, (newest, *earlier) = connection.execute("SELECT version_num FROM alembic_version").fetchone(), _versions()
    if version == (newest,):
        return None if names >= known else Fault("is damaged: tables are missing")
    if version is not None and version[0] in earlier:
        return Fault("was made by an earlier version of MLflow", older=True)
    return Fault("was made by a later version of MLflow" if version else "was never finished")


def _versions() -> list[str]:
    """What MLflow calls the forms of its tables, the one of the installed version first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(migrations("")).walk_revisions()]


def make_room(database: Path, fault: Fault) -> str:
    """Set a database aside, or bring it to the form of the installed MLflow and keep it as it was; what was done, in words.

    StoreError when the disk does not let us.
    """
    uri, upgraded = address_of(database), None
    try:
        with tempfile.TemporaryDirectory(prefix=f".{database.name}.new.", dir=database.parent) as folder:
            if fault.older:
                upgraded = _upgraded(database, Path(folder) / database.name)
            kept = _set_aside(database)
            if upgraded:
                upgraded.replace(database)
    except OSError:
        raise StoreError(Trouble(f"the store {uri} {fault.what}", REPLACE)) from None
    if upgraded:
        return f"the store {uri} {fault.what}; it was brought to this one's form, and is kept as it was in {kept.parent.name}/"
    return f"the store {uri} {fault.what}; it is kept in {kept.parent.name}/, a new one takes its place"


def aside(database: Path) -> Path:
    """The folder, beside its place, of what could not be the database."""
    return database.with_name(f"{database.name}.aside")


def _set_aside(database: Path) -> Path:
    """What SQLite keeps beside a database goes with it."""
    kept = keep_damaged(database, aside(database))
    for rest in ("-wal", "-shm"):
        beside = database.with_name(database.name + rest)
        if beside.exists():
            beside.replace(kept.with_name(kept.name + rest))
    return kept


def _upgraded(database: Path, copy: Path) -> Path | None:
    """A copy in the form of the installed MLflow; None when that cannot be made. MLflow's own way, on a copy because a kill
    half-way would leave neither form."""
    from mlflow.store.db.utils import _upgrade_db
    from sqlalchemy import create_engine

    try:
        with _opened(database, 1) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        engine = create_engine(address_of(copy))
        _upgrade_db(engine)
        engine.dispose()
    except Exception:
        # Migrations raise what they like; the database that they do not fit is set aside as any other.
        return None
    return copy


@contextmanager
def _opened(database: Path, seconds: float) -> Iterator[sqlite3.Connection]:
    uri = f"{database.as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, timeout=seconds, isolation_level=None)) as connection:
        yield connection
