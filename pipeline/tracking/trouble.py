"""What is wrong with a store, in plain words, and what a person can do about it."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from filelock import Timeout

LATER = "the next command logs them"
# A person's name and password in an address.
SECRET = re.compile(r"//[^/@\s]+@")
REPLACE = "move it away or delete it: the next command fills a new one from the records"

# Words of SQLite, MLflow and urllib3 in an error, what they mean, and what helps. The first that is found counts.
SQLITE = (
    ("is locked", "is locked by another program", LATER),
    ("database table is locked", "is locked by another program", LATER),
    ("not a database", "is damaged or no MLflow database", REPLACE),
    ("malformed", "is damaged", REPLACE),
    ("disk i/o error", "cannot be read or written (disk I/O error)", LATER),
    ("is full", "cannot be written: the disk is full", LATER),
    ("readonly", "cannot be written", "make it writable, then " + LATER),
    ("out-of-date database schema", "was made by another version of MLflow", REPLACE),
    ("can't locate revision", "was made by another version of MLflow", REPLACE),
    ("no such table", "was never finished or is damaged", REPLACE),
    ("no such column", "was made by another version of MLflow", REPLACE),
    ("already exists", "was never finished or is damaged", REPLACE),
    ("surrogates not allowed", "has a name that is not UTF-8", "choose another by tracking.uri=sqlite:////PATH.db"),
    ("unable to open", "cannot be opened", REPLACE),
)
SERVER = (
    ("timed out", "does not answer in time"),
    ("refused", "cannot be reached (connection refused)"),
    ("resolve", "cannot be reached (its name is unknown)"),
    ("unreachable", "cannot be reached (network unreachable)"),
    ("connection aborted", "breaks the connection"),
    ("connection reset", "breaks the connection"),
    ("max retries", "cannot be reached"),
    ("json", "does not answer like an MLflow server"),
    ("expecting value", "does not answer like an MLflow server"),
    ("protobuf", "does not answer like an MLflow server"),
)


@dataclass(frozen=True)
class Trouble:
    """what: the fault, named. mend: what a person can do, or what happens by itself."""

    what: str
    mend: str = LATER


class StoreError(Exception):
    """The store cannot be used, for a reason that was found before MLflow was asked."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.what)
        self.trouble = trouble


def explain(error: BaseException, uri: str) -> Trouble:
    """An error of the store, of MLflow or of a record in one line."""
    if isinstance(error, StoreError):
        return error.trouble
    text = " ".join(str(e) for e in (error, error.__cause__, error.__context__) if e is not None)
    if uri.startswith("sqlite:"):
        if isinstance(error, Timeout):
            return Trouble(f"the store {uri} is being made by another process")
        if isinstance(error, OSError) and error.filename:
            return Trouble(f"{error.filename}: {error.strerror}", f"once that is mended, {LATER}")
        for words, what, mend in SQLITE:
            if words in text.lower():
                return Trouble(f"the store {uri} {what}", mend)
    else:
        found = re.search(r"error code (\d{3})|too many (\d{3}) error|^(\d{3}) \w+ Error", text)
        if found:
            return Trouble(f"the server {shown(uri)} answers with error {next(filter(None, found.groups()))}")
        for words, what in SERVER:
            if words in text.lower():
                return Trouble(f"the server {shown(uri)} {what}")
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return Trouble("".join(c if c.isprintable() else " " for c in first[:150]))


def silence(uri: str, written: int, seconds: float) -> Trouble:
    """What is known of a store that is still at work when nobody waits any longer: how much it took in so many seconds."""
    what = f"the store {uri}" if uri.startswith("sqlite:") else f"the server {shown(uri)}"
    took = f"took {written} {'entry' if written == 1 else 'entries'}" if written else "took nothing"
    return Trouble(f"{what} {took} in the last {seconds:.0f} s")


def is_missing(database: Path) -> bool:
    """Whether there is no database yet; SQLite takes an empty file for an empty database."""
    try:
        return database.stat().st_size == 0
    except FileNotFoundError:
        return True


def shown(uri: str) -> str:
    """A server's address without a password that it may hold."""
    return urlsplit(uri)._replace(netloc=urlsplit(uri).netloc.rpartition("@")[2]).geturl()


def without_passwords(text: str) -> str:
    """A text that may hold addresses, without the passwords that they may hold."""
    return SECRET.sub("//", text)
