"""ro-crate-metadata.json: RO-Crate 1.1 with the profile Process Run Crate 0.5. Each point is an action with its inputs and its
outputs; its instrument is the software. No times and no names of machines: the same records have the same crate."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Any

from ..records.provenance import LOCK, arithmetic
from ..records.record import SUMS
from .citation import Citation
from .contents import Contents, Made, Part

METADATA = "ro-crate-metadata.json"
CRATE, PROCESS = "https://w3id.org/ro/crate/1.1", "https://w3id.org/ro/wfrun/process/0.5"
# RO-Crate 1.1 knows no checksum; the terms of workflow runs do.
CONTEXT = [f"{CRATE}/context", {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}]
FORMATS = {
    ".yaml": "application/yaml",
    ".json": "application/json",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".html": "text/html",
    ".png": "image/png",
    ".npz": "application/zip",
    ".npy": "application/octet-stream",
}
UNSTATED = "No licence is stated: ask whoever sent it."

Entity = dict[str, Any]


def metadata(held: Contents, cited: Citation | None) -> bytes:
    """The crate's description of itself."""
    software = {each["@id"]: each for each in map(_software, held.points)}
    values = {each["@id"]: each for point in held.points for each in _values(point, held.lock)}
    authors = list(cited.authors) if cited else []
    graph = [
        {"@id": METADATA, "@type": "CreativeWork", "conformsTo": {"@id": CRATE}, "about": {"@id": "./"}},
        _root(held, cited),
        {"@id": PROCESS, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        *(_licence(cited) if cited else []),
        *authors,
        *software.values(),
        *values.values(),
        *(_action(point, held) for point in held.points),
        *(_file(part) for part in held.files),
    ]
    return (json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False) + "\n").encode()


def _root(held: Contents, cited: Citation | None) -> Entity:
    points = f"{len(held.points)} points" if len(held.points) > 1 else "1 point"
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": held.name,
        "description": f"One-vs-rest convolutional heads: the experiment {held.name}, {points}, grid and comparison",
        "datePublished": cited.released if cited else _last_day(held.points),
        "license": {"@id": _licence(cited)[0]["@id"]} if cited else UNSTATED,
        "conformsTo": {"@id": PROCESS},
        "hasPart": _refs(part.path for part in held.files),
        "mentions": _refs(map(_action_id, held.points)),
    }
    return {**root, "author": _refs(each["@id"] for each in cited.authors)} if cited else root


def _action(point: Made, held: Contents) -> Entity:
    """Training to one point. The settings are an input that the record carries."""
    settings, *made = point.files
    values = [each["@id"] for each in _values(point, held.lock)]
    lock = [held.lock.path] if held.lock and point.digest(LOCK) == held.lock.sha256 else []
    return {
        "@id": _action_id(point),
        "@type": "CreateAction",
        "name": point.name,
        "description": f"trajectory {point.key.partition('/')[0]}, trained to {point.record.result.iterations} iterations",
        "instrument": {"@id": _software(point)["@id"]},
        "object": _refs([settings.path, held.grid.path, *lock, *values]),
        "result": _refs(part.path for part in made),
    }


def _software(point: Made) -> Entity:
    """What computed a record, as its provenance tells."""
    sources, commit, changed = point.digest("arithmetic"), point.digest("code"), point.changed
    known = [version("ovrcnn")] if sources == arithmetic() else []
    known += [f"commit {commit}{', changed' if changed else ''}"] if commit else []
    name = ":".join(part for part in (commit, sources[:16], "changed" if changed else "") if part)
    return {
        "@id": f"urn:ovrcnn:{name or 'unknown'}",
        "@type": "SoftwareApplication",
        "name": "ovrcnn",
        "softwareVersion": ", ".join(known) or "not recorded",
        "description": f"SHA-256 of the sources of its arithmetic: {sources or 'not recorded'}",
    }


def _values(point: Made, lock: Part | None) -> list[Entity]:
    """Inputs that are no file of the crate: the data, the engine's arithmetic, another checkout's lock file."""
    data, other = point.record.result.data, point.digest(LOCK)
    found = [_value(f"data-{data[:16]}", "data", data, "SHA-256 of images, labels, split and scale")]
    if other and (lock is None or other != lock.sha256):
        found.append(_value(f"lock-{other[:16]}", LOCK, other, "SHA-256 of the versions of all packages"))
    if point.numerics:
        found.append(_value(f"numerics-{point.numerics}", "numerics", point.numerics, "name of the engine's arithmetic"))
    return found


def _value(name: str, title: str, value: str, what: str) -> Entity:
    return {"@id": f"#{name}", "@type": "PropertyValue", "name": title, "description": what, "value": value}


def _file(part: Part) -> Entity:
    suffix = PurePosixPath(part.path).suffix
    return {
        "@id": part.path,
        "@type": "File",
        "name": part.what,
        "encodingFormat": FORMATS.get(suffix, "text/plain"),
        "contentSize": str(part.size),
        "sha256": part.sha256,
    }


def _licence(cited: Citation) -> list[Entity]:
    address = f"https://spdx.org/licenses/{cited.licence}"
    return [{"@id": address, "@type": "CreativeWork", "name": cited.licence, "description": "licence of records and software"}]


def _last_day(points: Sequence[Made]) -> str:
    last = max((point.record.folder / SUMS).stat().st_mtime for point in points)
    return datetime.fromtimestamp(last, UTC).date().isoformat()


def _action_id(point: Made) -> str:
    return f"#point-{point.key.replace('/', '-')}"


def _refs(ids: Iterable[str]) -> Entity | list[Entity]:
    """RO-Crate writes one reference without a list."""
    found = [{"@id": each} for each in ids]
    return found[0] if len(found) == 1 else found
