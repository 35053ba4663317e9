"""Hydra's door: from a command line to the settings of its points.

Three names that Hydra keeps to itself are used, all of them here, because nothing public does the same:
- get_args_parser: Hydra's flags, for a command line that is not this process's own.
- create_config_search_path and Hydra.create_main_hydra2: `initialize_config_dir` has no --config-dir.
- _run_hydra: --help, --cfg, --info and other launchers and sweepers, without rewriting this process's command line.
"""

import os
import signal
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import hydra
import omegaconf
from hydra import compose, version
from hydra._internal.hydra import Hydra
from hydra._internal.utils import _run_hydra, create_config_search_path, get_args_parser
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from hydra.types import RunMode, TaskFunction
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..base import project
from ..base.arguments import refuse
from ..base.console import FULL_ERROR
from ..base.errors import SettingsError
from ..base.plain_yaml import check_folder
from ..data.unused import check_used
from ..settings import Settings, parse
from .axes import axes_of, params_of
from .choices import check_choices
from .explain import explain
from .grid import DECIDING
from .jobs import Job, at_home, jobs_of, plain_job
from .words import quote_texts

# Hydra's own, whose place the driver takes; any other is a person's choice and runs through Hydra.
OWN = ("hydra._internal.core_plugins.basic_launcher.BasicLauncher", "hydra._internal.core_plugins.basic_sweeper.BasicSweeper")


@dataclass(frozen=True)
class Command:
    """What a command line asks for. output: the run's folder. chdir: whether it is the working folder meanwhile.

    jobs: the points; those of a foreign sweeper are not known yet, and `first` is what they start from.
    foreign: launcher and sweeper that run the points, unless they are Hydra's own. keys: what is swept, by dotted name.
    changed: the words by which a named experiment was made another one, without another name.
    axes: the experiment's own, as they would be typed.
    """

    jobs: tuple[Job, ...]
    first: Settings
    multirun: bool
    foreign: tuple[str, ...]
    output: Path
    chdir: bool
    keys: tuple[str, ...]
    changed: tuple[str, ...]
    axes: tuple[str, ...]

    @property
    def points(self) -> tuple[Settings, ...]:
        return tuple(job.settings for job in self.jobs)


def parse_arguments(arguments: Sequence[str]) -> Namespace:
    """Hydra's command line, flags and overrides in any order. SettingsError for a flag it does not know."""
    parser = get_args_parser()
    # argparse itself would print its usage and exit with 2.
    parser.error = refuse
    args: Namespace = parser.parse_intermixed_args(list(arguments))
    args.overrides = quote_texts(args.overrides)
    if args.resolve and not (args.cfg or args.help):
        refuse("--resolve goes with --cfg job, --cfg all or --help")
    if args.experimental_rerun:
        refuse("--experimental-rerun reads pickles; a record's settings.yaml holds what its point was made from")
    return args


def is_question(args: Namespace) -> bool:
    """Whether Hydra itself answers: help, a config to show, tab completion."""
    return bool(args.help or args.hydra_help or args.cfg or args.info or args.shell_completion)


def hand_over(args: Namespace, task: TaskFunction, axes: Sequence[str] = ()) -> None:
    """Let Hydra answer a question, or run jobs by the chosen launcher and sweeper. SettingsError when it refuses.

    axes: an experiment's own; Hydra's sweepers read neither nested ones nor lists in hydra.sweeper.params.
    """
    _set_defaults()
    register_resolver()
    if args.hydra_help:
        # Hydra answers it without our settings, and would not know them.
        args = Namespace(
            **{**vars(args), "overrides": [word for word in args.overrides if word.lstrip("+~").startswith("hydra")]}
        )
    if is_question(args):
        # An answer that is piped to a reader who has seen enough.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    else:
        # From 1.4 on Hydra does not let an experiment's file say that it is a sweep.
        words = [*axes, *args.overrides, "hydra.sweeper.params=null"] if axes else args.overrides
        args = Namespace(**{**vars(args), "multirun": True, "overrides": words})
    # With this Hydra raises what it would print, in several lines and with a hint at itself.
    before = os.environ.get(FULL_ERROR)
    os.environ[FULL_ERROR] = "1"
    try:
        _run_hydra(args, get_args_parser(), task, str(project.conf()), "config")
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        if before == "1":
            raise
        raise SettingsError([explain(error)]) from None
    finally:
        os.environ.pop(FULL_ERROR)
        os.environ |= {} if before is None else {FULL_ERROR: before}


