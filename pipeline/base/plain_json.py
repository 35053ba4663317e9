"""JSON read without trust: a text that is none, or too deep for whoever walks through what it holds, is one kind of error."""

import json
from typing import Any

from .plain_yaml import DEEPEST


def read_json(content: bytes) -> Any:
    """What a JSON text holds. ValueError, one line, when it is none, or is nested more than DEEPEST deep: Python's own reader,
    and whoever looks through the values after it, can follow only so many levels."""
    try:
        found = json.loads(content)
    except RecursionError:
        deep = True
    else:
        deep = _is_deep(found)
    if deep:
        raise ValueError(f"is nested more than {DEEPEST} deep")
    return found


def _is_deep(found: Any) -> bool:
    # Level by level, and of each only what holds others: large files are mostly texts and numbers.
    level, depth = [found], 0
    while level and depth <= DEEPEST:
        held = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list))]
        level, depth = [value for values in held for value in values if isinstance(value, (dict, list))], depth + 1
    return depth > DEEPEST
