"""Metric keys: legal for any class name, and different for different classes."""

import posixpath
import re

import pytest
from hypothesis import given
from hypothesis import settings as law
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric

from pipeline.tracking.keys import class_keys, clean, run_name

ODD = ["a/b", "a:b", "a_b", "mean", "", " ", ".", "..", "\x00", "a\n", "a", "\udc80", "é", "日本", "-"]
ODD += ["a" * 300, "a" * 299 + "b"]
NAMES = st.one_of(st.text(max_size=6), st.text("a/:_ .\n", max_size=3), st.sampled_from(ODD))


def check(classes):
    keys = class_keys(classes)
    assert len(set(keys)) == len(set(classes)) == len(keys)
    assert "mean" not in keys
    for key in keys:
        for name in (f"loss/{key}", f"head {key}/validation_accuracy"):
            assert posixpath.normpath(name) == name and len(name) <= 250
            _validate_metric(name, 0.5, 0, 0, "metric")
        assert "/" not in key
        key.encode()


def test_odd_names_get_keys_of_their_own():
    check(ODD)
    assert class_keys(["Ankle boot", "7", "T-shirt.top"]) == ["Ankle boot", "7", "T-shirt.top"]
    assert re.fullmatch(r"a_b-[0-9a-f]{8}", class_keys(["a/b"])[0])


def test_a_class_may_be_called_like_another_ones_key():
    [taken] = class_keys(["a/b"])
    check(["a/b", taken])
    assert class_keys(["a/b", taken])[1] == taken


@law(deadline=None, derandomize=True, database=None)
@given(st.lists(NAMES, unique=True, max_size=12))
def test_any_names_get_keys_of_their_own(classes):
    check(classes)


def test_a_runs_name_is_not_cut_before_its_last_setting():
    assert run_name("kernel_size=11 alpha=0.5 iterations=4000") == "k=11 alpha=0.5 it=4000"
    assert run_name("gradient=exact seed=3") == "grad=exact seed=3" and run_name("") == ""


@pytest.mark.parametrize("text", ["\udc80x", "a\0b", "é"])
def test_any_text_can_be_stored(text):
    assert "\0" not in clean(text)
    clean(text).encode()
    assert clean("é") == "é"
