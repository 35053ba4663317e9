"""Conditions on a column of points, as people type them: alpha<0.5, kernel_size=3,5, loss!=half_squared_error."""

import operator
import re
from dataclasses import dataclass
from typing import Any

from ..base.errors import SettingsError

FORM = re.compile(r"([A-Za-z_][\w.]*)(<=|>=|!=|=|<|>)(.*)")
ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True)
class Filter:
    """word: as typed. values: several after = or != mean any or none of them."""

    word: str
    key: str
    sign: str
    values: tuple[str, ...]

    def holds(self, value: Any) -> bool:
        """Whether a point with this value is meant. A value that is no number is never less or more than one."""
        if self.sign in ORDERS:
            return isinstance(value, (int, float)) and bool(ORDERS[self.sign](value, float(self.values[0])))
        return any(_same(value, text) for text in self.values) == (self.sign == "=")


def is_filter(word: str) -> bool:
    return FORM.fullmatch(word) is not None


def read_filter(word: str) -> Filter:
    """SettingsError for an order that is asked of what is no number."""
    found = FORM.fullmatch(word)
    assert found is not None
    key, sign, text = found.groups()
    if sign in ORDERS:
        try:
            float(text)
        except ValueError:
            raise SettingsError([f"{word}: a number must follow {sign}, not {text!r}"]) from None
        return Filter(word, key, sign, (text,))
    return Filter(word, key, sign, tuple(text.split(",")))


def _same(value: Any, text: str) -> bool:
    if value is None:
        return text in ("null", "None")
    if isinstance(value, str):
        return value == text
    try:
        return bool(value == float(text))
    except ValueError:
        return False
