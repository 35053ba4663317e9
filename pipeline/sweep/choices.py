"""Names of files where the command line chooses one of a folder of conf/: what cannot be one is said before Hydra composes."""

from collections.abc import Sequence
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep, Override, QuotedString, RangeSweep

from ..base.errors import SettingsError


def check_choices(given: Sequence[Override]) -> None:
    """SettingsError, a line a fault, for what names no file: null, a number, a mapping, a way out of the folder."""
    loader, found = GlobalHydra.instance().config_loader(), []
    for override in given:
        group, options = override.key_or_group, loader.get_group_options(override.key_or_group, ObjectType.CONFIG)
        if options and not override.is_delete():
            wrong = [choice for choice in _choices(override.value()) if not _is_file(choice, options)]
            shown = [_text(choice) if override.is_sweep_override() else override.get_value_string() for choice in wrong]
            found += [f"{group}: {_wrong(text, options)}" for text in shown]
    if found:
        raise SettingsError(found)


def _wrong(text: str, options: Sequence[str]) -> str:
    if text in options:
        return f"{text} is no text to Hydra; type \\'{text}\\'"
    return f"there is no {text!r}; there are {', '.join(options)}"


def _choices(value: Any) -> list[Any]:
    """What is chosen, one or several; nothing for what is not known yet."""
    if isinstance(value, Glob | IntervalSweep):
        return []
    if isinstance(value, RangeSweep):
        return [value.start]
    return value.list if isinstance(value, ChoiceSweep) else [value]


def _is_file(choice: Any, options: Sequence[str]) -> bool:
    """Whether Hydra can look for it; of a list it says no more than that something is missing."""
    if isinstance(choice, list):
        return all(str(name) in options or "/" in str(name) for name in choice)
    return isinstance(choice, str | QuotedString) and ".." not in _text(choice).split("/")


def _text(choice: Any) -> str:
    if isinstance(choice, QuotedString):
        return str(choice.text)
    return "null" if choice is None else str(choice)
