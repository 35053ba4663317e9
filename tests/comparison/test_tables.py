"""From points to a table: what is averaged, what is best, what stands where, what is left out of a large one."""

import numpy as np
import pandas as pd
import pytest

from pipeline.comparison.axes import axes, values_of
from pipeline.comparison.tables import MOST_COLUMNS, MOST_PAGES, MOST_ROWS, pivot, summarise
from pipeline.settings import Settings

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


def test_every_row_knows_its_points_however_they_are_ordered():
    table = summarise(points(), SWEPT)
    assert table.members.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert table.firsts() == [0, 2, 4, 6]
    outermost = summarise(points().sort_values("seed", kind="stable"), SWEPT)
    assert outermost.members.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert outermost.firsts() == [0, 1, 2, 3]


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
    laid = pivot(table)
    assert laid.best == ("", 1, "validation_accuracy")
    assert list(laid.pages[""].values.index) == [0, 1]


def test_a_pivot_is_kernel_size_by_alpha_with_a_page_for_each_number_of_iterations():
    frame = pd.concat([points((0,)).assign(**{"training.iterations": n}) for n in (10, 20)])
    frame["validation_accuracy"] += frame["training.iterations"] / 1000
    laid = pivot(summarise(frame.drop(columns="seed"), [*SWEPT[:2], "training.iterations"]))
    assert (list(laid.pages), laid.left) == (["iterations 10", "iterations 20"], 0)
    assert laid.best == ("iterations 20", 5, 0.5)
    page = laid.pages["iterations 20"]
    assert (page.values.index.name, page.values.columns.name) == ("kernel_size", "alpha")
    assert page.values.loc[3, 0.1] == pytest.approx(0.3 + 0.001 + 0.02)
    assert (page.rows_left, page.columns_left) == (0, 0)


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


def test_values_are_found_by_dotted_names():
    assert values_of(Settings(seed=7), ["seed", "training.alpha", "data.path"]) == [7, 0.1, None]


def test_without_a_validation_split_the_margin_decides():
    frame = pd.DataFrame({"training.alpha": [1.0, 2.0], "train_accuracy": [1.0, 1.0], "train_margin": [0.2, 0.9]})
    assert summarise(frame, ["training.alpha"]).best["training.alpha"] == 2.0


def test_a_setting_that_is_null_is_a_value_like_any_other():
    frame = pd.DataFrame({"data.scale": [None, 16.0, None], "seed": [0, 0, 1], "validation_accuracy": [0.9, 0.5, 0.7]})
    table = summarise(frame, ["data.scale", "seed"])
    assert table.members.tolist() == [0, 1, 0]
    assert table.best["validation_accuracy"] == pytest.approx(0.8)
    laid = pivot(table)
    assert laid.best[1] == "null"
    assert laid.pages[""].values.loc["null", "validation_accuracy"] == pytest.approx(0.8)


def test_a_point_without_the_metric_is_never_the_best():
    frame = pd.DataFrame({"data.validation": [0.0, 0.1, 0.2], "validation_accuracy": [np.nan, 0.4, 0.6]})
    assert summarise(frame, ["data.validation"]).best["data.validation"] == 0.2


def test_a_large_sweep_is_laid_out_in_part_and_the_best_is_in_it():
    keys = ["model.kernel_size", "training.alpha", "training.iterations"]
    rows = [dict(zip(keys, (k, a, n), strict=True)) for k in range(1, 121, 2) for a in range(1, 31) for n in range(20)]
    frame = pd.DataFrame(rows)
    wanted = {"model.kernel_size": 117, "training.alpha": 29, "training.iterations": 18}
    frame["validation_accuracy"] = (frame[keys] == list(wanted.values())).all(axis=1) * 1.0
    laid = pivot(summarise(frame, keys))
    assert len(laid.pages) == MOST_PAGES
    assert laid.left == 20 - MOST_PAGES
    assert laid.best == ("iterations 18", 117, 29)
    page = laid.pages["iterations 18"]
    assert page.values.shape == (MOST_ROWS, MOST_COLUMNS)
    assert (page.rows_left, page.columns_left) == (20, 10)
    assert page.values.loc[117, 29] == 1.0
