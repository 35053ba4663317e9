"""What a comparison says in the terminal, in a bounded number of lines."""

from typing import Any

import pandas as pd

from ..base.console import number
from .axes import short
from .labels import setting
from .tables import MOST_ROWS, Page, Pivot, Summary

# Rows of a ranking.
MOST_RANKED = 20


def table_lines(table: Summary, laid: Pivot) -> list[str]:
    """The pages, the best cell marked, then the best settings in words. Where pages would be mostly blank, or hold one setting
    that is repeated, a ranking says more."""
    if _is_blank(laid) or (table.repeats and len(table.rows) == 1):
        return [*_ranking_lines(table), *_best_lines(table)]
    lines = []
    for title, page in laid.pages.items():
        values = page.values
        where = f"{values.index.name} (down) x {values.columns.name} (across)"
        lines += ["", f"{table.metric}, {where}" + (f", {title}" if title else "")]
        lines += [_page_text(page, laid.best[1:] if title == laid.best[0] else None), *_left_out(page)]
    if laid.left:
        lines += ["", f"... and {laid.left} more pages in summary.csv"]
    return [*lines, *_best_lines(table)]


def _is_blank(laid: Pivot) -> bool:
    """Whether most cells of the pages have no value."""
    cells = sum(page.values.size for page in laid.pages.values())
    return 2 * sum(int(page.values.notna().to_numpy().sum()) for page in laid.pages.values()) < cells


def _ranking_lines(table: Summary) -> list[str]:
    repeated = bool(table.repeats) and len(table.rows) == 1
    keys, count = (table.repeats, len(table.points)) if repeated else (table.keys, len(table.rows))
    found = table.ranking(MOST_RANKED)
    shown = {short(key): [setting(row[key]) for row in found] for key in keys}
    for key in table.shown():
        spread = bool(table.repeats) and not repeated
        shown[key] = [number(row[key]) + (f" +- {number(row[key + '_std'])}" if spread else "") for row in found]
    head = f"the {len(found)} best of {count}" if len(found) < count else f"{count} points" if repeated else f"{count} settings"
    text = pd.DataFrame(shown).to_string(index=False).splitlines()
    more = [f"... and {count - len(found)} more in {'points.csv' if repeated else 'summary.csv'}"] if len(found) < count else []
    return ["", f"{head}, by {table.metric}", *text, *more]


def _page_text(page: Page, best: tuple[Any, Any] | None) -> str:
    shown = page.values.map(lambda value: f"{number(value)} ")
    if best is not None:
        row, column = list(shown.index).index(best[0]), list(shown.columns).index(best[1])
        shown.iloc[row, column] = str(shown.iloc[row, column]).strip() + "*"
    return shown.rename_axis(columns=None).to_string()


def _left_out(page: Page) -> list[str]:
    left = {"rows": page.rows_left, "columns": page.columns_left}
    more = " and ".join(f"{count} more {name}" for name, count in left.items() if count)
    return [f"... and {more} in summary.csv"] if more else []


def _best_lines(table: Summary) -> list[str]:
    alone, each = len(table.rows) == 1 and bool(table.repeats), table.best_of_each() if len(table.rows) > 1 else []
    lines = [""]
    for mark, row in [("*", table.best), *((" ", row) for row in each[:MOST_ROWS])]:
        where = " ".join(f"{short(key)}={'null' if row[key] is None else row[key]}" for key in table.keys)
        values = [
            f"{key} {number(row[key])}" + (f" +- {number(row[key + '_std'])}" if table.repeats else "") for key in table.shown()
        ]
        what = f"mean of {len(table.points)}" if alone else "best" if mark == "*" else "best of its kind"
        lines.append(f"{mark} {what}: {where}   {'  '.join(values)}")
    if len(each) > MOST_ROWS:
        lines.append(f"  ... and {len(each) - MOST_ROWS} more in summary.csv")
    lacking = int(table.points[table.metric].isna().sum())
    if lacking:
        lines.append(f"  {lacking} of {len(table.points)} points have no {table.metric}; they are in points.csv")
    if table.repeats:
        lines.append(f"  means +- standard deviations over {' and '.join(table.repeats)}")
    return lines
