"""Addresses of databases on this disk, as MLflow and SQLAlchemy read them; and a database that was moved with its artifacts.

In sqlite:///PATH a % begins an escape and a ? ends the path; so a path that holds them is escaped.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

PREFIX = "sqlite:///"
ARTIFACTS = "mlartifacts"
# Where MLflow keeps absolute addresses of artifacts.
LOCATIONS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
# An address in the folder :old, or of it, as it is in the folder :new.
MOVE = """
UPDATE {table} SET {column} = :new || substr({column}, length(:old) + 1)
WHERE {column} = :old OR substr({column}, 1, length(:old) + 1) = :old || '/'
"""


def address_of(database: Path) -> str:
    """The address of an absolute path."""
    return PREFIX + str(database).replace("%", "%25").replace("?", "%3F")


def database_of(address: str) -> Path:
    """The path of an address; `address_of` is its inverse."""
    return Path(unquote(address.removeprefix(PREFIX)))


def fit_any_path() -> None:
    """Let MLflow work with any path. It would make a folder for a database, which has its own, called like the escaped path;
    and it hands the folder that it is installed in to a file of settings in which a % begins a reference."""
    from mlflow.store.db import utils

    utils._make_parent_dirs_if_sqlite = lambda _: None
    utils._get_alembic_config = migrations


def migrations(db_url: str, alembic_dir: str | None = None) -> Any:
    """Alembic's settings for MLflow's migrations, as MLflow makes them, with every % escaped."""
    from alembic.config import Config
    from mlflow.store.db.utils import _get_package_dir

    folder = Path(alembic_dir or Path(_get_package_dir(), "store", "db_migrations"))
    config = Config(folder / "alembic.ini")
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", db_url.replace("%", "%%"))
    return config


def artifacts_of(database: Path) -> Path:
    """Where the artifacts of a database of ours lie: beside it."""
    return database.parent / ARTIFACTS


def settle(database: Path) -> None:
    """Let a database that was moved, or copied, together with its artifacts find them where they are now.

    MLflow holds absolute addresses, and takes no others from a client: left alone, it would make the old folder again, and
    show nothing of earlier runs. All are changed in one transaction, or none. What lies elsewhere still, because only the
    database was copied, or because a person put it there, stays what it is.
    """
    here = artifacts_of(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as store:
        moved = moved_from(store, here)
        if not moved:
            return
        store.execute("BEGIN IMMEDIATE")
        for old in moved:
            for table, column in LOCATIONS:
                store.execute(MOVE.format(table=table, column=column), {"old": old, "new": here.as_uri()})
        store.execute("COMMIT")


def moved_from(store: sqlite3.Connection, here: Path) -> list[str]:
    """The addresses that a database has of artifacts which are `here` by now."""
    places = {str(place).rpartition("/")[0] for (place,) in store.execute("SELECT artifact_location FROM experiments")}
    olds = {place for place in places if place.endswith(f"/{ARTIFACTS}")}
    return sorted(old for old in olds - {here.as_uri()} if _has_moved(old, here))


def _has_moved(old: str, here: Path) -> bool:
    return old.startswith("file:") and (here.is_dir() or not Path(url2pathname(urlsplit(old).path)).is_dir())
