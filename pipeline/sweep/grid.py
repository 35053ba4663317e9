"""A grid: the settings of a sweep's points, and its file, experiments/<name>/config.yaml."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from ..base.errors import FileError, SettingsError
from ..base.files import write_text
from ..base.plain_yaml import read_yaml
from ..settings import Settings, flatten, parse

# What decides the results, and where they lie; the rest says who computes and who watches.
DECIDING = ("name", "seed", "data", "model", "training")
USUAL = ("model.kernel_size", "training.alpha", "training.iterations")
HEAD = "# Composed from conf/; written by the stages compose and train.\n"


@dataclass(frozen=True)
class Grid:
    """points: their settings, in the sweep's order. swept: the dotted names of those that differ between points."""

    points: tuple[Settings, ...]
    swept: tuple[str, ...]

    @staticmethod
    def of(points: Iterable[Settings]) -> "Grid":
        found = tuple(dict.fromkeys(points))
        keys = flatten(deciding(found[0]))
        return Grid(found, tuple(key for key in keys if len({repr(value_of(point, key)) for point in found}) > 1))

    @property
    def first(self) -> Settings:
        return self.points[0]

    def text(self) -> str:
        """The grid as yaml: the first point's settings, and for each point those that differ between points."""
        points = [{key: value_of(point, key) for key in self.swept} for point in self.points]
        plain = {**deciding(self.first), "points": points}
        return HEAD + yaml.dump(plain, Dumper=yaml.CSafeDumper, sort_keys=False)

    def name(self, settings: Settings) -> str:
        """A point by the settings it does not share with the others, short names; by the usual three when it is alone."""
        return " ".join(f"{key.rpartition('.')[2]}={value_of(settings, key)}" for key in self.swept or USUAL)


def value_of(settings: Settings, key: str) -> Any:
    """A setting by its dotted name."""
    found: Any = settings
    for part in key.split("."):
        found = getattr(found, part)
    return found


def deciding(settings: Settings) -> dict[str, Any]:
    """The settings that a grid file holds, as plain values."""
    plain = asdict(settings)
    return {key: plain[key] for key in DECIDING} | {"compute": {"engine": settings.compute.engine}}


def write_grid(grid: Grid) -> Path:
    """Write the experiment's config.yaml, unless it already says the same."""
    text, path = grid.text(), grid.first.folder / "config.yaml"
    write_text(path, text)
    return path


def read_grid(folder: Path) -> Grid:
    """The grid that was last composed for an experiment. FileError when its config.yaml is missing or damaged."""
    path = folder / "config.yaml"
    try:
        return grid_of(path.read_bytes(), folder.parent)
    except FileNotFoundError:
        known = sorted(p.parent.name for p in folder.parent.glob("*/config.yaml"))
        there = f"there is {', '.join(known)}" if known else "nothing has run there"
        raise FileError(f"{path}: no such experiment; {there}") from None
    except (OSError, ValueError, AttributeError, KeyError, TypeError, IndexError) as error:
        reason = (str(error) or repr(error)).splitlines()[0]
        raise FileError(f"{path}: is not a grid ({reason}); train writes a new one") from None


def grid_of(content: bytes, experiments: Path) -> Grid:
    """The grid that a config.yaml tells, its experiment lying in `experiments`. It raises what reading damaged text does."""
    plain = read_yaml(content)
    points = plain.pop("points")
    plain["paths"] = {"experiments": str(experiments)}
    return Grid.of(parse(with_values(plain, point)) for point in points)


def check_own_name(grid: Grid, changed: Sequence[str], searched: Sequence[str] = ()) -> None:
    """SettingsError when a named sweep that the command line changed would take the place of the one that is there.

    changed: the words that changed it. searched: the settings that a search draws: of these the grid knows nothing yet.
    """
    folder = grid.first.folder
    if not changed or not (folder / "config.yaml").is_file():
        return
    try:
        there = read_grid(folder)
    except FileError:
        # Nothing that could be lost.
        return
    same = _without(searched, there) == _without(searched, grid) if searched else there.text() == grid.text()
    if len(grid.points) + len(there.points) > 2 and not same:
        right = f"add name=NAME, or change conf/experiment/{folder.name}.yaml"
        raise SettingsError([f"name: {folder} holds experiment={folder.name} without {' '.join(changed)}; {right}"])


def _without(keys: Sequence[str], grid: Grid) -> set[str]:
    """The points' settings but for these."""
    plain = (flatten(deciding(point)) for point in grid.points)
    return {repr([(key, value) for key, value in each.items() if key not in keys]) for each in plain}


def with_values(plain: dict[str, Any], values: dict[str, Any], new: Sequence[str] = ()) -> dict[str, Any]:
    """A copy of nested settings with values laid over it by their dotted names. KeyError for a name that is not there, unless
    it is among `new`."""
    found = deepcopy(plain)
    for key, value in values.items():
        *groups, name = key.split(".")
        place = found
        for group in groups:
            place = place.setdefault(group, {}) if key in new else place[group]
            if not isinstance(place, dict):
                raise KeyError(key)
        if name not in place and key not in new:
            raise KeyError(key)
        place[name] = value
    return found
