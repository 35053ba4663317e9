"""When points and sweeps began and ended: lines in an experiment's work/times.jsonl, beside the records, which hold no times.

What the file does not say, or when it is gone, follows from the records' files.
"""

import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..base.plain_json import read_json

TIMES = Path("work") / "times.jsonl"
# What milliseconds since 1970 can be: a store takes no others.
LATEST = 10**14

Entry = dict[str, Any]


def note(experiment: Path, entry: Entry) -> None:
    """Append a line, whole, whoever else appends; a disk that is full only costs the line."""
    line = (json.dumps(entry) + "\n").encode()
    with contextlib.suppress(OSError):
        handle = os.open(experiment / TIMES, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)


@dataclass
class Times:
    """The times of one experiment, in milliseconds; lines that others append meanwhile are read when they are asked for."""

    experiment: Path
    sweeps: list[Entry] = field(default_factory=list)
    _points: dict[str, Entry] = field(default_factory=dict)
    _read: int = 0

    def began(self, key: str) -> int | None:
        """When a point was first begun; a record of which nothing is noted, when it was written."""
        return self._of(key, "began") or self.ended(key)

    def ended(self, key: str) -> int | None:
        """When a point's record was first written."""
        return self._of(key, "ended") or _written(self.experiment / "points" / key / "result.json")

    def sweep(self, points: str) -> Entry | None:
        """The last sweep that came to these points, as it was noted."""
        self._update()
        return next((entry for entry in reversed(self.sweeps) if entry.get("points") == points), None)

    def other_sweeps(self, points: str) -> list[Entry]:
        """Sweeps that came to other points than these, each as it was noted last, in the order in which they ended; those whose
        points are known, by `keys`."""
        self._update()
        found: dict[str, Entry] = {}
        for entry in self.sweeps:
            if isinstance(entry.get("points"), str):
                found[entry["points"]] = {**found.pop(entry["points"], {}), **entry}
        found.pop(points, None)
        return [entry for entry in found.values() if isinstance(entry.get("keys"), list)]

    def _of(self, key: str, name: str) -> int | None:
        if name not in self._points.get(key, {}):
            self._update()
        return self._points.get(key, {}).get(name)

    def _update(self) -> None:
        try:
            with (self.experiment / TIMES).open("rb") as file:
                file.seek(self._read)
                lines = file.read().splitlines(keepends=True)
        except OSError:
            return
        for line in lines:
            if not line.endswith(b"\n"):
                break
            self._read += len(line)
            # A power cut can have left half a line.
            with contextlib.suppress(ValueError):
                self._take(read_json(line))

    def _take(self, entry: Any) -> None:
        if not isinstance(entry, dict) or not all(_is_time(entry[name]) for name in ("began", "ended") if name in entry):
            return
        if isinstance(entry.get("sweep"), str):
            self.sweeps.append(entry)
        elif isinstance(entry.get("point"), str):
            self._points[entry["point"]] = {**entry, **self._points.get(entry["point"], {})}


def _is_time(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < LATEST


def _written(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns // 1_000_000
    except OSError:
        return None
