"""From command-line overrides to the points of a run: composed by Hydra, checked, before anything else happens."""

import re
from argparse import Namespace
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn, cast

import yaml
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path, get_args_parser
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, OverrideParseException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..base import project
from ..base.files import FileError, write_text
from ..settings import Settings, SettingsError, did_you_mean, flatten, parse

# What a grid file holds: what decides the results. Paths, trackers and worker counts differ from machine to machine.
DECIDING = ("name", "seed", "data", "model", "training")


@dataclass(frozen=True)
class Grid:
    """The points of a run, in their order. `output` is Hydra's folder for its logs, `launcher` who runs the points."""

    points: tuple[Settings, ...]
    multirun: bool = False
    output: Path | None = None
    launcher: str = "basic"

    @property
    def first(self) -> Settings:
        return self.points[0]

    def swept(self) -> list[str]:
        """The settings that differ between points, by their dotted names."""
        flat = [flatten(deciding(point)) for point in self.points]
        return [key for key in flat[0] if any(point[key] != flat[0][key] for point in flat)]

    def text(self) -> str:
        """The grid as yaml: the first point's settings, and for each point those that differ between points."""
        swept = self.swept()
        points = [{key: flatten(deciding(point))[key] for key in swept} for point in self.points]
        unique = [point for index, point in enumerate(points) if point not in points[:index]]
        head = "# Composed from conf/; written by the stages compose and train.\n"
        return head + yaml.safe_dump({**deciding(self.first), "points": unique}, sort_keys=False)


def parse_arguments(arguments: list[str]) -> Namespace:
    """Hydra's command line, flags and overrides in any order. SettingsError for a flag it does not know."""

    def refuse(message: str) -> NoReturn:
        raise SettingsError([f"command line: {message}; --help lists what there is"])

    parser = get_args_parser()
    # argparse itself would print its usage and exit with 2.
    parser.error = refuse
    args: Namespace = parser.parse_intermixed_args(arguments)
    return args


def compose_grid(args: Namespace) -> Grid:
    """The grid of Hydra's parsed command line. SettingsError lists what is wrong with each point, a line each."""
    project.register_resolver()
    search_path = create_config_search_path(str(project.conf()))
    if args.config_dir:
        folder = f"file://{Path(args.config_dir).resolve()}"
        search_path.prepend(provider="command-line", path=folder, anchor=SearchPathQuery(provider="schema"))
    GlobalHydra.instance().clear()
    hydra = Hydra.create_main_hydra2("ovrcnn", search_path)
    try:
        return _compose(hydra, args.config_name or "config", args.overrides, args.multirun)
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingsError([explain(error)]) from None
    finally:
        GlobalHydra.instance().clear()


def _compose(hydra: Hydra, config_name: str, overrides: list[str], multirun: bool) -> Grid:
    multirun = multirun or hydra.get_mode(config_name, overrides) == RunMode.MULTIRUN
    mode = RunMode.MULTIRUN if multirun else RunMode.RUN
    cfg = hydra.compose_config(config_name, overrides, run_mode=mode, validate_sweep_overrides=not multirun)
    HydraConfig.instance().set_config(cfg)
    output = Path(cfg.hydra.sweep.dir if multirun else cfg.hydra.run.dir).resolve()
    launcher = str(cfg.hydra.runtime.choices["hydra/launcher"])
    if not multirun:
        return Grid((_parse_job(cfg),), False, output, launcher)

    parser = OverridesParser.create(config_loader=hydra.config_loader)
    swept = [f"{key}={value}" for key, value in (cfg.hydra.sweeper.get("params") or {}).items()]
    jobs = BasicSweeper.split_arguments(parser.parse_overrides(swept + list(overrides)), None)[0]
    points, faults = [], []
    for job in jobs:
        try:
            points.append(_parse_job(hydra.compose_config(config_name, job, run_mode=RunMode.RUN)))
        except SettingsError as error:
            faults += [_named(job, jobs, fault) for fault in error.faults]
        except (HydraException, OmegaConfBaseException) as error:
            faults.append(_named(job, jobs, explain(error)))
    if faults:
        raise SettingsError(list(dict.fromkeys(faults)))
    return Grid(tuple(points), True, output, launcher)


