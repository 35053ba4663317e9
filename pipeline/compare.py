"""Stage compare: the points of an experiment's current grid side by side, as tables and figures.

python -m pipeline.compare experiment=digits
python -m pipeline.compare name=scratch
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from . import console, figures
from .data.prepared import prepare
from .files import FileError, write_text
from .grid import Grid, compose_grid, deciding, parse_arguments, read_grid
from .job import point_name
from .records.fingerprint import point_folder
from .records.record import Record, is_finished, read_record
from .settings import flatten
from .tracking import log
from .tracking.store import Store

AXES = ("model.kernel_size", "training.alpha", "training.iterations")
OUTPUTS = ["config.yaml", "points.csv", "y_hat.csv", "metrics.json", "figures"]


@dataclass(frozen=True)
class Comparison:
    """records: by name, in the grid's order. points: a row a record. text: the tables for the terminal."""

    folder: Path
    records: dict[str, Record]
    points: pd.DataFrame
    best: str
    metric: str
    text: str


def main(arguments: list[str]) -> int:
    """Compare the grid that was composed last for the experiment that the command line names."""
    args = parse_arguments(arguments)
    folder = compose_grid(args).first.folder
    comparison = compare(read_grid(folder), complete=True)
    assert comparison is not None
    print(comparison.text)
    return 0


def compare(grid: Grid, complete: bool) -> Comparison | None:
    """Write points.csv, y_hat.csv, metrics.json and figures/ of a grid. With `complete`, FileError when a point is missing;
    else missing points are left out, and None when there are none."""
    folder, swept = grid.first.folder, grid.swept()
    records: dict[str, Record] = {}
    rows = []
    for settings in grid.points:
        place = point_folder(settings, prepare(settings).digest)
        name = point_name(settings, swept)
        if not is_finished(place):
            if complete:
                raise FileError(f"{place}: point {name} has no record yet; train it first")
            continue
        records[name] = read_record(place)
        flat = flatten(deciding(settings))
        rows.append({key: flat[key] for key in swept or list(AXES)} | records[name].result["metrics"])
    if not records:
        return None
    points = pd.DataFrame(rows).drop_duplicates(ignore_index=True)
    metric = criterion(points)
    names = list(records)
    best = names[int(points[metric].to_numpy(float).argmax())]
    pages, marked = pivot(points, metric, swept)
    text = _text(pages, marked, metric, best, records[best], folder)
    comparison = Comparison(folder, records, points, best, metric, text)
    _write(comparison, pages, marked, points)
    return comparison


def criterion(points: pd.DataFrame) -> str:
    """What the best point is chosen by: validation accuracy, so that the test split stays fresh; margins break no ties
    when one image is all there is, so then the margin itself."""
    for metric in ("validation_accuracy", "train_margin"):
        if metric in points:
            return metric
    return "train_accuracy"


def pivot(points: pd.DataFrame, metric: str, swept: list[str]) -> tuple[dict[str, pd.DataFrame], tuple[str, Any, Any] | None]:
    """Pages of kernel size x alpha, one for each iteration count and further setting; and the best cell's page, row, column.

    When these are not swept, whatever is swept takes their places.
    """
    ranked = [key for key in AXES[:2] if key in swept] + [key for key in swept if key not in AXES[:2]]
    ranked = ranked or list(AXES)
    row, column = ranked[0], ranked[1] if len(ranked) > 1 else None
    rest = ranked[2:]
    table = points.copy()
    short = [key.rpartition(".")[2] for key in rest]
    cells = [table[key].tolist() for key in rest]
    table["page"] = [
        ", ".join(f"{name} {value}" for name, value in zip(short, values, strict=True))
        for values in (zip(*cells, strict=True) if cells else [()] * len(table))
    ]
    if column is None:
        column = "metric"
        table[column] = metric
    best = table.iloc[int(table[metric].to_numpy(float).argmax())]
    pages = {}
    for title in dict.fromkeys(table["page"]):
        part = table[table["page"] == title]
        page = part.pivot_table(index=row, columns=column, values=metric, aggfunc="mean", sort=True)
        page.index.name, page.columns.name = row.rpartition(".")[2], column.rpartition(".")[2]
        pages[title] = page
    return pages, (best["page"], best[row], best[column])


