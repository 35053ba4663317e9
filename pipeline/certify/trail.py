"""A record that is to be proved: its settings, its data, the engine that it names, and what is said of where it comes from."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from ..base.errors import DataError, FileError, SettingsError
from ..data.dataset import Dataset
from ..data.prepared import load
from ..heads.choices import NUMERICS
from ..records.fingerprint import trajectory
from ..records.origin import dataset_of
from ..records.provenance import ProvenanceError, arithmetic, material
from ..records.record import Record
from ..settings import Settings, parse
from ..sweep.points import data_faults


class NothingToComputeError(FileError):
    """A record's files are those that were written, and what it was computed from is not here."""


@dataclass(frozen=True)
class Claim:
    """A record whose files are those that were written, and all that is needed to compute it again. notes: what is to be said
    of it, and is no fault. unproven: what is wrong with its provenance, which its numbers do not need."""

    record: Record
    settings: Settings
    dataset: Dataset = field(repr=False)
    trajectory: str
    notes: tuple[str, ...] = ()
    unproven: str = ""


def held(record: Record) -> tuple[Settings, str, tuple[str, ...]]:
    """Hold a record against its checksums, its settings and the name of its data: the settings, with the engine for which they
    make its trajectory; the trajectory; what is to be said. FileError, one line, when any does not fit."""
    provenance = record.check(_place(record), record.result.iterations)
    settings = _settings(record)
    if provenance is None:
        return settings, _place(record), ("no provenance says which source computed it",)
    changed = material(provenance, "arithmetic") != arithmetic()
    return settings, _place(record), ("the arithmetic's source changed since it was made",) if changed else ()


def _place(record: Record) -> str:
    return record.trajectory or record.folder.parent.name


def _settings(record: Record) -> Settings:
    """Those of a record whose checksums hold, with the engine for which they make its trajectory."""
    try:
        settings = parse(record.settings)
    except SettingsError as error:
        raise FileError(f"{record.folder / 'settings.yaml'}: {error.faults[0]}") from None
    if settings.training.iterations != record.result.iterations:
        counts = f"{settings.training.iterations} iterations, result.json {record.result.iterations}"
        raise FileError(f"{record.folder / 'settings.yaml'}: has {counts}")
    # Before anything is computed: losses for each iteration, so that what is claimed costs no more than what is there.
    assert len(record.losses) == record.result.iterations
    return _with_engine(record, settings, _place(record))


def claim(record: Record) -> Claim:
    """A record that is held, with its data. FileError, one line, when any does not fit; NothingToComputeError when the data is
    not here."""
    unproven, notes = "", tuple[str, ...]()
    try:
        settings, place, notes = held(record)
    except ProvenanceError as error:
        # Computing tells which number it is that the statement does not know.
        settings, place, unproven = _settings(record), _place(record), str(error)
    try:
        dataset, said = _data(record, settings)
    except NothingToComputeError:
        if unproven:
            raise FileError(unproven) from None
        raise
    faults = data_faults(settings, dataset)
    if faults:
        raise FileError(f"{record.folder / 'settings.yaml'}: {faults[0]}")
    return Claim(record, settings, dataset, place, (*notes, *said), unproven)


def _with_engine(record: Record, settings: Settings, name: str) -> Settings:
    """The settings with the engine for which they make the trajectory that the record bears."""
    for engine in NUMERICS:
        chosen = replace(settings, compute=replace(settings.compute, engine=engine))
        if trajectory(chosen, record.result.data) == name:
            return chosen
    known = ", ".join(NUMERICS.values())
    raise FileError(
        f"{record.folder}: its settings, its data and the numerics of this version ({known}) make another trajectory than "
        f"{name}: its settings were changed, or another version computed it"
    )


def _data(record: Record, settings: Settings) -> tuple[Dataset, tuple[str, ...]]:
    """From the source that the settings name; where that is gone or holds other data, as it was prepared beside the record."""
    found = _load(replace(settings, name="", training=Settings().training, model=Settings().model))
    if found is not None and found.digest == record.result.data:
        return found, ()
    try:
        prepared = dataset_of(record)
    except FileError as error:
        why = str(error).removeprefix(f"{record.folder}: ")
        raise NothingToComputeError(f"its checksums hold, but nothing could be computed: {why}") from None
    return prepared, ("the source that its settings name is not here, or gives other data: prepared data was used",)


@lru_cache(maxsize=2)
def _load(settings: Settings) -> Dataset | None:
    try:
        return load(settings)
    except DataError:
        return None


def by_trajectory(claims: Iterable[Claim]) -> list[list[Claim]]:
    """Claims that one training passes through, fewest iterations first."""
    found: dict[str, list[Claim]] = {}
    for each in claims:
        found.setdefault(each.trajectory, []).append(each)
    return [sorted(group, key=lambda each: each.record.result.iterations) for group in found.values()]
