"""Any set of records side by side, by what they differ in."""

from collections.abc import Sequence

from ..base.errors import SettingsError
from ..records.record import Record
from .compare import SideBySide, axes_for, side_by_side
from .select import differing, flat_settings, name_of

# Of records that differ in no setting: the experiment, then what tells one engine's numbers from another's.
EXPERIMENT, TRAJECTORY = "name", "trajectory"


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


def _trajectory(record: Record) -> str:
    return "/".join(record.folder.resolve().parts[-2:])
