"""Settings of data that would change nothing: whoever gives one believes that it does."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..base.errors import DataError, SettingsError
from ..settings import DataSettings
from . import fashion_mnist, idx, images
from .folders import source_path

USUAL = DataSettings()
# They read no file of a person's own.
WITHOUT_PATH = ("digits", "notebook")


def check_used(found: Iterable[DataSettings]) -> None:
    """The data of all points of a command. SettingsError, a line a setting, for a data.path that none of them reads, and folds
    that decide no split: a sweep over them would show one point as many, all alike."""
    given = tuple(dict.fromkeys(found))
    lines = [*_unread(given), *_undivided(given, "fold"), *_undivided(given, "folds")]
    if lines:
        raise SettingsError(list(dict.fromkeys(lines)))


def _unread(given: Sequence[DataSettings]) -> list[str]:
    named = [data for data in given if data.path is not None]
    if any(data.source not in WITHOUT_PATH for data in named):
        return []
    right = "which reads no file; add data=arrays (a .npz), data=images or data=idx (a folder)"
    return [f"data.path: must be null with data={data.source}, {right}" for data in named]


def _undivided(given: Sequence[DataSettings], key: str) -> list[str]:
    changed = [data for data in given if getattr(data, key) != getattr(USUAL, key)]
    why = {data: _own_split(data) for data in changed}
    # Beside data that is divided by it, it may be there once: it makes no second point.
    refused = [data for data in changed if why[data] and (all(why.values()) or _has_double(data, key, given))]
    return [f"data.{key}: has no effect with data={data.source}, {why[data]}; sweep over seed instead" for data in refused]


def _has_double(data: DataSettings, key: str, given: Sequence[DataSettings]) -> bool:
    """Whether another differs in nothing but this setting."""
    return any(other != data and replace(other, **{key: getattr(data, key)}) == data for other in given)


def _own_split(data: DataSettings) -> str:
    """Why no fold is the test split; empty where one is, and for what is not there: its reader says so."""
    if data.source == "notebook":
        return "which has one image and nothing to test on"
    if data.source not in ("images", "idx", "fashion_mnist"):
        return ""
    try:
        folder = source_path(data.path or fashion_mnist.FOLDER)
        has_test = images.has_test(folder) if data.source == "images" else idx.has_test(folder)
    except (DataError, OSError):
        return ""
    return f"{folder} has a test split of its own" if has_test else ""
