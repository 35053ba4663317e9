"""A path is any text: what Hydra's grammar does not read is put into quotes."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sweep.words import quote_texts


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12))
def test_any_path_comes_back_as_it_was_typed(path):
    [word] = quote_texts([f"data.path={path}"])
    override = OverridesParser.create().parse_override(word)
    if word != f"data.path={path}":
        assert override.value() == path
    assert override.key_or_group == "data.path"


@pytest.mark.parametrize("word", ["data.path=a,b", "data.path='a (1)'", "data.path=/x.npz", "seed=range(3)", "seed=a(1)"])
def test_what_the_grammar_reads_or_is_no_text_stays(word):
    assert quote_texts([word]) == [word]


@pytest.mark.parametrize("path", ["~/x", "a(1)", "/tmp/a (1).npz", "x=y", "bär", r"C:\x", "it's", "a\\", "${HOME"])
def test_paths_that_people_have(path):
    [word] = quote_texts([f"data.path={path}"])
    assert OverridesParser.create().parse_override(word).value() == path
