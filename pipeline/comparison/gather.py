"""Any set of records side by side: what they differ in, what can be joined, what cannot be compared."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..base.errors import SettingsError
from ..base.text import quoted_if_blank
from ..records.record import Record
from .compare import SideBySide, axes_for, side_by_side
from .labels import label
from .select import differing, flat_settings, name_of

# Of records that differ in no setting: the experiment, then what tells one engine's numbers from another's.
EXPERIMENT, TRAJECTORY = "name", "trajectory"
# Names in a note.
MOST_NAMED = 4


def gather(records: Sequence[Record]) -> SideBySide:
    """The records by names of the settings that they differ in. SettingsError when there is none."""
    if not records:
        raise SettingsError(["points: there are none to compare"])
    keys = axes_for(differing(records))
    values = [flat_settings(record) | {TRAJECTORY: _trajectory(record)} for record in records]
    for more in ((), (EXPERIMENT,), (TRAJECTORY,)):
        keys = [*more, *keys]
        told = [[each.get(key) for key in keys] for each in values]
        if len(set(map(repr, told))) == len(records):
            break
    names = [name_of(record, keys, {TRAJECTORY: _trajectory(record)}) for record in records]
    return side_by_side(dict(zip(names, records, strict=True)), told, keys)


def notes(records: Mapping[str, Record]) -> list[str]:
    """What one should know before comparing these points, a line each."""
    said = []
    classes = list(dict.fromkeys(tuple(record.classes) for record in records.values()))
    if len(classes) > 1:
        shown = "; ".join(label(f"{len(names)} ({', '.join(map(quoted_if_blank, names))})") for names in classes[:MOST_NAMED])
        more = f"; and {len(classes) - MOST_NAMED} more" if len(classes) > MOST_NAMED else ""
        said.append(f"note: the points have different classes: {shown}{more}")
    data = data_names(records)
    if data:
        counts = {name: list(data.values()).count(name) for name in dict.fromkeys(data.values())}
        shown = ", ".join(f"{label(name)} ({count})" for name, count in list(counts.items())[:MOST_NAMED])
        more = f" and {len(counts) - MOST_NAMED} more" if len(counts) > MOST_NAMED else ""
        said.append(f"note: the points saw different images: {shown}{more}; metrics compare within each")
    return said


def data_names(records: Mapping[str, Record]) -> dict[str, str]:
    """What each point's images are called, where they are not all the same; then y-hat vectors are joined within each."""
    known: dict[tuple[Any, ...], str] = {}
    found = {}
    for point, record in records.items():
        settings = flat_settings(record)
        # The notebook draws its image from the seed; elsewhere seeds and folds are other splits of the same images.
        drawn = settings.get("seed") if settings.get("data.source") == "notebook" else None
        parts = [settings.get("data.source"), settings.get("data.path"), settings.get("data.size"), drawn]
        same = (*parts, tuple(record.classes))
        if same not in known:
            name = " ".join(str(part) for part in parts if part is not None)
            known[same] = name if name not in known.values() else f"{name} {len(known) + 1}"
        found[point] = known[same]
    return found if len(known) > 1 else {}


def _trajectory(record: Record) -> str:
    return "/".join(record.folder.resolve().parts[-2:])
