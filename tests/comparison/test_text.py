"""What a comparison says, and that it says it in few lines."""

import pandas as pd

from pipeline.comparison.tables import MOST_PAGES, MOST_ROWS, pivot, summarise
from pipeline.comparison.text import table_lines

KEYS = ["model.kernel_size", "training.alpha"]


def lines_of(frame: pd.DataFrame, keys=KEYS) -> list[str]:
    table = summarise(frame, keys)
    return "\n".join(table_lines(table, pivot(table))).splitlines()


def test_a_page_marks_its_best_cell_and_shows_what_is_missing():
    frame = pd.DataFrame({KEYS[0]: [3, 3, 5], KEYS[1]: [0.1, 0.5, 0.1], "validation_accuracy": [0.25, 0.75, 0.5]})
    assert lines_of(frame) == [
        "",
        "validation_accuracy, kernel_size (down) x alpha (across)",
        "                 0.1      0.5",
        "kernel_size                  ",
        "3            0.2500   0.7500*",
        "5            0.5000        - ",
        "",
        "* best: kernel_size=3 alpha=0.5   validation_accuracy 0.7500",
    ]


def test_repeats_are_told_with_their_spread_and_each_models_best_alpha():
    rows = [
        {KEYS[0]: k, KEYS[1]: a, "seed": s, "validation_accuracy": k / 10 + a / 10 + s / 100}
        for k in (3, 5) for a in (0.1, 0.5) for s in (0, 1)
    ]  # fmt: skip
    assert lines_of(pd.DataFrame(rows), [*KEYS, "seed"])[-4:] == [
        "* best: kernel_size=5 alpha=0.5   validation_accuracy 0.5550 +- 0.0050",
        "  best of its kind: kernel_size=3 alpha=0.5   validation_accuracy 0.3550 +- 0.0050",
        "  best of its kind: kernel_size=5 alpha=0.5   validation_accuracy 0.5550 +- 0.0050",
        "  means +- standard deviations over seed",
    ]


def test_a_page_that_would_be_mostly_blank_is_a_ranking():
    frame = pd.DataFrame({KEYS[0]: [3, 5, 7] * 10, KEYS[1]: [1 / n for n in range(1, 31)]})
    frame["validation_accuracy"] = [n / 100 for n in range(30)]
    lines = lines_of(frame)
    assert lines[1:4] == [
        "the 20 best of 30, by validation_accuracy",
        "kernel_size    alpha validation_accuracy",
        "          7 0.033333              0.2900",
    ]
    assert len(lines) == 26 and lines[23] == "... and 10 more in summary.csv"
    # Pages with few gaps stay pages.
    assert "kernel_size (down)" in lines_of(frame.assign(**{KEYS[1]: [n // 3 for n in range(30)]})[:-2])[1]


def test_settings_that_change_together_are_one_axis():
    """What `model=exact,notebook` sweeps."""
    names = {"model.init": ["he", "notebook"], "model.gradient": ["exact", "notebook"], "model.dtype": ["float32", "float64"]}
    frame = pd.DataFrame({**{key: values * 2 for key, values in names.items()}, KEYS[1]: [0.1, 0.1, 0.5, 0.5]})
    frame["validation_accuracy"] = [0.25, 0.5, 0.75, 0.0]
    assert lines_of(frame, [*names, KEYS[1]])[1:6] == [
        "validation_accuracy, init/gradient/dtype (down) x alpha (across)",
        "                               0.1      0.5",
        "init/gradient/dtype                        ",
        "he/exact/float32           0.2500   0.7500*",
        "notebook/notebook/float64  0.5000   0.0000 ",
    ]


def test_points_that_lack_the_metric_are_counted():
    frame = pd.DataFrame({"data.source": ["digits", "idx", "notebook"], "validation_accuracy": [0.5, 0.25, float("nan")]})
    lines = lines_of(frame, ["data.source"])
    assert lines[-1] == "  points without validation_accuracy: 1 of 3; the table of points has them"
    assert not any(line.startswith("notebook") for line in lines)
    assert lines_of(frame[1:], ["data.source"])[4].split() == ["notebook", "-"]


def test_a_large_sweep_says_how_much_stays_in_the_table():
    keys = [*KEYS, "training.iterations", "seed"]
    rows = [
        {keys[0]: k, keys[1]: a, keys[2]: n, "seed": s, "validation_accuracy": 0.5}
        for k in range(1, 101, 2) for a in range(25) for n in range(14) for s in (0, 1)
    ]  # fmt: skip
    lines = lines_of(pd.DataFrame(rows), keys)
    assert "... and 10 more rows and 5 more columns in summary.csv" in lines
    assert "... and 2 more pages in summary.csv" in lines
    assert "  ... and 10 more in summary.csv" in lines
    assert len(lines) < (MOST_PAGES + 1) * (MOST_ROWS + 6)
