"""A path is any text: what Hydra's grammar does not read is put into quotes."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from pipeline.base.errors import SettingsError
from pipeline.sweep.axes import params_of
from pipeline.sweep.hydra import parse_arguments, read_command
from pipeline.sweep.words import quote_texts


def read(words):
    return read_command(parse_arguments(words))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12))
def test_any_path_comes_back_as_it_was_typed(path):
    [word] = quote_texts([f"data.path={path}"])
    override = OverridesParser.create().parse_override(word)
    if word != f"data.path={path}" and not override.is_sweep_override():
        assert override.value() in (path, path.strip())
    assert override.key_or_group == "data.path"


@pytest.mark.parametrize("word", ["data.path=a,b", "data.path='a (1)'", "data.path=/x.npz", "seed=range(3)", "seed=a(1)"])
def test_what_the_grammar_reads_or_is_no_text_stays(word):
    assert quote_texts([word]) == [word]


@pytest.mark.parametrize("path", ["~/x", "a(1)", "/tmp/a (1).npz", "x=y", "bär", r"C:\x", "it's", "a\\", "${HOME"])
def test_paths_that_people_have(path):
    [word] = quote_texts([f"data.path={path}"])
    assert OverridesParser.create().parse_override(word).value() == path


@pytest.mark.parametrize("key", ["name", "+name", "++paths.experiments", "data.path", "tracking.uri", "compute.scheduler"])
@pytest.mark.parametrize(
    "text", ["2026_11_27", "85e4321", "12e5", "1_0", "1.50", "true", "False", "+5", "-0", "nan", "7", ".5"]
)
def test_a_text_that_reads_as_a_number_stays_as_it_was_typed(key, text):
    [word] = quote_texts([f"{key}={text}"])
    assert OverridesParser.create().parse_override(word).value() == text
    assert quote_texts([f"{key}=a,{text}, b", f"{key}=choice({text},a)"]) == [
        f"{key}=a,'{text}', b",
        f"{key}=choice('{text}',a)",
    ]


def test_null_is_no_text():
    assert quote_texts(["data.path=null", "name='1_0'", "seed=1_0"]) == ["data.path=null", "name='1_0'", "seed=1_0"]


@pytest.mark.parametrize("name", ["2026_11_27", "85e4321", "1.50", "true", "010"])
def test_an_experiment_has_the_name_that_was_typed(name, place, tmp_path):
    """As a name and as a value of an axis, typed or a file's own."""
    assert read([*place, f"name={name}"]).first.folder == tmp_path / "experiments" / name
    assert [point.name for point in read([*place, "-m", f"name={name},b"]).points] == [name, "b"]
    assert [point.name for point in read([*place, "-m", "name=range(2)"]).points] == ["0", "1"]
    own = tmp_path / "conf" / "experiment" / "own.yaml"
    own.parent.mkdir(parents=True)
    params = f"hydra: {{mode: MULTIRUN, sweeper: {{params: {{name: '{name},b'}}}}}}"
    own.write_text(f"# @package _global_\ndefaults:\n  - override /hydra/sweeper: basic\n{params}\n")
    command = read([*place, "--config-dir", str(tmp_path / "conf"), "experiment=own"])
    assert [point.name for point in command.points] == [name, "b"]


def test_a_number_of_a_file_that_stands_for_a_text_is_refused():
    base = OmegaConf.create({"hydra": {"sweeper": {"params": {"name": [20261, "b"], "seed": 3}}}})
    with pytest.raises(SettingsError, match=r"hydra\.sweeper\.params\.name: must be a text, not 20261; quote it"):
        params_of(base)