def _named(job: list[str], jobs: list[list[str]], fault: str) -> str:
    """A fault with the point it belongs to: the overrides that not all points share."""
    own = [override for override in job if any(override not in other for other in jobs)]
    return f"{' '.join(own)}: {fault}" if own else fault


def _parse_job(cfg: DictConfig) -> Settings:
    job = deepcopy(cfg)
    OmegaConf.set_struct(job, False)
    job.pop("hydra", None)
    plain = cast(dict[str, Any], OmegaConf.to_container(job))
    missing = set(flatten(asdict(Settings()))) - set(flatten(plain))
    if missing:
        raise SettingsError([f"{key}: is missing; every setting of conf/ is needed" for key in sorted(missing)])
    return parse(job)


def deciding(settings: Settings) -> dict[str, Any]:
    """The settings that a grid file holds, as plain values."""
    plain = asdict(settings)
    return {key: plain[key] for key in DECIDING} | {"compute": {"engine": settings.compute.engine}}


def read_grid(folder: Path) -> Grid:
    """The grid that was last composed for an experiment. FileError when its config.yaml is missing or damaged."""
    path = folder / "config.yaml"
    try:
        plain = yaml.safe_load(path.read_text())
        points = plain.pop("points")
        plain["paths"] = {"experiments": str(folder.parent)}
        return Grid(tuple(_with(plain, point) for point in points), len(points) > 1)
    except FileNotFoundError:
        known = sorted(p.parent.name for p in folder.parent.glob("*/config.yaml"))
        there = f"there is {', '.join(known)}" if known else "nothing has run there"
        raise FileError(f"{path}: no such experiment; {there}") from None
    except (OSError, yaml.YAMLError, SettingsError, AttributeError, KeyError, TypeError) as error:
        raise FileError(f"{path}: is not a grid ({str(error).splitlines()[0]}); train writes a new one") from None


def write_grid(grid: Grid) -> Path:
    """Write the experiment's config.yaml, unless it already says the same."""
    path = grid.first.folder / "config.yaml"
    write_text(path, grid.text())
    return path


def _with(plain: dict[str, Any], point: dict[str, Any]) -> Settings:
    cfg = OmegaConf.create(deepcopy(plain))
    for key, value in point.items():
        OmegaConf.update(cfg, key, value)
    return parse(cfg)


def explain(error: Exception) -> str:
    """What Hydra or OmegaConf says, in one line that names the setting and what would be right."""
    text = str(error)
    cause = error.__cause__
    missing = re.search(r"Could not find '([^']*)/([^'/]*)'[^$]*?Available options in '[^']*':\n((?:\t[^\n]*\n?)*)", text)
    if missing:
        group, name, options = missing.groups()
        return f"{group}: there is no {name!r}; there are {', '.join(options.split())}"
    unknown = re.search(r"Could not override '([^']*)'", text)
    if unknown:
        return f"{unknown.group(1)}: no such setting{did_you_mean(unknown.group(1))}"
    ambiguous = re.search(r"Ambiguous value for argument '([^=]*)=", text)
    if ambiguous:
        return f"{ambiguous.group(1)}: takes one value; to sweep over several, add -m"
    if isinstance(error, OverrideParseException):
        return f"{error.override}: cannot be read; settings are given as SETTING=VALUE, lists for a sweep as SETTING=A,B"
    line = " ".join(text.partition("Config search path")[0].split())
    if isinstance(cause, OmegaConfBaseException) and str(cause).splitlines()[0] not in line:
        line = f"{line} ({str(cause).splitlines()[0]})"
    return line
