"""Hydra's door: what people type gives the points that Hydra itself would give, for few compositions."""

import itertools
from pathlib import Path

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hypothesis import given
from hypothesis import settings as law
from hypothesis import strategies as st

from pipeline.base import project
from pipeline.base.errors import SettingsError
from pipeline.sweep.grid import Grid, read_grid, value_of, write_grid
from pipeline.sweep.hydra import Command, parse_arguments, read_command


def command(*words: str) -> Command:
    return read_command(parse_arguments(words))


def refused(*words: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        command(*words)
    return caught.value.faults


@pytest.fixture
def compositions(monkeypatch) -> list[list[str]]:
    """The overrides of every composition that Hydra makes."""
    made, real = [], ConfigLoaderImpl.load_configuration

    def counted(self, config_name, overrides, *arguments, **keywords):
        made.append(list(overrides))
        return real(self, config_name, overrides, *arguments, **keywords)

    monkeypatch.setattr(ConfigLoaderImpl, "load_configuration", counted)
    return made


def test_a_sweep_over_values_is_composed_once(compositions):
    assert len(command("experiment=digits").points) == 27
    assert compositions == [["experiment=digits"]]


def test_a_thousand_points_over_values_are_composed_once(compositions):
    found = command("-m", "training.alpha=range(1,101)", "seed=range(10)")
    assert len(set(found.points)) == 1000 and len(compositions) == 1


def test_a_swept_group_is_composed_once_for_each_choice(compositions):
    found = command("-m", "data=digits,notebook", "training.alpha=0.1,0.2,0.3")
    assert [(p.data.source, p.training.alpha) for p in found.points] == [
        (source, alpha) for source in ("digits", "notebook") for alpha in (0.1, 0.2, 0.3)
    ]
    assert [p.data.validation for p in found.points] == [0.2] * 3 + [0.0] * 3
    assert len(compositions) == 3


def test_a_projects_path_is_no_interpolation(monkeypatch, tmp_path):
    home = tmp_path / "${seed} ${oc.env:HOME}"
    monkeypatch.setattr(project, "root", lambda: home)
    for words in ([], ["-m", "seed=1,2"], ["data=arrays", "data.path=${project:mine}.npz"]):
        found = command(*words)
        assert {point.folder for point in found.points} == {home / "experiments" / "scratch"}
        assert found.output.parent == home / "experiments" / "scratch" / "logs"


SWEEPS = {
    "lists": (["model.kernel_size=3,5", "training.alpha=0.1,0.2"], [(3, 0.1), (3, 0.2), (5, 0.1), (5, 0.2)]),
    "range()": (["model.kernel_size=range(3,8,2)"], [(3, 0.1), (5, 0.1), (7, 0.1)]),
    "choice()": (["training.alpha=choice(1,2.5)"], [(3, 1.0), (3, 2.5)]),
    "one value": (["training.alpha=0.3", "model.kernel_size=5,3"], [(5, 0.3), (3, 0.3)]),
    "sort()": (["training.alpha=sort(3,1,2)"], [(3, 1.0), (3, 2.0), (3, 3.0)]),
    "the last of several": (["training.alpha=1,2", "training.alpha=5"], [(3, 5.0)]),
    "a point twice": (["training.alpha=1,1.0"], [(3, 1.0), (3, 1.0)]),
}


@pytest.mark.parametrize("how", SWEEPS)
def test_what_people_type(how):
    words, expected = SWEEPS[how]
    assert [(p.model.kernel_size, p.training.alpha) for p in command("-m", *words).points] == expected


def test_glob_takes_the_choices_that_fit():
    assert [p.model.gradient for p in command("-m", "model=glob(*)").points] == ["exact", "notebook"]
    assert refused("-m", "model=glob(zzz*)") == ["model: glob(zzz*) fits none of exact, notebook"]


def test_an_axis_of_an_experiment_can_be_replaced_and_one_more_added():
    found = command("experiment=notebook_grid", "training.iterations=5", "seed=1,2")
    assert {p.training.iterations for p in found.points} == {5}
    assert len(found.points) == 18 and found.keys == ("model.kernel_size", "training.alpha", "seed")


def test_interpolations_follow_each_points_values():
    found = command("-m", "training.iterations=10,20", "training.batch_size=${training.iterations}", "name=of_${seed}")
    assert [(p.training.batch_size, p.name) for p in found.points] == [(10, "of_0"), (20, "of_0")]


@pytest.mark.parametrize(
    ("params", "alphas"),
    [("training.alpha: '1,2'", [1.0, 2.0]), ("training: {alpha: [1, 2]}", [1.0, 2.0]), ("training: {alpha: 3}", [3.0])],
)
def test_params_may_be_nested_or_dotted_texts_lists_or_one_value(params, alphas, tmp_path):
    (tmp_path / "experiment").mkdir()
    text = "# @package _global_\nname: mine\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      seed: 4,5\n"
    (tmp_path / "experiment" / "mine.yaml").write_text(text)
    words = ("--config-dir", str(tmp_path), "experiment=mine", "+hydra.sweeper.params={" + params + "}")
    assert [(p.seed, p.training.alpha) for p in command(*words).points] == list(itertools.product([4, 5], alphas))
    assert [(p.seed, p.training.alpha) for p in command(*words, "training.alpha=7").points] == [(4, 7.0), (5, 7.0)]


def test_a_config_of_ones_own(tmp_path):
    (tmp_path / "mine.yaml").write_text("defaults: [config, _self_]\nseed: 9\n")
    assert command("--config-dir", str(tmp_path), "-cn", "mine").first.seed == 9
    [line] = refused("-cn", "nosuch")
    assert line.startswith("-cn: there is no config 'nosuch'")
    [line] = refused("--config-dir", str(tmp_path / "nosuch"))
    assert line.startswith("--config-dir: ") and "is no folder" in line


def test_a_sweep_without_m_says_so():
    assert refused("model.kernel_size=3,5") == ["model.kernel_size: takes one value; to sweep over several, add -m"]


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("training.alpha=interval(0,1)", "training.alpha: interval(0,1) needs a sweeper that draws values"),
        ("model.kernel=3,5", "model.kernel=3: model.kernel: no such setting; did you mean model.kernel_size?"),
        ("+model.kernel=3,5", "+model.kernel=3: model.kernel: no such setting; did you mean model.kernel_size?"),
        ("model.kernel_size.deep=3,5", "model.kernel_size.deep=3: model.kernel_size.deep: no such setting"),
        ("model=exact,nosuch", "model=nosuch: model: there is no 'nosuch'; there are exact, notebook"),
        ("hydra.sweeper.params=3", "Error merging override hydra.sweeper.params=3"),
    ],
)
def test_a_bad_axis_is_named(word, line):
    assert refused("-m", word)[0].startswith(line)


