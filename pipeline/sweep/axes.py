"""What a sweep varies: overrides as people type them, and an experiment's own, as axes of a grid."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, RangeSweep
from omegaconf import DictConfig, OmegaConf

from ..base.errors import SettingsError
from ..settings import flatten
from .words import TEXTS, quote_texts

# Ten times what is measured: a mistyped range is told, not composed for hours.
MOST_POINTS = 100_000


@dataclass(frozen=True)
class Axis:
    """A swept setting or config group. values: what is laid over the base, or None for a group, which is composed anew.

    words: the overrides as typed, one a value.
    """

    key: str
    words: tuple[str, ...]
    values: tuple[Any, ...] | None
    is_new: bool


def params_of(base: DictConfig) -> Mapping[str, str]:
    """The axes that an experiment's file sets in hydra.sweeper.params, by dotted name. They may be nested as the settings are:
    a name with dots in it is not one that other tools, DVC's `-S` among them, can set."""
    params = OmegaConf.to_container(base.hydra.sweeper).get("params") or {}  # type: ignore[union-attr]  # a dict it is
    if not isinstance(params, Mapping):
        raise SettingsError([f"hydra.sweeper.params: must be SETTING: VALUES for each axis, not {params!r}"])
    axes = {str(key): value for key, value in flatten(params).items()}
    numbers = [(key, each) for key in TEXTS if key in axes for each in _each(axes[key]) if isinstance(each, (int, float))]
    if numbers:
        # What it was typed as is lost: 2026_11_27 is 20261127 by now.
        raise SettingsError([f"hydra.sweeper.params.{key}: must be a text, not {each}; quote it" for key, each in numbers])
    return {key: _typed(value) for key, value in axes.items()}


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _typed(value: Any) -> str:
    """An axis as it would be typed: a list of yaml is a list of values."""
    if isinstance(value, list):
        return ",".join(_typed(item) for item in value)
    return "null" if value is None else str(value)


def axes_of(parser: OverridesParser, params: Sequence[Override], given: Sequence[Override]) -> list[Axis]:
    """What is swept, in order; of several overrides of one key the last counts. One value is an axis only among an experiment's
    params: a given one is in the base already."""
    loader = GlobalHydra.instance().config_loader()
    last: dict[str, Override] = {}
    for override in (*params, *given):
        last[override.get_key_element()] = override
    axes = []
    for key, override in last.items():
        swept = override.is_sweep_override()
        if not swept and override not in params:
            continue
        if swept and not override.is_discrete_sweep():
            raise SettingsError([f"{override.key_or_group}: {override.get_value_string()} needs a sweeper that draws values"])
        _check_range(override)
        texts = override.sweep_string_iterator() if swept else [override.get_value_element_as_str()]
        words = tuple(f"{key}={text}" for text in texts)
        group = override.key_or_group
        options = loader.get_group_options(group, ObjectType.CONFIG)
        if not words:
            raise SettingsError([f"{group}: {_why_empty(override, options)}"])
        composed = bool(options) or override.package is not None or group.startswith("hydra.")
        values = None if composed else tuple(o.value() for o in parser.parse_overrides(quote_texts(words)))
        axes.append(Axis(group, words, values, override.is_add() or override.is_force_add()))
    points = math.prod(len(axis.words) for axis in axes)
    if points > MOST_POINTS:
        raise SettingsError([f"{', '.join(axis.key for axis in axes)}: {points} points; a sweep has at most {MOST_POINTS}"])
    return axes


def _why_empty(override: Override, options: Sequence[str]) -> str:
    text = override.get_value_string()
    if isinstance(override.value(), RangeSweep):
        return f"{text} holds no value; the second number is where a range ends, and is not in it"
    if not options:
        return f"{text} stands for names of files in a folder of conf/; the values of a setting are typed, as A,B or range(A,B)"
    return f"{text} fits none of {', '.join(options)}"


def _check_range(override: Override) -> None:
    """SettingsError for a range that would fill the memory before anything could be said of it, or that does not go on."""
    found = override.value()
    if isinstance(found, RangeSweep) and not found.step:
        raise SettingsError(
            [f"{override.key_or_group}: {override.get_value_string()} never ends; its third number, the step, is 0"]
        )
    if isinstance(found, RangeSweep) and found.start is not None and found.stop is not None and found.step:
        count = (float(found.stop) - float(found.start)) / float(found.step)
        if not count <= MOST_POINTS:
            raise SettingsError([f"{override.key_or_group}: {count:.0f} values; a sweep has at most {MOST_POINTS} points"])
