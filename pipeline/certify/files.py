"""Files that a comparison of all points of an experiment writes: those that are committed, and the digests of others that
dvc.lock holds, against those made anew."""

import hashlib
import json
import os
from pathlib import Path

from ..base.plain_yaml import read_yaml
from .differ import Difference

TABLE, LOCK = "points.csv", "dvc.lock"
COMMITTED = (TABLE, "summary.csv", "metrics.json")
LOCKED = ("y_hat.csv", "champion", "plots/losses.csv", "plots/confusion.csv")


def against_files(committed: Path, made: Path) -> tuple[str, dict[str, list[Difference]]]:
    """What was held against the files that were made anew, in words; and where it differs, by path."""
    digests, faults = _digests(committed), dict[str, list[Difference]]()
    there = [name for name in COMMITTED if (committed / name).is_file()]
    for name in there:
        differ = _line_differs(name, (committed / name).read_bytes(), (made / name).read_bytes())
        faults |= {os.path.relpath(committed / name): [differ]} if differ else {}
    locked = [name for name in LOCKED if name in digests and (made / name).exists()]
    for name in locked:
        if digests[name] != digest(made / name):
            words = f"{digests[name]}, its digest in {LOCK}, is not that of what training gives, {digest(made / name)}"
            faults[os.path.relpath(committed / name)] = [Difference(name, words)]
    held = ", ".join(there) + (f" and, by the digests in {LOCK}, {', '.join(locked)}" if locked else "")
    return held, faults


def _line_differs(name: str, held: bytes, right: bytes) -> Difference | None:
    if held == right:
        return None
    lines, wanted = (content.decode("utf-8", "replace").splitlines() for content in (held, right))
    if len(lines) != len(wanted):
        return Difference(name, f"{len(lines)} lines, {len(wanted)} are right")
    for number, (line, other) in enumerate(zip(lines, wanted, strict=True), 1):
        if line != other:
            at = next((j for j, (a, b) in enumerate(zip(line, other, strict=False)) if a != b), 0)
            here = slice(max(0, at - 20), at + 40)
            return Difference(name, f"line {number} has {line[here]!r}, {other[here]!r} is right")
    return Difference(name, "other bytes that hold the same lines")


def _digests(folder: Path) -> dict[str, str]:
    """What dvc.lock, in the folder above the experiments', says of the files of one; nothing where it is not there."""
    root = folder.resolve().parents[1]
    try:
        stages = read_yaml((root / LOCK).read_bytes())["stages"].values()
        outs = {str(out["path"]): str(out["md5"]) for stage in stages for out in stage.get("outs", ())}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    prefix = f"{folder.resolve().relative_to(root).as_posix()}/"
    return {path.removeprefix(prefix): digest for path, digest in outs.items() if path.startswith(prefix)}


def digest(path: Path) -> str:
    """MD5 of a file, or of a folder's files as DVC makes it."""
    if path.is_file():
        return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    files = [{"md5": digest(each), "relpath": each.name} for each in sorted(path.iterdir())]
    return hashlib.md5(json.dumps(files, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