def register_resolver() -> None:
    """Make ${project:NAME} mean NAME in the project's root, whatever the working folder."""
    # The method's earlier name is deprecated from OmegaConf 2.4 on; before, the later name meant something else.
    old = omegaconf.__version__.startswith("2.3")
    register = getattr(OmegaConf, "register_new_resolver" if old else "register_resolver")
    register("project", lambda name: str(project.root() / name), replace=True)


def _set_defaults() -> None:
    """Hydra 1.3 keeps its older defaults unless it is told not to; later releases have none, and to tell them warns."""
    if hydra.__version__.startswith("1.3"):
        version.setbase("1.3")


def read_command(args: Namespace) -> Command:
    """The points of Hydra's parsed command line. SettingsError lists what is wrong with each point, a line each."""
    check_folder(project.conf())
    try:
        with _initialized(args.config_dir):
            return _read_command(args.config_name or "config", args.overrides, args.multirun)
    except SettingsError:
        raise
    # Composing raises all of these for words that it cannot use.
    except (HydraException, OmegaConfBaseException, ValueError, AttributeError, AssertionError) as error:
        if os.environ.get(FULL_ERROR) == "1":
            raise
        raise SettingsError([explain(error)]) from None


@contextmanager
def _initialized(config_dir: str | None) -> Iterator[None]:
    _set_defaults()
    register_resolver()
    path = create_config_search_path(str(project.conf()))
    if config_dir:
        folder = Path(config_dir).resolve()
        if not folder.is_dir():
            raise SettingsError([f"--config-dir: {config_dir} is no folder; it must hold config files of yours"])
        check_folder(folder)
        path.prepend(provider="command-line", path=f"file://{folder}", anchor=SearchPathQuery(provider="schema"))
    GlobalHydra.instance().clear()
    Hydra.create_main_hydra2("ovrcnn", path)
    try:
        yield
    finally:
        GlobalHydra.instance().clear()


def _read_command(config_name: str, overrides: Sequence[str], multirun: bool) -> Command:
    loader = GlobalHydra.instance().config_loader()
    parser = OverridesParser.create(config_loader=loader)
    given = parser.parse_overrides(list(overrides))
    check_choices(given)
    fixed = [str(override.input_line) for override in given if not override.is_sweep_override()]
    base = compose(config_name, fixed, return_hydra_config=True)
    HydraConfig.instance().set_config(base)
    multirun = multirun or base.hydra.mode == RunMode.MULTIRUN
    swept = [override for override in given if override.is_sweep_override()]
    if swept and not multirun:
        raise SettingsError([f"{o.key_or_group}: takes one value; to sweep over several, add -m" for o in swept])
    output = Path(base.hydra.sweep.dir if multirun else base.hydra.run.dir).resolve()
    chosen = str(base.hydra.launcher._target_), str(base.hydra.sweeper._target_)
    foreign = chosen if multirun and chosen != OWN else ()
    chdir = bool(base.hydra.job.chdir)
    params = params_of(base) if multirun else {}
    words = tuple(quote_texts([f"{key}={value}" for key, value in params.items()]))
    if foreign and base.hydra.sweeper._target_ != OWN[1]:
        first = at_home(parse(OmegaConf.create(plain_job(base))), Path.cwd())
        if not any(override.key_or_group.startswith("data") for override in swept):
            check_used([first.data])
        keys = list(dict.fromkeys([*params, *(o.key_or_group for o in swept)]))
        return Command((), first, multirun, foreign, output, chdir, tuple(keys), _changes(given), words)
    axes = axes_of(parser, parser.parse_overrides(list(words)), given) if multirun else []
    jobs = jobs_of(config_name, fixed, base, axes)
    check_used(job.settings.data for job in jobs)
    keys = [axis.key for axis in axes]
    return Command(tuple(jobs), jobs[0].settings, multirun, foreign, output, chdir, tuple(keys), _changes(given), words)


def _changes(given: Sequence[Override]) -> tuple[str, ...]:
    keys = {str(override.key_or_group).partition("@")[0]: str(override.input_line) for override in given}
    if "experiment" not in keys or "name" in keys:
        return ()
    return tuple(word for key, word in keys.items() if key != "name" and key.partition(".")[0] in DECIDING)
