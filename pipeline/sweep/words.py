"""Words of a command line as Hydra's grammar reads them: a path with a blank, a bracket or a ~ need not be quoted twice."""

import re
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

# Settings that are a person's own text, in which any letter may stand.
TEXTS = ("name", "data.path", "paths.experiments", "tracking.uri", "compute.scheduler")
PLAIN = re.compile(r"[A-Za-z0-9_./:-]*", re.ASCII)
# A value, or several between commas or in choice(); none that is in quotes already, and no other function's arguments.
VALUES = re.compile(r"(choice\()?([^()\[\]{}'\"\\]*)(\)?)")


def quote_texts(words: Sequence[str]) -> list[str]:
    """The words, those of TEXTS in quotes where the grammar could not read them without, or would take them for numbers:
    2026_11_27 for 20261127, 85e4321 for inf, true for True."""
    return [_quoted(word) for word in words]


def _quoted(word: str) -> str:
    key, _, value = word.partition("=")
    if key.lstrip("+") not in TEXTS:
        return word
    if PLAIN.fullmatch(value) or _read(word) is not None:
        values = VALUES.fullmatch(value)
        return f"{key}={values[1] or ''}{','.join(map(_text, values[2].split(',')))}{values[3]}" if values else word
    # The grammar unescapes backslashes before a quote, and nowhere else.
    text = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), value)
    return f"{key}='{text}'"


def _text(value: str) -> str:
    """One value, in quotes if it is a number to the grammar, or true or false."""
    bare = value.strip()
    found = _read(f"name={bare}")
    # bool is an int.
    return f"'{bare}'" if found is not None and isinstance(found.value(), (int, float)) else value


def _read(word: str) -> Override | None:
    """The word as the grammar reads it; None for one that it does not."""
    try:
        return OverridesParser.create().parse_override(word)
    except HydraException:
        return None
