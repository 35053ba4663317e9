"""JSON from anywhere: values, or one kind of error, one line."""

import json

import pytest

from pipeline.base.plain_json import read_json
from pipeline.base.plain_yaml import DEEPEST, read_yaml
from pipeline.sweep.rates import read

HOSTILE = {
    "deep": (b"[" * 100_000 + b"]" * 100_000, "is nested more than 32 deep"),
    "deep and open": (b"[" * 100_000, "is nested more than 32 deep"),
    "deep in objects": (b'{"a":' * 100_000, "is nested more than 32 deep"),
    "read, but too deep to be looked through": (b"[" * 200 + b"]" * 200, "is nested more than 32 deep"),
    "open": (b"{", "Expecting"),
    "no text": (b"\xff\xfe\xff", "."),
    "nothing": (b"", "Expecting value"),
    "a number of a million digits": (b"1" * 1_000_000, "limit"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_json_is_one_line(name, tmp_path):
    content, said = HOSTILE[name]
    with pytest.raises(ValueError, match=said) as caught:
        read_json(content)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200
    (tmp_path / "rates.json").write_bytes(content)
    assert read(tmp_path / "rates.json") == {}


def test_values_are_read_as_they_stand_and_as_deep_as_yaml():
    plain = {"a": [1, 2.5, None, "é", {"b": []}], "c": {}, "d": float("inf")}
    assert read_json(json.dumps(plain).encode()) == plain
    assert read_json(b"0.5") == 0.5
    for reader in (read_json, read_yaml):
        reader(b"[" * DEEPEST + b"]" * DEEPEST)
        with pytest.raises(ValueError, match="deep"):
            reader(b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1))


def test_rates_that_no_number_holds_are_none(tmp_path):
    (tmp_path / "rates.json").write_text(json.dumps({"threads": {"seconds": 10**400}}))
    assert read(tmp_path / "rates.json") == {}
