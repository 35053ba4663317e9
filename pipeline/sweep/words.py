"""Words of a command line as Hydra's grammar reads them: a path with a blank, a bracket or a ~ need not be quoted twice."""

import re
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

# Settings that are a person's own text, in which any letter may stand.
TEXTS = ("name", "data.path", "paths.experiments", "tracking.uri")
PLAIN = re.compile(r"[A-Za-z0-9_./:-]*", re.ASCII)


def quote_texts(words: Sequence[str]) -> list[str]:
    """The words, those of TEXTS in quotes where the grammar could not read them without."""
    return [_quoted(word) for word in words]


def _quoted(word: str) -> str:
    key, _, value = word.partition("=")
    if key not in TEXTS or PLAIN.fullmatch(value) or _is_read(word):
        return word
    # The grammar unescapes backslashes before a quote, and nowhere else.
    text = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), value)
    return f"{key}='{text}'"


def _is_read(word: str) -> bool:
    try:
        OverridesParser.create().parse_override(word)
    except HydraException:
        return False
    return True
