"""Whether data.fold and data.folds decide the split, or the data brings one of its own."""

from collections.abc import Iterable

from ..base.errors import DataError, SettingsError
from ..settings import DataSettings
from . import fashion_mnist, idx, images
from .folders import source_path

USUAL = DataSettings()


def check_folds(found: Iterable[DataSettings]) -> None:
    """SettingsError for folds that would change nothing: a sweep over them would show one point as many, all alike."""
    lines: dict[str, None] = {}
    for data in dict.fromkeys(found):
        keys = [key for key in ("fold", "folds") if getattr(data, key) != getattr(USUAL, key)]
        why = _own_split(data) if keys else ""
        lines |= {f"data.{key}: has no effect, {why}; sweep over seed instead": None for key in keys if why}
    if lines:
        raise SettingsError(list(lines))


def _own_split(data: DataSettings) -> str:
    """Why no fold is the test split; empty where one is, and for what is not there: its reader says so."""
    if data.source == "notebook":
        return "data=notebook has one image and nothing to test on"
    if data.source not in ("images", "idx", "fashion_mnist"):
        return ""
    try:
        folder = source_path(data.path or fashion_mnist.FOLDER)
        has_test = images.has_test(folder) if data.source == "images" else idx.has_test(folder)
    except (DataError, OSError):
        return ""
    return f"{folder} has a test split of its own" if has_test else ""
