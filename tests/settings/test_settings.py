"""parse: the only door for settings. Each fault is a line that names its key; all out-of-range faults come at once."""

from dataclasses import asdict, fields
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from pipeline.base.errors import SettingsError
from pipeline.heads.choices import ENGINES, NUMERICS
from pipeline.heads.engines import engine
from pipeline.settings import Settings, faults, parse

CONF = Path(__file__).parents[2] / "conf"


def nested(dotted):
    """{"a.b": 1, "c": 2} as {"a": {"b": 1}, "c": 2}."""
    out = {}
    for key, value in dotted.items():
        group, _, name = key.rpartition(".")
        (out.setdefault(group, {}) if group else out)[name] = value
    return out


def refused(dotted):
    with pytest.raises(SettingsError) as caught:
        parse(nested(dotted))
    assert str(caught.value) == "\n".join(caught.value.faults)
    assert all("\n" not in fault for fault in caught.value.faults)
    return caught.value.faults


def test_nothing_given_is_the_defaults_and_they_have_no_fault():
    assert parse({}) == Settings() and faults(Settings()) == []


def test_what_is_given_is_what_is_found_and_a_config_is_as_good_as_a_dict():
    given = nested({"name": "x", "seed": 7, "training.alpha": 2, "training.batch_size": "all", "model.kernel_size": 5})
    found = parse(given)
    assert (found.name, found.seed, found.training.alpha, found.training.batch_size) == ("x", 7, 2.0, "all")
    assert isinstance(found.training.alpha, float)
    assert parse(OmegaConf.create(given)) == found
    assert parse(asdict(found)) == found
    text = OmegaConf.create({**given, "training": {"iterations": "${seed}"}})
    assert parse(text).training.iterations == 7


GOOD = [
    {"seed": 0}, {"seed": 2**32 - 1}, {"name": "a-b_c.d1"}, {"data.scale": None}, {"data.scale": 0.5}, {"data.folds": 2},
    {"data.folds": 3, "data.fold": 2}, {"data.validation": 0.0}, {"data.validation": 0.999}, {"model.kernel_size": 1},
    {"model.filters": 1024}, {"training.alpha": 1e308}, {"training.alpha": 5e-324}, {"training.iterations": 1},
    {"training.iterations": 10**9}, {"training.batch_size": 1}, {"training.batch_size": "all"},
    {"compute.n_jobs": -1}, {"compute.n_jobs": 3},
    {"data.source": "arrays", "data.path": "x.npz"}, {"tracking.store": "server", "tracking.uri": "http://localhost:5000"},
    {"tracking.store": "server", "tracking.uri": "https://host"},
    {"data.source": "notebook", "model.init": "notebook_draws", "model.kernel_size": None},
]  # fmt: skip


@pytest.mark.parametrize("dotted", GOOD, ids=str)
def test_values_at_the_edge_of_their_range_are_taken(dotted):
    flat = parse(nested(dotted))
    for key, value in dotted.items():
        group, _, name = key.rpartition(".")
        assert getattr(getattr(flat, group) if group else flat, name) == value


# A value out of range and a part of what must be said beside the key and the value.
RANGES = [
    ("name", "", "letters, digits"), ("name", ".hidden", "letters, digits"), ("name", "a/b", "letters, digits"),
    ("name", "..", "letters, digits"), ("name", "a b", "letters, digits"), ("name", "a\\b", "letters, digits"),
    ("seed", -1, "0 to 4294967295"), ("seed", 2**32, "0 to 4294967295"),
    ("data.source", "mnist", "digits, fashion_mnist, idx, images, arrays or notebook"),
    ("data.scale", 0.0, "positive and finite, or null"), ("data.scale", -1.0, "positive"),
    ("data.scale", float("inf"), "positive"), ("data.scale", float("nan"), "positive"),
    ("data.folds", 1, "at least 2"), ("data.fold", 5, "0 to data.folds - 1 = 4"), ("data.fold", -1, "0 to"),
    ("data.validation", -0.1, "0 to below 1"), ("data.validation", 1.0, "0 to below 1"),
    ("data.validation", float("nan"), "0 to below 1"),
    ("model.kernel_size", 0, "odd number"), ("model.kernel_size", 2, "odd number"), ("model.kernel_size", -3, "odd number"),
    ("model.kernel_size", None, "odd number"),
    ("model.filters", 0, "1 to 1024"), ("model.filters", 1025, "1 to 1024"),
    ("model.init", "zeros", "he, notebook or notebook_draws"), ("model.gradient", "none", "exact, notebook or frozen"),
    ("model.dtype", "float16", "float32 or float64"),
    ("training.alpha", 0.0, "positive and finite"), ("training.alpha", -0.5, "positive"),
    ("training.alpha", float("inf"), "positive"), ("training.alpha", float("nan"), "positive"),
    ("training.iterations", 0, "1 to 1000000000"), ("training.iterations", -5, "1 to 1000000000"),
    ("training.iterations", 10**9 + 1, "1 to 1000000000"), ("training.iterations", 10**20, "1 to 1000000000"),
    ("training.batch_size", 0, "at least 1, or all"), ("training.batch_size", -1, "at least 1, or all"),
    ("training.batch_size", "some", "at least 1, or all"),
    ("training.loss", "hinge", "half_squared_error or binary_cross_entropy"),
    ("training.schedule", "linear", "constant or cosine"),
    ("compute.engine", "abacus", "numpy"), ("compute.n_jobs", 0, "-1"), ("compute.n_jobs", -2, "-1"),
    ("compute.executor", "fibers", "threads, processes or dask"),
    ("tracking.store", "paper", "sqlite, server or off"),
    ("compute.scheduler", "tcp://h:1", "null with compute=threads"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "right"), RANGES, ids=lambda value: repr(value)[:20])
