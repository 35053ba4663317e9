"""Points by the names that people give them, as records; the same for every command that takes points.

A source is an experiment's name or folder, the folder of a record or a trajectory, a trajectory's id (16 digits, /ITERATIONS
after it for one point), an MLflow run id, a registered model (models:/NAME@ALIAS), or SOURCE/best. A filter is a column of
points.csv, by its dotted or short name, and a value: alpha<0.5, model.kernel_size=3,5. `best`, or `champion`, is the best
point by validation, repeats averaged: what the comparison marks with a star.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from ..base import console
from ..base.errors import FileError, SettingsError
from ..base.project import expanded
from ..records.earlier import is_earlier
from ..records.record import Record, is_finished, read_record
from ..settings import Settings, flatten
from ..sweep.grid import read_grid, value_of
from ..training.result import CRITERIA
from .axes import REPEATS, short
from .filters import Filter, is_filter, read_filter
from .notes import of_images

T = TypeVar("T")
BEST = ("best", "champion")
TRAJECTORY = re.compile(r"([0-9a-f]{16})(?:/([0-9]+))?")
REMOTE = re.compile(r"[0-9a-f]{32}|(?:models|runs):/.+")
# Names of points in a message.
MOST_NAMED = 5


@dataclass(frozen=True)
class Places:
    """Where points are looked for. experiments: the folder of experiments. fetch: from an MLflow run id, or the address of a
    registered model, to the folders of its records."""

    experiments: Path
    fetch: Callable[[str], list[Path]]

    def known(self) -> list[str]:
        """The experiments that have records."""
        return sorted({path.parents[2].name for path in self.experiments.glob("*/points/*/*") if path.is_dir()})


def find_records(words: Sequence[str], places: Places) -> list[Record]:
    """The records that sources name and filters leave, each once: experiments' in their grids' order. SettingsError or
    FileError, with what there is, for a word that names nothing, and when nothing is left. A source of which nothing is left
    is said."""
    sources, filters = _parted(words)
    if not sources:
        sources = [_only_experiment(places)]
    found: dict[str, Record] = {}
    named: dict[str, set[str]] = {}
    for source in sources:
        records = [(_identity(record), record) for record in _records_of(source, places)]
        named[source] = {key for key, _ in records}
        for key, record in records:
            found.setdefault(key, record)
    kept = found
    for each in filters:
        left = filtered(list(kept), [flat_settings(record) | record.result.metrics for record in kept.values()], each)
        kept = {key: kept[key] for key in left}
    for source, keys in named.items():
        if keys.isdisjoint(kept):
            console.say(f"note: {source}: has no point with {' '.join(each.word for each in filters)}", error=True)
    return list(kept.values())


def find_point(words: Sequence[str], places: Places) -> Record:
    """The one point that is named: by a source that is one, by filters that leave one, or the best of those left where `best`
    or an experiment alone is said. SettingsError with the names of some of those left when they are several."""
    words = [part for word in words for part in _split(word)]
    rest = [word for word in words if word not in BEST]
    found = find_records(rest, places)
    if len(found) == 1:
        return found[0]
    if len(rest) < len(words) or not any(map(is_filter, rest)):
        return _told_best(" ".join(words), found)
    keys = differing(found)
    shown = "; ".join(name_of(record, keys) for record in found[:MOST_NAMED])
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    raise SettingsError([f"{' '.join(words)}: {len(found)} points are meant, name one or say best: {shown}{more}"])


def neighbours_of(record: Record) -> list[Record]:
    """All points of the record's experiment, itself included; only itself where its folder stands alone."""
    home = record.folder.resolve().parents[2]
    return _experiment(home, told=True) if record.folder.resolve().parents[1] == home / "points" else [record]


def best_of(records: Sequence[Record]) -> Record:
    """The best by validation accuracy, or by margin on training images where there is no validation split; of repeats, the
    first of those whose mean is the best."""
    metric = next(key for key in CRITERIA if any(key in record.result.metrics for record in records))
    groups: dict[str, list[Record]] = {}
    for record in records:
        same = {key: value for key, value in flat_settings(record).items() if key not in REPEATS}
        groups.setdefault(repr(same), []).append(record)
    return max(groups.values(), key=partial(_mean, metric))[0]


def _told_best(words: str, records: Sequence[Record]) -> Record:
    """The same; it is said where those that it is the best of saw different images."""
    images = of_images({str(number): record for number, record in enumerate(records)})
    if images:
        console.say(f"note: {words}: the best of points that saw different images: {images}", error=True)
    return best_of(records)


def flat_settings(record: Record) -> dict[str, Any]:
    """The settings that a record carries, by their dotted names."""
    return flatten(record.settings)


def differing(records: Sequence[Record]) -> list[str]:
    """The dotted settings that differ between records, in the order of settings.yaml. Experiments' names are no settings, and
    the same images may lie anywhere."""
    settings = [flat_settings(record) for record in records]
    keys = dict.fromkeys(key for each in settings for key in each)
    if len({record.result.data for record in records}) == 1:
        keys.pop("data.path", None)
    return [key for key in keys if key != "name" and len({repr(each.get(key)) for each in settings}) > 1]


def name_of(record: Record, keys: Iterable[str], more: Mapping[str, Any] = MappingProxyType({})) -> str:
    """A point by its values of these settings, as a sweep names it. more: values of keys that are no settings."""
    settings = {**flat_settings(record), **more}
    return " ".join(f"{short(key)}={settings.get(key)}" for key in keys)


