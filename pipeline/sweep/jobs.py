"""Every point of a grid as Hydra would give it: swept values laid over a composed base.

A base is composed once, and once more for each combination of swept config groups. So a point costs microseconds, not the 40
to 200 ms that Hydra takes for each of its jobs.
"""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..base import project
from ..base.errors import SettingsError
from ..data.folders import stored_path
from ..settings import Settings, did_you_mean, flatten, parse
from .axes import Axis
from .explain import explain
from .grid import with_values

PROJECT_PATH = re.compile(r"\$\{project:(\w+)\}")


@dataclass(frozen=True)
class Job:
    """A point as Hydra would give it: its settings, its overrides, the folder that hydra.sweep.subdir makes for it."""

    settings: Settings
    overrides: tuple[str, ...]
    folder: Path


def jobs_of(config_name: str, fixed: list[str], base: DictConfig, axes: list[Axis]) -> list[Job]:
    """Every point of the grid. SettingsError with all their faults."""
    groups = [axis for axis in axes if axis.values is None]
    bases: dict[tuple[str, ...], tuple[DictConfig, dict[str, Any]]] = {(): (base, plain_job(base))}
    jobs: list[Job] = []
    found: list[tuple[str, str]] = []
    new = [axis.key for axis in axes if axis.is_new]
    varied = [axis for axis in axes if len(axis.words) > 1]
    for chosen in itertools.product(*(range(len(axis.words)) for axis in axes)):
        pairs = list(zip(axes, chosen, strict=True))
        words = tuple(axis.words[i] for axis, i in pairs)
        shown = " ".join(axis.words[i] for axis, i in pairs if axis in varied)
        chosen_groups = tuple(axis.words[i] for axis, i in pairs if axis in groups)
        values = {axis.key: axis.values[i] for axis, i in pairs if axis.values is not None}
        try:
            if chosen_groups not in bases:
                config = compose(config_name, [*fixed, *chosen_groups], return_hydra_config=True)
                bases[chosen_groups] = config, plain_job(config)
            config, plain = bases[chosen_groups]
            plain = _laid_over(plain, values, new)
            settings = at_home(parse(OmegaConf.create(plain) if _has_interpolation(plain) else plain), Path.cwd())
            jobs.append(Job(settings, words, _folder(config, plain, words, len(jobs))))
        except SettingsError as error:
            found += [(shown, fault) for fault in error.faults]
        except (HydraException, OmegaConfBaseException) as error:
            found.append((shown, explain(error)))
    if found:
        raise SettingsError(said_once(found))
    return jobs


def said_once(faults: Iterable[tuple[str, str]]) -> list[str]:
    """Faults as lines, each once, with the first of the points that have it. faults: with the name of the point, empty where it
    has none."""
    points: dict[str, list[str]] = {}
    for name, fault in faults:
        points.setdefault(fault, []).append(name)
    lines = []
    for fault, (first, *others) in points.items():
        more = f" (and {len(others)} more point{'s'[len(others) == 1 :]})" if first and others else ""
        lines.append(f"{first}: {fault}{more}" if first else fault)
    return lines


def at_home(settings: Settings, here: Path) -> Settings:
    """Settings that were given in the folder `here`, as they can be used in any other."""
    path = settings.data.path
    return settings if path is None else replace(settings, data=replace(settings.data, path=stored_path(path, here)))


def _laid_over(plain: dict[str, Any], values: Mapping[str, Any], new: Sequence[str]) -> dict[str, Any]:
    try:
        return with_values(plain, dict(values), new)
    except KeyError as error:
        key = str(error.args[0])
        raise SettingsError([f"{key}: no such setting{did_you_mean(key)}"]) from None


def _has_interpolation(plain: dict[str, Any]) -> bool:
    return any("${" in value for value in flatten(plain).values() if isinstance(value, str))


def plain_job(base: DictConfig) -> dict[str, Any]:
    """A base without Hydra's own node, as plain values; interpolations stay, but for the project's own folder."""
    plain = OmegaConf.to_container(base)
    assert isinstance(plain, dict)
    plain.pop("hydra", None)
    job = {str(key): value for key, value in plain.items()}
    missing = _missing(asdict(Settings()), job)
    if missing:
        raise SettingsError([f"{key}: is missing; every setting of conf/ is needed" for key in missing])
    paths, root = job["paths"], str(project.root())
    # A project's path may hold what looks like an interpolation; what the resolver answers is taken as it is.
    if isinstance(paths, dict) and "${" not in root and (ours := PROJECT_PATH.fullmatch(str(paths["experiments"]))):
        paths["experiments"] = f"{root}/{ours[1]}"
    return job


def _missing(wanted: Mapping[str, Any], plain: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Settings that are not there, a whole group by its name; what stands in a group's place is judged elsewhere."""
    found = []
    for key, value in wanted.items():
        if key not in plain:
            found.append(f"{prefix}{key}")
        elif isinstance(value, dict) and isinstance(plain[key], dict):
            found += _missing(value, plain[key], f"{prefix}{key}.")
    return found


def _folder(base: DictConfig, plain: dict[str, Any], words: Sequence[str], number: int) -> Path:
    """Where hydra.sweep.subdir wants this point's folder, below the run's; "." for the run's own."""
    raw = OmegaConf.to_container(base.hydra.sweep)["subdir"]  # type: ignore[index,call-overload]  # a dict it is
    if "${" not in str(raw):
        return Path(str(raw))
    config = base.copy()
    OmegaConf.set_struct(config, False)
    OmegaConf.set_readonly(config.hydra, False)
    for key in plain:
        config[key] = plain[key]
    job = config.hydra.job
    job.num, job.id, job.override_dirname = number, str(number), _dirname(base, words)
    HydraConfig.instance().set_config(config)
    return Path(str(config.hydra.sweep.subdir))


def _dirname(base: DictConfig, words: Sequence[str]) -> str:
    """hydra.job.override_dirname, by its own settings."""
    how = base.hydra.job.config.override_dirname
    kept = sorted(word for word in words if word.partition("=")[0].lstrip("+~") not in how.exclude_keys)
    return str(how.item_sep.join(word.replace("=", how.kv_sep, 1) for word in kept))