def test_each_value_out_of_range_is_one_line_that_names_key_value_and_range(key, value, right):
    (fault,) = [fault for fault in refused({key: value}) if fault.startswith(f"{key}: ")]
    assert right in fault and (str(value) in fault or repr(value) in fault)


def test_one_fault_is_one_line():
    for key, value, _ in RANGES:
        assert len(refused({key: value})) == 1, key


def test_all_faults_out_of_range_come_at_once():
    wrong = {key: value for key, value, _ in RANGES}
    assert {fault.partition(":")[0] for fault in refused(wrong)} == set(wrong)


PAIRS = [
    ({"data.source": "arrays"}, "data.path: is missing"),
    ({"data.source": "arrays", "data.path": ""}, "data.path: is missing"),
    ({"tracking.store": "server", "tracking.uri": "localhost:5000"}, "tracking.uri: must be"),
    ({"model.init": "notebook_draws", "model.kernel_size": None}, "model.init: notebook_draws needs data=notebook"),
    ({"model.init": "notebook_draws", "data.source": "notebook"}, "model.kernel_size: must be null"),
    (
        {"model.init": "notebook_draws", "data.source": "notebook", "model.kernel_size": None, "model.filters": 2},
        "model.filters: must be 1",
    ),
]


@pytest.mark.parametrize(("dotted", "start"), PAIRS)
def test_settings_that_do_not_fit_each_other(dotted, start):
    (fault,) = refused(dotted)
    assert fault.startswith(start)


TYPES = [
    ("seed", "many"), ("seed", 1.5), ("seed", None), ("training.alpha", "fast"), ("training.alpha", None),
    ("training.iterations", 2.5), ("training.iterations", "all"), ("training.batch_size", 2.5),
    ("training.batch_size", None), ("training.batch_size", True), ("training.batch_size", [1, 2]), ("model.filters", "x"),
    ("model.kernel_size", "three"), ("data.folds", [5]), ("data.validation", "a fifth"), ("name", None),
    ("compute.n_jobs", "all"), ("data.source", None), ("paths.experiments", None), ("training.alpha", [0.1]),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), TYPES, ids=str)
def test_a_wrong_type_is_one_line_that_names_the_key(key, value):
    (fault,) = refused({key: value})
    assert fault.startswith(f"{key}: ")


@pytest.mark.parametrize("value", [20261127, 1.5, float("inf"), True])
def test_a_number_is_no_text_for_what_was_typed_is_lost(value):
    right = f"must be a text, not {value}, a number or a word like true; quotes, or a letter before it, make it a text"
    for key in ("name", "data.path", "compute.scheduler"):
        assert refused({key: value}) == [f"{key}: {right}"]


def test_a_value_that_is_neither_a_number_nor_the_one_text_is_told_what_is_right():
    assert refused({"training.batch_size": 1.5}) == ["training.batch_size: must be at least 1, or all, not '1.5'"]
    assert refused({"data.size": 8.5}) == ["data.size: must be N or HxW, each from 2 to 4096, or null, not '8.5'"]


def test_no_folds_at_all_is_one_line():
    assert refused({"data.folds": 0}) == ["data.folds: must be at least 2, not 0"]


@pytest.mark.parametrize("group", ["data", "model", "training", "compute", "tracking", "paths"])
def test_a_group_that_is_null_is_one_line_that_names_it(group):
    (fault,) = refused({group: None})
    assert fault.startswith(f"{group}: ")


@pytest.mark.parametrize("value", [5, "x", [1]], ids=str)
def test_a_group_that_is_no_group_is_one_line_that_names_it(value):
    (fault,) = refused({"paths": value})
    assert fault.startswith("paths: ")


@pytest.mark.parametrize(
    ("key", "near"),
    [("sed", "seed"), ("training.alhpa", "training.alpha"), ("model.kernelsize", "model.kernel_size"), ("trainng", "training")],
)
def test_an_unknown_key_is_one_line_that_names_it_and_the_nearest(key, near):
    (fault,) = refused({key: 1})
    assert fault == f"{key}: no such setting; did you mean {near}?"


def test_an_unknown_key_that_is_near_nothing_is_still_named():
    (fault,) = refused({"zzzzzzzz": 1})
    assert fault.startswith("zzzzzzzz: no such setting") and "did you mean" not in fault


def test_a_broken_interpolation_is_a_settings_error():
    with pytest.raises(SettingsError) as caught:
        parse(OmegaConf.create({"name": "${nowhere}"}))
    assert len(caught.value.faults) == 1 and "nowhere" in str(caught.value)


def test_every_file_of_conf_holds_only_known_settings():
    known = {part.name: {f.name for f in fields(part.default_factory)} for part in fields(Settings) if part.default_factory
             is not part.default and callable(part.default_factory)}  # fmt: skip
    checked = 0
    for group in known:
        for path in sorted((CONF / group).glob("*.yaml")):
            held = yaml.safe_load(path.read_text()) or {}
            assert set(held) - {"defaults"} <= known[group], path
            checked += 1
    assert checked >= 9


def test_the_folder_is_named_by_experiments_and_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse({"name": "x", "paths": {"experiments": "here"}}).folder == tmp_path.resolve() / "here" / "x"
    assert Path("~").expanduser() in parse({"paths": {"experiments": "~/e"}}).folder.parents


def test_every_engine_that_can_be_chosen_is_there():
    for name in ENGINES:
        assert engine(name).advance and NUMERICS[name]


def test_every_setting_declares_its_meaning():
    parts = [part.default_factory for part in fields(Settings) if callable(part.default_factory)]
    settings = [declared for group in parts for declared in fields(group)]
    assert len(settings) > 20 and all(declared.metadata["meaning"] for declared in settings)
