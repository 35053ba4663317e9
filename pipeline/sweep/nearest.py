"""Why a trajectory has to be trained: what sets it apart from the nearest one that is recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..base.errors import SettingsError
from ..base.plain_json import read_json
from ..base.plain_yaml import read_yaml
from ..heads.choices import NUMERICS
from ..records.fingerprint import trajectory
from ..records.provenance import PROVENANCE, stated_numerics
from ..records.record import recorded
from ..records.shelf import SHELF
from ..settings import Settings, flatten, parse
from .point import Point

DATA, ARITHMETIC, ITERATIONS = "data", "numerics", "training.iterations"
UNKNOWN = "of another version"
# Rows that are compared at once, for bounded memory.
ROWS = 256


@dataclass(frozen=True)
class Difference:
    """What differs: a setting, `data` or `numerics`; as it was recorded, and as it is wanted now."""

    what: str
    then: str
    now: str

    def __str__(self) -> str:
        return f"{self.what} {self.then} -> {self.now}"


def nearest(folder: Path, points: Sequence[Point]) -> list[tuple[str, tuple[Difference, ...]]]:
    """For each point, of a trajectory that is not recorded, the nearest that is in the experiment, by name, and what differs:
    ("", ()) when nothing is recorded there."""
    there = _recorded(folder)
    if not there or not points:
        return [("", ())] * len(points)
    names, held = list(there), list(there.values())
    wanted = [_facts(recorded(p.settings), p.dataset.digest, NUMERICS[p.settings.compute.engine]) for p in points]
    keys = sorted({key for facts in (*held, *wanted) for key in facts} - {"name", ITERATIONS})
    near = _nearest_rows(_codes(keys, wanted, held), len(wanted))
    return [
        (names[row], _differences(keys, held[row], facts, point.settings))
        for row, facts, point in zip(near, wanted, points, strict=True)
    ]


def _recorded(folder: Path) -> dict[str, Mapping[str, str]]:
    """The facts of each trajectory with a record, by its name; those on the shelf come last."""
    found: dict[str, Mapping[str, str]] = {}
    for path in [*sorted((folder / "points").glob("*/*")), *sorted((folder / SHELF).glob("*/*"))]:
        name = path.parent.name
        if name in found:
            continue
        try:
            plain = read_yaml((path / "settings.yaml").read_bytes())
            digest = str(read_json((path / "result.json").read_bytes())["data"])
            found[name] = _facts(plain, digest, numerics_of(path, name, plain, digest))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            # Damaged: training says so.
            continue
    return found


def numerics_of(folder: Path, name: str, plain: Mapping[str, Any], digest: str) -> str:
    """The numerics of a record: as its provenance says; of one without, those that make its trajectory's name, or UNKNOWN."""
    try:
        return stated_numerics(read_json((folder / PROVENANCE).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    for engine, numerics in NUMERICS.items():
        try:
            settings = parse({**plain, "compute": {"engine": engine}})
        except SettingsError:
            break
        if trajectory(settings, digest) == name:
            return numerics
    return UNKNOWN


def _facts(plain: Mapping[str, object], digest: str, numerics: str) -> Mapping[str, str]:
    """All that a trajectory's name is made of, as text."""
    flat = {key: str(value) for key, value in flatten(plain).items()}
    return {**flat, DATA: digest, ARITHMETIC: numerics}


def _codes(keys: Sequence[str], *sides: Sequence[Mapping[str, str]]) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """A row for each of all facts, wanted ones first; a column a key, equal numbers where the facts are equal."""
    rows = [facts for side in sides for facts in side]
    columns = []
    for key in keys:
        values = [facts.get(key, "") for facts in rows]
        place = {value: number for number, value in enumerate(dict.fromkeys(values))}
        if len(place) > 1:
            columns.append([place[value] for value in values])
    return np.array(columns, np.int32).T if columns else np.zeros((len(rows), 0), np.int32)


def _nearest_rows(codes: np.ndarray[tuple[int, int], np.dtype[np.int32]], wanted: int) -> list[int]:
    """For each of the first rows, which of the others differs in the fewest columns."""
    there, found = codes[wanted:], []
    for first in range(0, wanted, ROWS):
        some = codes[first : min(first + ROWS, wanted)]
        differ = np.zeros((len(some), len(there)), np.int16)
        for column in range(codes.shape[1]):
            differ += some[:, column, None] != there[None, :, column]
        found += differ.argmin(axis=1).tolist()
    return found


def _differences(
    keys: Sequence[str], then: Mapping[str, str], now: Mapping[str, str], settings: Settings
) -> tuple[Difference, ...]:
    same_data = then[DATA] == now[DATA]
    changed = [key for key in keys if then.get(key, "absent") != now.get(key, "absent") and key not in (DATA, ARITHMETIC)]
    # A path or a fold that leads to the very same data decides nothing.
    changed = [key for key in changed if not (same_data and key.startswith("data."))]
    found = [Difference(key, then.get(key, "absent"), now.get(key, "absent")) for key in changed]
    if not same_data and not any(key.startswith("data.") or key == "seed" for key in changed):
        file = settings.data.path or settings.data.source
        found.append(Difference(f"data: {file}", then[DATA][:8], now[DATA][:8]))
    if not found and settings.training.schedule != "constant" and then.get(ITERATIONS) != now.get(ITERATIONS):
        found.append(Difference(ITERATIONS, then.get(ITERATIONS, ""), now[ITERATIONS]))
    if then[ARITHMETIC] not in (UNKNOWN, now[ARITHMETIC]):
        found.append(Difference(ARITHMETIC, then[ARITHMETIC], now[ARITHMETIC]))
    # The trajectories' names differ, and nothing else is left that could.
    return tuple(found) or (Difference(ARITHMETIC, UNKNOWN, now[ARITHMETIC]),)
