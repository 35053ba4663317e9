"""Where a record comes from, as an in-toto statement: its files, and what they were made of.

The statement is https://in-toto.io/Statement/v1, its predicate https://slsa.dev/provenance/v1. It has no times and no names of
machines, so one checkout writes the same bytes everywhere. It stands beside the record's files and not among them: the same
record may have been made by another commit.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ..base import checkout, project
from ..base.errors import FileError
from ..base.files import sha256
from ..base.plain_json import read_json

PROVENANCE = "provenance.json"
STATEMENT, PREDICATE = "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1"
BUILD, BUILDER = "urn:ovrcnn:point:v1", "urn:ovrcnn"
# The folders of pipeline/ whose code decides every bit of a record.
ARITHMETIC = ("heads", "training")
LOCK = "constraints.txt"
# Larger than any statement of ours.
LARGEST = 1_000_000


class ProvenanceError(FileError):
    """A statement is damaged, or says of other files that a record was made of them: the record beside it may be right."""


@cache
def arithmetic() -> str:
    """SHA-256 of the sources that decide a record's numbers, by their names."""
    found = hashlib.sha256()
    for folder in ARITHMETIC:
        for path in sorted((project.PACKAGE / folder).rglob("*.py")):
            content = path.read_bytes()
            found.update(f"{path.relative_to(project.PACKAGE).as_posix()} {len(content)}\n".encode() + content)
    return found.hexdigest()


def statement(sums: Mapping[str, str], data: str, numerics: str) -> bytes:
    """The provenance of a record. sums: SHA-256 of its files, settings.yaml among them. data: the digest of its data.

    numerics: the name of the engine's arithmetic.
    """
    subjects = [{"name": name, "digest": {"sha256": sums[name]}} for name in sorted(sums)]
    made_of = [
        {"name": "data", "digest": {"sha256": data}},
        {"name": "settings", "digest": {"sha256": sums["settings.yaml"]}},
        *_code(),
    ]
    build = {
        "buildType": BUILD,
        "externalParameters": {"settings": "settings.yaml"},
        "internalParameters": {"numerics": numerics},
        "resolvedDependencies": made_of,
    }
    plain: dict[str, Any] = {"_type": STATEMENT, "subject": subjects, "predicateType": PREDICATE}
    plain["predicate"] = {"buildDefinition": build, "runDetails": {"builder": {"id": BUILDER}}}
    return _sealed(plain)


def read_provenance(folder: Path, sums: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """A record's statement; None for a record that has none. ProvenanceError when it is damaged, or another record's.

    sums: the digests of files that were held against them already.
    """
    path = folder / PROVENANCE
    try:
        if path.stat().st_size > LARGEST:
            raise ProvenanceError(f"{path}: is larger than any provenance")
        content = path.read_bytes()
        plain: dict[str, Any] = read_json(content)
        subjects = {subject["name"]: subject["digest"]["sha256"] for subject in plain["subject"]}
        seal = plain["predicate"]["runDetails"].pop("metadata")
        if content != _sealed(plain) or not isinstance(seal, dict):
            raise ProvenanceError(f"{path}: is damaged, its invocationId is not that of its text")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProvenanceError(f"{path}: is no provenance of a record ({type(error).__name__})") from None
    known = sums or {}
    wrong = [name for name, digest in subjects.items() if (known.get(name) or _digest(folder / Path(name).name)) != digest]
    if wrong:
        raise ProvenanceError(f"{path}: is not that of the record beside it, {wrong[0]} differs")
    return plain


def material(plain: Mapping[str, Any], name: str) -> str:
    """The digest of one of the things that a record was made of; empty when its statement does not name it."""
    for entry in plain["predicate"]["buildDefinition"]["resolvedDependencies"]:
        if entry.get("name") == name:
            return str(next(iter(entry["digest"].values())))
    return ""


def stated_numerics(plain: Mapping[str, Any]) -> str:
    """The name of the arithmetic that a statement names. KeyError or TypeError for what is no statement."""
    return str(plain["predicate"]["buildDefinition"]["internalParameters"]["numerics"])


@cache
def _code() -> tuple[dict[str, Any], ...]:
    found: list[dict[str, Any]] = [{"name": "arithmetic", "digest": {"sha256": arithmetic()}}]
    lock = project.root() / LOCK
    if project.is_checkout() and lock.is_file():
        found.append({"name": LOCK, "digest": {"sha256": sha256(lock.read_bytes())}})
    code = checkout.code()
    if code:
        found.append({"name": "code", "digest": {"gitCommit": code.commit}, "annotations": {"changed": code.changed}})
    return tuple(found)


def _sealed(plain: dict[str, Any]) -> bytes:
    """The statement with a digest of all its rest: what is changed in it is noticed."""
    seal = sha256(json.dumps(plain, sort_keys=True).encode())
    details = {**plain["predicate"]["runDetails"], "metadata": {"invocationId": f"sha256:{seal}"}}
    predicate = {**plain["predicate"], "runDetails": details}
    return (json.dumps({**plain, "predicate": predicate}, indent=1) + "\n").encode()


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()) if path.is_file() else ""