def _text(
    pages: dict[str, pd.DataFrame],
    marked: tuple[str, Any, Any] | None,
    metric: str,
    best: str,
    record: Record,
    folder: Path,
) -> str:
    lines = []
    for title, page in pages.items():
        shown = page.map(lambda value: f"{value:.4f} " if pd.notna(value) else "- ")
        if marked and marked[0] == title:
            shown.loc[marked[1], marked[2]] = shown.loc[marked[1], marked[2]].strip() + "*"
        head = f"{metric}, {page.index.name} (down) x {page.columns.name} (across)" + (f", {title}" if title else "")
        shown = shown.rename_axis(columns=None)
        lines += ["", head, shown.to_string()]
    values = record.result["metrics"]
    kept = [key for key in values if key.endswith(("accuracy", "margin"))]
    lines += ["", f"* best: {best}   " + "  ".join(f"{key} {values[key]:.4f}" for key in kept)]
    lines += [f"tables and figures: {folder}"]
    return "\n".join(lines).lstrip("\n")


def _write(
    comparison: Comparison,
    pages: dict[str, pd.DataFrame],
    marked: tuple[str, Any, Any] | None,
    points: pd.DataFrame,
) -> None:
    folder, records = comparison.folder, comparison.records
    write_text(folder / "points.csv", points.to_csv(index=False, lineterminator="\n"))
    vectors = {name: record.y_hat for name, record in records.items()}
    write_text(folder / "y_hat.csv", side_by_side(vectors).to_csv(index=False, lineterminator="\n"))
    metrics: dict[str, Any] = {"best": comparison.best, **records[comparison.best].result["metrics"]}
    write_text(folder / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    classes = records[comparison.best].classes
    drawn = {
        "heatmap": figures.heatmap_figure(pages, comparison.metric, marked),
        "losses": figures.losses_figure(records),
        "y_hat": figures.y_hat_figure(vectors, classes),
        "kernels": figures.kernels_figure(records),
    }
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for name, figure in drawn.items():
        figure.savefig(folder / "figures" / f"{name}.png", metadata={"Software": None})


def side_by_side(vectors: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Columns image and target, then "<point> y_hat_<class>" for every point; images outer-joined."""
    parts = []
    for name, frame in vectors.items():
        indexed = frame.set_index(["image", "target"])
        parts.append(indexed.add_prefix(f"{name} "))
    return pd.concat(parts, axis=1).copy().reset_index()


def outcome(record: Record) -> str:
    """What one point came to: target beside y-hat for a single image, as the notebook prints it; else its metrics."""
    y_hat = record.y_hat
    if len(y_hat) == 1:
        vector = y_hat.iloc[0]
        rows = [(name, float(name == vector["target"]), vector[f"y_hat_{name}"]) for name in record.classes]
        return pd.DataFrame(rows, columns=["class", "y", "y_hat"]).to_string(index=False)
    return "\n".join(f"{key:20s} {value:.4f}" for key, value in record.result["metrics"].items())


def track(store: Store, run_id: str, comparison: Comparison) -> None:
    """Attach the comparison to the sweep's parent run."""
    from mlflow.entities import Metric

    log.log_outputs(store, run_id, comparison.folder, OUTPUTS)
    values = comparison.records[comparison.best].result["metrics"]
    began = store.client.get_run(run_id).info.start_time
    store.client.log_batch(run_id, metrics=[Metric(f"best/{key}", value, began, 0) for key, value in values.items()])
    store.client.set_tag(run_id, "best", comparison.best)
    store.client.set_tag(run_id, "mlflow.note.content", f"```\n{comparison.text}\n```")


if __name__ == "__main__":
    console.run(main)
