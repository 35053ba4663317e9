"""What Hydra and OmegaConf say, in one line that names the setting and what would be right."""

import re

from hydra.errors import OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from ..settings import did_you_mean, unresolved


def explain(error: Exception) -> str:
    """An error of composing, in one line."""
    text = str(error)
    cause = error.__cause__
    missing = re.search(r"Could not find '([^']*)/([^'/]*)'[^$]*?Available options in '[^']*':\n((?:\t[^\n]*\n?)*)", text)
    if missing:
        group, name, options = missing.groups()
        return f"{group}: there is no {name!r}; there are {', '.join(options.split())}"
    config = re.search(r"Cannot find primary config '([^']*)'", text)
    if config:
        right = "leave -cn out for conf/config.yaml, or name its folder with --config-dir"
        return f"-cn: there is no config {config.group(1)!r}; {right}"
    unknown = re.search(r"Could not override '([^']*)'", text)
    if unknown:
        return f"{unknown.group(1)}: no such setting{did_you_mean(unknown.group(1))}"
    ambiguous = re.search(r"Ambiguous value for argument '([^=]*)=", text)
    if ambiguous:
        return f"{ambiguous.group(1)}: takes one value; to sweep over several, add -m"
    if re.search(r"Unexpected type for root|full_key: hydra\.sweeper\.params", text):
        return "hydra.sweeper.params: holds no axes here; type yours as SETTING=A,B and add -m"
    if isinstance(error, OverrideParseException):
        return f"{error.override}: cannot be read; settings are given as SETTING=VALUE, lists for a sweep as SETTING=A,B"
    key = getattr(error, "full_key", None)
    if key:
        return f"{key}: {unresolved(text.splitlines()[0])}"
    line = " ".join(unresolved(text).partition("Config search path")[0].split())
    if isinstance(cause, OmegaConfBaseException) and str(cause).splitlines()[0] not in line:
        line = f"{line} ({str(cause).splitlines()[0]})"
    return line
