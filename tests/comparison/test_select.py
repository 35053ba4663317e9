"""Points by name: what is found, what is best, and what is said of a name that means nothing or too much."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.base.errors import FileError, SettingsError
from pipeline.comparison.compare import compare
from pipeline.comparison.select import Places, differing, find_point, find_records, name_of
from pipeline.sweep.grid import Grid, write_grid
from tests.comparison.comparison_cases import SWEPT, grid, point, write

ODD = {"data.scale": None, "training.batch_size": "all"}


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> Places:
    """An experiment `made` of eight points whose grid is on disk, and `odd` of one without a grid."""
    folder = tmp_path_factory.mktemp("experiments")
    points = grid(folder, (5, 3), (0.5, 0.1))
    for number, each in enumerate(points):
        write(each, metrics={"validation_accuracy": [0.5, 0.9, 0.9, 0.1][number % 4], "train_loss": number / 10})
    write_grid(Grid.of(each.settings for each in points))
    write(point(folder, "", {"name": "odd", **ODD}))
    return Places(folder, lambda name: [folder / "fetched" / name])


def names(records) -> list[str]:
    keys = differing(records)
    return [name_of(record, keys) for record in records]


def test_an_experiment_is_all_its_points_in_its_grids_order(places):
    found = find_records(["made"], places)
    assert differing(found) == SWEPT
    assert [name.split()[0] for name in names(found)] == ["kernel_size=5"] * 4 + ["kernel_size=3"] * 4
    assert names(found)[:3] == [f"kernel_size=5 alpha={a} iterations={n}" for a, n in ((0.5, 4), (0.5, 8), (0.1, 4))]


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (["made", "odd"], 9),
        (["made", "made", "{made}/points/5 0.5/4"], 8),
        (["{made}"], 8),
        (["{made}/points/5 0.5"], 2),
        (["{made}/points/5 0.5/4", "{made}/points/3 0.1/8"], 2),
        (["made", "alpha<0.5"], 4),
        (["made", "training.alpha>=0.1", "alpha<=0.1", "model.kernel_size=3"], 2),
        (["made", "kernel_size!=3", "iterations=4,8"], 4),
        (["made", "train_loss>0.55"], 2),
        (["odd", "batch_size=all", "scale=null"], 1),
        (["made", "odd", "batch_size<64"], 8),
        (["made/best", "odd/champion"], 2),
    ],
)
def test_sources_and_filters(places, words, count):
    assert len(find_records([word.format(made=places.experiments / "made") for word in words], places)) == count


def test_a_source_of_which_filters_leave_nothing_is_said(places, capsys):
    assert len(find_records(["made", "odd/best", "made/best", "batch_size<64", "kernel_size=3"], places)) == 4
    said = capsys.readouterr().err.splitlines()
    # Nothing of odd's has a number there; the best of made has another kernel.
    assert said == [f"note: {each}/best: has no point with batch_size<64 kernel_size=3" for each in ("odd", "made")]
    find_records(["made", "made", "kernel_size=3"], places)
    assert capsys.readouterr().err == ""


def test_the_same_point_of_two_experiments_counts_once(places, tmp_path):
    """And a copy of a record needs nothing around it."""
    found = find_records(["made/best"], places)
    copy = shutil.copytree(found[0].folder, tmp_path / "anywhere")
    assert [record.folder for record in find_records([str(copy), "made/best"], places)] == [copy]


def test_trajectories_are_known_by_their_ids_and_runs_are_fetched(tmp_path):
    for iterations in (10, 9):
        write(replace(point(tmp_path, "", {"training.iterations": iterations}), trajectory="0123456789abcdef"))
    fetched = []
    there = Places(tmp_path, lambda name: fetched.append(name) or [tmp_path / "made/points/0123456789abcdef/9"])
    assert [r.result.iterations for r in find_records(["0123456789abcdef"], there)] == [9, 10]
    assert find_point(["0123456789abcdef/10"], there).result.iterations == 10
    assert find_point(["models:/made@champion"], there).result.iterations == 9
    assert find_point(["f" * 32], there).result.iterations == 9
    assert fetched == ["models:/made@champion", "f" * 32]


@pytest.mark.parametrize("words", [["made"], ["made", "best"], ["champion", "made"], ["made/best"], ["made best"]])
def test_the_best_is_the_comparisons_best(places, words):
    best = find_point(words, places)
    assert name_of(best, SWEPT) == "kernel_size=5 alpha=0.5 iterations=8"


def test_the_best_of_repeats_is_the_first_of_the_best_mean(tmp_path):
    pairs = [(a, s) for s in (0, 1) for a in (0.1, 0.5)]
    points = [point(tmp_path, f"alpha={a} seed={s}", {"training.alpha": a, "seed": s}) for a, s in pairs]
    for each, accuracy in zip(points, (0.2, 0.4, 0.5, 0.4), strict=True):
        write(each, metrics={"validation_accuracy": accuracy})
    best = find_point(["best"], Places(tmp_path, lambda _: []))
    assert name_of(best, ["training.alpha", "seed"]) == compare(points, tmp_path / "out", ["training.alpha", "seed"]).best


def test_the_best_of_points_that_saw_different_images_is_said_to_be_so(tmp_path, capsys):
    for number, classes in enumerate((("ant", "bee"), ("cat", "dog"))):
        write(point(tmp_path, "", {"training.alpha": number + 1.0}), classes)
    there = Places(tmp_path, lambda _: [])
    for words in (["made"], ["made", "best"], ["made/best"]):
        assert find_point(words, there).classes == ["ant", "bee"]
        [said] = capsys.readouterr().err.splitlines()
        images = "digits (1), digits 2 (1); metrics compare within each"
        assert said == f"note: {' '.join(words)}: the best of points that saw different images: {images}"
    find_point(["made", "alpha=1"], there)
    assert capsys.readouterr().err == ""


def test_one_point_by_its_settings(places):
    for words in (["made", "kernel_size=3", "alpha=0.1", "iterations=4"], ["made kernel_size=3 alpha=0.1 iterations=4"]):
        assert name_of(find_point(words, places), SWEPT) == "kernel_size=3 alpha=0.1 iterations=4"
    assert name_of(find_point(["made", "kernel_size=3", "best"], places), SWEPT) == "kernel_size=3 alpha=0.5 iterations=8"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "nothing: is no experiment, no folder of a record and no trajectory; {folder} has made, odd"),
        (["best"], "points: name an experiment first; {folder} has made, odd"),
        (["made", "kernel_size=3"], "made kernel_size=3: 4 points are meant, name one or say best: alpha=0.5 iterations=4; "),
        (["made", "kernel_size=4"], "kernel_size=4: no point is left; model.kernel_size is 5, 3"),
        (["made", "alpha<x"], "alpha<x: a number must follow <, not 'x'"),
        (["made", "size=3x3"], "size=3x3: no point is left; data.size is None"),
        (["made", "model=exact"], "model: no such column of points.csv; is model.kernel_size or "),
        (["made", "alfa=1"], "alfa: no such column of points.csv; there are name, seed, "),
        (["."], ".: holds no record; a record has settings.yaml, result.json and SHA256SUMS"),
    ],
)
def test_what_is_said_of_a_wrong_name(places, words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((SettingsError, FileError)) as caught:
        find_point(words, places)
    assert str(caught.value).startswith(said.format(folder=places.experiments))
    assert "\n" not in str(caught.value)


def test_an_experiment_without_records_says_how_to_come_by_them(tmp_path):
    cloned = point(tmp_path, "", {"name": "cloned"})
    write_grid(Grid.of([cloned.settings]))
    with pytest.raises(FileError, match="cloned: has no records; `ovrcnn train` makes them, `dvc pull` fetches"):
        find_point(["cloned"], Places(tmp_path, lambda _: []))
    write(cloned)
    (cloned.folder / "SHA256SUMS").unlink()
    with pytest.raises(FileError, match="has records of an earlier layout; `ovrcnn compare name=cloned` brings them"):
        find_records(["cloned"], Places(tmp_path, lambda _: []))


def test_where_nothing_has_run(tmp_path):
    with pytest.raises(SettingsError, match=f"nothing has run in {tmp_path}"):
        find_point(["digits"], Places(Path(tmp_path), lambda _: []))
