"""Stage compare: the points of an experiment's current grid side by side, as tables and figures.

python -m pipeline.compare experiment=digits
python -m pipeline.compare name=scratch
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from .base import console
from .base.files import FileError, write_text
from .comparison import figures
from .comparison.tables import AXES, Summary, pivot, short, summarise
from .data.prepared import prepare
from .records.fingerprint import point_folder
from .records.record import Record, is_finished, read_record
from .settings import flatten
from .sweep.grid import Grid, compose_grid, deciding, parse_arguments, read_grid
from .sweep.job import point_name
from .tracking import log, view
from .tracking.store import Store

OUTPUTS = ["config.yaml", "points.csv", "summary.csv", "y_hat.csv", "metrics.json", "figures"]


@dataclass(frozen=True)
class Comparison:
    """records: by name, in the grid's order. points: a row a record. text: the tables for the terminal."""

    folder: Path
    records: dict[str, Record]
    points: pd.DataFrame
    summary: Summary
    best: str
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
    """Write points.csv, summary.csv, y_hat.csv, metrics.json and figures/ of a grid.

    With `complete`, FileError when a point is missing; else missing points are left out, and None when there are none.
    """
    folder, swept = grid.first.folder, grid.swept()
    records: dict[str, Record] = {}
    rows = []
    for settings in grid.points:
        place = point_folder(settings, prepare(settings).digest)
        name = point_name(settings, swept)
        if name in records:
            continue
        if not is_finished(place):
            if complete:
                raise FileError(f"{place}: point {name} has no record yet; train it first")
            continue
        records[name] = read_record(place)
        flat = flatten(deciding(settings))
        rows.append({key: flat[key] for key in swept or list(AXES)} | records[name].result["metrics"])
    if not records:
        return None
    points = pd.DataFrame(rows)
    table = summarise(points, swept or list(AXES))
    pages, marked = pivot(table)
    best = next(name for name, row in zip(records, rows, strict=True) if all(row[key] == table.best[key] for key in table.keys))
    text = "\n".join([*_pages_text(pages, marked, table.metric), *_best_text(table), f"tables and figures: {folder}"])
    comparison = Comparison(folder, records, points, table, best, text.lstrip("\n"))
    _write(comparison, pages, marked)
    return comparison


def _pages_text(pages: dict[str, pd.DataFrame], marked: tuple[str, Any, Any], metric: str) -> list[str]:
    lines = []
    for title, page in pages.items():
        shown = page.map(lambda value: f"{value:.4f} " if pd.notna(value) else "- ")
        if marked[0] == title:
            shown.loc[marked[1], marked[2]] = shown.loc[marked[1], marked[2]].strip() + "*"
        head = f"{metric}, {page.index.name} (down) x {page.columns.name} (across)" + (f", {title}" if title else "")
        shown = shown.rename_axis(columns=None)
        lines += ["", head, shown.to_string()]
    return lines


def _best_text(table: Summary) -> list[str]:
    lines = [""]
    for mark, row in [("*", table.best), *((" ", row) for row in table.best_of_each())]:
        where = " ".join(f"{short(key)}={row[key]}" for key in table.keys)
        values = [f"{key} {row[key]:.4f}" + (f" +- {row[key + '_std']:.4f}" if table.repeats else "") for key in table.shown()]
        lines.append(f"{mark} best{' of its kind' if mark == ' ' else ''}: {where}   {'  '.join(values)}")
    if table.repeats:
        lines.append(f"  means +- standard deviations over {' and '.join(table.repeats)}")
    return lines


def _write(comparison: Comparison, pages: dict[str, pd.DataFrame], marked: tuple[str, Any, Any]) -> None:
    folder, records, table = comparison.folder, comparison.records, comparison.summary
    write_text(folder / "points.csv", comparison.points.to_csv(index=False, lineterminator="\n"))
    write_text(folder / "summary.csv", table.rows.to_csv(index=False, lineterminator="\n"))
    vectors = {name: record.y_hat for name, record in records.items()}
    write_text(folder / "y_hat.csv", side_by_side(vectors).to_csv(index=False, lineterminator="\n"))
    means = {key: float(table.best[key]) for key in table.metrics}
    write_text(folder / "metrics.json", json.dumps({"best": comparison.best, **means}, indent=1) + "\n")
    # One picture a setting: repeats look alike.
    distinct = dict(list(records.items())[:: len(records) // len(table.rows)]) if table.repeats else records
    classes = records[comparison.best].classes
    drawn = {
        "heatmap": figures.heatmap_figure(pages, table.metric, marked),
        "losses": figures.losses_figure(distinct),
        "y_hat": figures.y_hat_figure({name: vectors[name] for name in distinct}, classes),
        "kernels": figures.kernels_figure(distinct),
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
    values = {key: float(comparison.summary.best[key]) for key in comparison.summary.metrics}
    began = store.client.get_run(run_id).info.start_time
    store.client.log_batch(run_id, metrics=[Metric(f"best/{key}", value, began, 0) for key, value in values.items()])
    store.client.set_tag(run_id, "best", comparison.best)
    view.seed_view(
        store, [str(key) for key in comparison.points if key not in values], [comparison.summary.metric, *values], run_id
    )
    store.client.set_tag(run_id, "mlflow.note.content", f"```\n{comparison.text}\n```")


if __name__ == "__main__":
    console.run(main)
