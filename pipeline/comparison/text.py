"""What a comparison says in the terminal, in a bounded number of lines."""

from typing import Any

import pandas as pd

from .axes import short
from .tables import MOST_ROWS, Page, Pivot, Summary


def table_lines(table: Summary, laid: Pivot) -> list[str]:
    """The pages, the best cell marked, then the best settings in words."""
    lines = []
    for title, page in laid.pages.items():
        values = page.values
        where = f"{values.index.name} (down) x {values.columns.name} (across)"
        lines += ["", f"{table.metric}, {where}" + (f", {title}" if title else "")]
        lines += [_page_text(page, laid.best[1:] if title == laid.best[0] else None), *_left_out(page)]
    if laid.left:
        lines += ["", f"... and {laid.left} more pages in summary.csv"]
    return [*lines, *_best_lines(table)]


def _page_text(page: Page, best: tuple[Any, Any] | None) -> str:
    shown = page.values.map(lambda value: f"{value:.4f} " if pd.notna(value) else "- ")
    if best is not None:
        row, column = list(shown.index).index(best[0]), list(shown.columns).index(best[1])
        shown.iloc[row, column] = str(shown.iloc[row, column]).strip() + "*"
    return shown.rename_axis(columns=None).to_string()


def _left_out(page: Page) -> list[str]:
    left = {"rows": page.rows_left, "columns": page.columns_left}
    more = " and ".join(f"{count} more {name}" for name, count in left.items() if count)
    return [f"... and {more} in summary.csv"] if more else []


def _best_lines(table: Summary) -> list[str]:
    each = table.best_of_each()
    lines = [""]
    for mark, row in [("*", table.best), *((" ", row) for row in each[:MOST_ROWS])]:
        where = " ".join(f"{short(key)}={row[key]}" for key in table.keys)
        values = [f"{key} {row[key]:.4f}" + (f" +- {row[key + '_std']:.4f}" if table.repeats else "") for key in table.shown()]
        lines.append(f"{mark} best{' of its kind' if mark == ' ' else ''}: {where}   {'  '.join(values)}")
    if len(each) > MOST_ROWS:
        lines.append(f"  ... and {len(each) - MOST_ROWS} more in summary.csv")
    if table.repeats:
        lines.append(f"  means +- standard deviations over {' and '.join(table.repeats)}")
    return lines
