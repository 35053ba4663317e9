"""From points to a table: what is averaged, what is best, what stands where."""

import pandas as pd
import pytest

from pipeline.comparison.tables import axes, pivot, summarise

SWEPT = ["model.kernel_size", "training.alpha", "seed"]


def points(seeds=(0, 1)) -> pd.DataFrame:
    rows = [
        {"model.kernel_size": k, "training.alpha": a, "seed": s, "validation_accuracy": k / 10 + a / 100 + s / 1000,
         "test_accuracy": 0.5 + s}
        for k in (5, 3) for a in (0.5, 0.1) for s in seeds
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_repeats_are_averaged_and_their_spread_is_kept():
    table = summarise(points(), SWEPT)
    assert (table.keys, table.repeats, table.metric) == (SWEPT[:2], ["seed"], "validation_accuracy")
    assert len(table.rows) == 4
    row = table.rows.iloc[0]
    assert row["validation_accuracy"] == pytest.approx(0.5055)
    assert row["validation_accuracy_std"] == pytest.approx(0.0005)
    assert (row["test_accuracy"], row["test_accuracy_std"]) == (1.0, 0.5)


def test_the_best_is_chosen_by_validation_and_keeps_its_settings_types():
    best = summarise(points(), SWEPT).best
    assert (best["model.kernel_size"], best["training.alpha"]) == (5, 0.5)
    assert isinstance(best["model.kernel_size"], int)


def test_each_model_gets_its_own_best_alpha_when_there_are_repeats():
    found = summarise(points(), SWEPT).best_of_each()
    assert [(row["model.kernel_size"], row["training.alpha"]) for row in found] == [(5, 0.5), (3, 0.5)]
    assert summarise(points((0,)).drop(columns="seed"), SWEPT[:2]).best_of_each() == []


def test_seeds_alone_are_settings():
    table = summarise(points()[:2], ["seed"])
    assert (table.keys, table.repeats) == (["seed"], [])
    pages, marked = pivot(table)
    assert marked == ("", 1, "validation_accuracy")
    assert list(pages[""].index) == [0, 1]


def test_a_pivot_is_kernel_size_by_alpha_with_a_page_for_each_number_of_iterations():
    frame = pd.concat([points((0,)).assign(**{"training.iterations": n}) for n in (10, 20)])
    frame["validation_accuracy"] += frame["training.iterations"] / 1000
    table = summarise(frame.drop(columns="seed"), [*SWEPT[:2], "training.iterations"])
    pages, marked = pivot(table)
    assert list(pages) == ["iterations 10", "iterations 20"]
    assert marked == ("iterations 20", 5, 0.5)
    page = pages["iterations 20"]
    assert (page.index.name, page.columns.name) == ("kernel_size", "alpha")
    assert page.loc[3, 0.1] == pytest.approx(0.3 + 0.001 + 0.02)


@pytest.mark.parametrize(
    ("keys", "laid"),
    [
        (["model.kernel_size", "training.alpha"], ("model.kernel_size", "training.alpha", [])),
        (["training.alpha", "model.filters"], ("model.filters", "training.alpha", [])),
        (["model.filters", "model.kernel_size", "training.alpha"], ("model.kernel_size", "training.alpha", ["model.filters"])),
        (["training.alpha"], ("training.alpha", None, [])),
        (["training.loss", "training.iterations"], ("training.loss", "training.iterations", [])),
    ],
)
def test_axes(keys, laid):
    assert axes(keys) == laid


def test_without_a_validation_split_the_margin_decides():
    frame = pd.DataFrame({"training.alpha": [1.0, 2.0], "train_accuracy": [1.0, 1.0], "train_margin": [0.2, 0.9]})
    assert summarise(frame, ["training.alpha"]).best["training.alpha"] == 2.0
