"""The points of a sweep as one table: repeats averaged, the best setting chosen, axes laid out for a page. pandas only."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

AXES = ("model.kernel_size", "training.alpha", "training.iterations")
# Points that differ in these alone ask the same question again: what counts is their mean.
REPEATS = ("seed", "data.fold")
# The best point is chosen by validation accuracy, so that the test split stays fresh. The notebook's single image has no
# validation split, and every point gets it right sooner or later, so there the margin decides.
CRITERIA = ("validation_accuracy", "train_margin")


@dataclass(frozen=True)
class Summary:
    """rows: one a setting, columns `keys`, then each of `metrics` and its standard deviation, <metric>_std (0 without
    repeats). metric: what the best was chosen by."""

    rows: pd.DataFrame
    keys: list[str]
    metrics: list[str]
    repeats: list[str]
    metric: str

    @property
    def best(self) -> dict[str, Any]:
        return best_row(self.rows, self.metric)

    def best_of_each(self) -> list[dict[str, Any]]:
        """With models and alphas swept and repeated: for each model the row of its best alpha; else nothing."""
        models = [key for key in self.keys if key.startswith("model.")]
        if not (self.repeats and models and "training.alpha" in self.keys):
            return []
        return [best_row(group, self.metric) for _, group in self.rows.groupby(models, sort=False)]

    def shown(self) -> list[str]:
        """The metrics that fit a line."""
        wanted = ("validation_accuracy", "test_accuracy", "test_margin")
        return [key for key in wanted if key in self.metrics] or [self.metric]


def best_row(rows: pd.DataFrame, metric: str) -> dict[str, Any]:
    """The first row with the largest metric, by column."""
    [row] = rows.iloc[[int(rows[metric].to_numpy(float).argmax())]].to_dict("records")
    return {str(key): value for key, value in row.items()}


def summarise(points: pd.DataFrame, swept: list[str]) -> Summary:
    """Average the repeats of a table with a row a point: columns `swept`, then metrics."""
    repeats = [key for key in swept if key in REPEATS]
    keys = [key for key in swept if key not in REPEATS] or repeats[:1]
    repeats = [key for key in repeats if key not in keys]
    metrics = [str(key) for key in points.columns if key not in swept]
    metric = next((key for key in CRITERIA if key in metrics), metrics[0])
    groups = points.groupby(keys, sort=False, dropna=False)[metrics]
    means, spread = groups.mean().reset_index(), groups.std(ddof=0).reset_index(drop=True)
    return Summary(means.join(spread.add_suffix("_std")) if repeats else means, keys, metrics, repeats, metric)


def pivot(table: Summary) -> tuple[dict[str, pd.DataFrame], tuple[str, Any, Any]]:
    """Pages of rows x columns, kernel size x alpha where these are swept, one page for each value of the other settings;
    and the best cell's page, row and column."""
    row, column, rest = axes(table.keys)
    rows = table.rows.copy()
    if column is None:
        column = "metric"
        rows[column] = table.metric
    titles = [
        ", ".join(f"{short(key)} {value}" for key, value in zip(rest, values, strict=True))
        for values in (zip(*(rows[key].tolist() for key in rest), strict=True) if rest else [()] * len(rows))
    ]
    pages = {}
    for title in dict.fromkeys(titles):
        part = rows[[t == title for t in titles]]
        page = part.pivot_table(index=row, columns=column, values=table.metric, aggfunc="mean", sort=True)
        pages[title] = page.rename_axis(index=short(row), columns=short(column))
    at = int(rows[table.metric].to_numpy(float).argmax())
    return pages, (titles[at], rows[row].iloc[at], rows[column].iloc[at])


def axes(keys: list[str]) -> tuple[str, str | None, list[str]]:
    """Which setting goes down, which across, and which make pages."""
    models = sorted(keys, key=lambda key: (key != AXES[0], not key.startswith("model.")))
    down = next((key for key in models if key != AXES[1]), keys[0])
    left = [key for key in keys if key != down]
    across = AXES[1] if AXES[1] in left else next(iter(left), None)
    return down, across, [key for key in left if key != across]


def short(key: str) -> str:
    """A setting's name without its group."""
    return key.rpartition(".")[2]