def test_folders_below_the_sweeps_take_anything_that_hydra_knows():
    subdir = "hydra.sweep.subdir=${hydra.job.num}_${training.alpha}"
    found = command("-m", "training.alpha=0.1,0.2", "hydra.sweep.dir=/s", subdir)
    assert found.output == Path("/s") and [str(job.folder) for job in found.jobs] == ["0_0.1", "1_0.2"]
    found = command("-m", "seed=1,2", "training.alpha=3,4", "hydra.sweep.subdir=${hydra.job.override_dirname}")
    assert [str(job.folder) for job in found.jobs][1] == "seed=1,training.alpha=4"
    found = command("-m", "seed=1,2", "hydra.sweep.subdir=n${hydra:job.num}")
    assert [str(job.folder) for job in found.jobs] == ["n0", "n1"]


def test_other_launchers_and_sweepers_are_left_to_hydra():
    found = command("-m", "hydra/launcher=joblib", "seed=1,2")
    assert found.foreign and len(found.points) == 2
    found = command("-m", "hydra/sweeper=optuna", "training.alpha=interval(0,1)")
    assert found.foreign and found.points == () and found.keys == ("training.alpha",)
    assert not command("experiment=digits").foreign


@law(max_examples=12, deadline=None, derandomize=True, database=None)
@given(
    st.lists(st.sampled_from([3, 5, 7]), min_size=1, max_size=3, unique=True),
    st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=3, unique=True),
    st.lists(st.integers(1, 10**6), min_size=1, max_size=3, unique=True),
)
def test_a_grid_is_the_product_of_its_axes_and_comes_back_from_its_file(sizes, alphas, iterations):
    words = [f"{key}={','.join(map(repr, values))}" for key, values in
             {"model.kernel_size": sizes, "training.alpha": alphas, "training.iterations": iterations}.items()]  # fmt: skip
    found = command("-m", *words)
    keys = ("model.kernel_size", "training.alpha", "training.iterations")
    assert [tuple(value_of(p, key) for key in keys) for p in found.points] == list(
        itertools.product(sizes, map(float, alphas), iterations)
    )


def test_a_grid_comes_back_from_its_file_and_names_its_points(tmp_path):
    grid = Grid.of(command("experiment=digits", f"paths.experiments={tmp_path}").points)
    assert grid.swept == ("model.kernel_size", "training.alpha", "training.iterations")
    assert grid.name(grid.points[1]) == "kernel_size=3 alpha=0.1 iterations=1000"
    write_grid(grid)
    again = read_grid(tmp_path / "digits")
    assert again.swept == grid.swept
    assert [grid.name(p) for p in again.points] == [grid.name(p) for p in grid.points]
    assert [p.training for p in again.points] == [p.training for p in grid.points]