def _identity(record: Record) -> str:
    """The same for the same point of two experiments, and for copies: all of a record's bytes but the experiment's name."""
    sums = {name: digest for name, digest in record.sums.items() if name != "settings.yaml"}
    return repr((sorted(sums.items()), {**record.settings, "name": None}))


def _split(word: str) -> list[str]:
    """A name given as one word, 'digits kernel_size=5'; a folder may have a space in its name."""
    return [word] if expanded(word).is_dir() else word.split()


def _parted(words: Sequence[str]) -> tuple[list[str], list[Filter]]:
    filters = [word for word in words if is_filter(word) and not Path(word).is_dir()]
    return [word for word in words if word not in filters], [read_filter(word) for word in filters]


def _only_experiment(places: Places) -> str:
    known = places.known()
    if len(known) == 1:
        return known[0]
    raise SettingsError([f"points: name an experiment first; {_there_is(places)}"])


def _records_of(source: str, places: Places) -> list[Record]:
    name, _, last = source.rpartition("/")
    if name and last in BEST:
        return [_told_best(source, _records_of(name, places))]
    here = places.experiments / source
    if (here / "points").is_dir() or (here / "config.yaml").is_file():
        return _experiment(here)
    path = expanded(source)
    if path.is_dir():
        return _folder(path)
    known = TRAJECTORY.fullmatch(source)
    if known:
        found = [p for p in places.experiments.glob(f"*/points/{known[1]}/{known[2] or '*'}") if is_finished(p)]
        if found:
            return [read_record(path) for path in _by_iterations(found)]
    if REMOTE.fullmatch(source):
        return [read_record(path) for path in places.fetch(source)]
    raise SettingsError([f"{source}: is no experiment, no folder of a record and no trajectory; {_there_is(places)}"])


def _there_is(places: Places) -> str:
    known = places.known()
    return f"{places.experiments} has {', '.join(known)}" if known else f"nothing has run in {places.experiments}"


def _folder(path: Path) -> list[Record]:
    """A record's folder, an experiment's, or a trajectory's."""
    if is_finished(path):
        return [read_record(path)]
    if (path / "points").is_dir():
        return _experiment(path)
    found = [each for each in path.iterdir() if is_finished(each)]
    if not found:
        raise FileError(f"{path}: holds no record; a record has settings.yaml, result.json and SHA256SUMS")
    return [read_record(each) for each in _by_iterations(found)]


def _by_iterations(folders: Iterable[Path]) -> list[Path]:
    return sorted(folders, key=lambda path: (path.parent, int(path.name) if path.name.isdecimal() else 0, path.name))


def _experiment(folder: Path, told: bool = False) -> list[Record]:
    """All records of an experiment, in its grid's order; those that are not of its grid come last. told: whether it is known
    that the grid cannot be read."""
    there = sorted(folder.glob("points/*/*"))
    records = [read_record(path) for path in there if is_finished(path)]
    if not records and any(map(is_earlier, there)):
        raise FileError(
            f"{folder}: has records of an earlier layout; `ovrcnn compare name={folder.name}` brings them to today's"
        )
    if not records:
        raise FileError(
            f"{folder}: has no records; `ovrcnn train` makes them, `dvc pull` fetches those of a committed experiment"
        )
    points: Sequence[Settings] = ()
    if (folder / "config.yaml").exists():
        try:
            points = read_grid(folder).points
        except FileError as error:
            if not told:
                console.say(f"note: {error}; points stand in the order of their settings", error=True)
    keys = [key for key in flat_settings(records[0]) if key != "name"]
    place = {repr([value_of(point, key) for key in keys]): number for number, point in enumerate(points)}

    def order(record: Record) -> tuple[Any, ...]:
        settings = flat_settings(record)
        values = [settings.get(key) for key in keys]
        sortable = [(0, value, "") if isinstance(value, (int, float)) else (1, 0, str(value)) for value in values]
        return place.get(repr(values), len(place)), sortable

    return sorted(records, key=order)


def filtered(items: Sequence[T], columns: Sequence[Mapping[str, Any]], wanted: Filter) -> list[T]:
    """Those that a filter leaves. columns: of each its settings and metrics, by their dotted names. SettingsError when none is
    left."""
    found = _column(wanted.key, columns)
    kept = [item for item, values in zip(items, columns, strict=True) if wanted.holds(values.get(found))]
    if not kept:
        there = list(dict.fromkeys(str(values.get(found)) for values in columns))
        more = ", ..." if len(there) > MOST_NAMED else ""
        raise SettingsError([f"{wanted.word}: no point is left; {found} is {', '.join(there[:MOST_NAMED])}{more}"])
    return kept


def _column(key: str, columns: Sequence[Mapping[str, Any]]) -> str:
    """A column by its whole or its short name."""
    known = dict.fromkeys(name for values in columns for name in values)
    found = [key] if key in known else [name for name in known if short(name) == key or name.startswith(f"{key}.")]
    if len(found) != 1 or found[0].startswith(f"{key}."):
        near = f"is {' or '.join(found)} meant?" if found else f"there are {', '.join(known)}"
        raise SettingsError([f"{key}: no such column of points.csv; {near}"])
    return found[0]


def _mean(metric: str, group: Sequence[Record]) -> float:
    mean = sum(record.result.metrics.get(metric, float("nan")) for record in group) / len(group)
    return mean if mean == mean else float("-inf")
