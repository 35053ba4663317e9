"""What a comparison says in the terminal, in a bounded number of lines."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ..base.console import number
from .axes import short
from .labels import setting
from .tables import MOST_ROWS, Page, Pivot, Summary

# Rows of a ranking.
MOST_RANKED = 20


def table_lines(table: Summary, laid: Pivot, rest: str = "in summary.csv") -> list[str]:
    """The pages, the best cell marked, then the best settings in words. Where pages would be mostly blank, or hold one setting
    that is repeated, a ranking says more. rest: where to find what has no place here."""
    if table.is_one or _is_blank(table, laid):
        return [*_ranking_lines(table, rest), *_best_lines(table, [], rest)]
    lines = []
    for title, page in laid.pages.items():
        values = page.values
        where = f"{values.index.name} (down) x {values.columns.name} (across)"
        lines += ["", f"{table.metric}, {where}" + (f", {title}" if title else "")]
        lines += [_page_text(page, laid.best[1:] if title == laid.best[0] else None), *_left_out(page, rest)]
    if laid.left:
        lines += ["", f"... and {laid.left} more pages {rest}"]
    return [*lines, *_best_lines(table, table.best_of_each(), rest)]


def _is_blank(table: Summary, laid: Pivot) -> bool:
    """Whether pages would have more gaps than values, or hold next to nothing, or not hold most of the settings."""
    pages = [page.values for page in laid.pages.values()]
    cells, filled = sum(page.size for page in pages), sum(int(page.notna().to_numpy().sum()) for page in pages)
    lacking = int(table.rows[table.metric].isna().sum())
    return 2 * filled < cells or (len(pages) > 1 and filled < 3 * len(pages)) or 2 * lacking >= len(table.rows)


def with_spread(row: Mapping[str, Any], key: str, sign: str = "+-") -> str:
    """A metric of a summary's row; with its deviation when the row is the mean of several points."""
    return number(row[key]) + (f" {sign} {number(row[key + '_std'])}" if _is_mean(row, key) else "")


def _is_mean(row: Mapping[str, Any], key: str) -> bool:
    return bool(row.get("count", 1) > 1 and pd.notna(row[key]))


def _ranking_lines(table: Summary, rest: str) -> list[str]:
    keys, count = (table.repeats, len(table.points)) if table.is_one else (table.keys, len(table.rows))
    found = table.ranking(MOST_RANKED)
    shown = {short(key): [setting(row[key]) for row in found] for key in keys}
    shown |= {key: [with_spread(row, key) for row in found] for key in table.shown()}
    head = f"the {len(found)} best of {count}" if len(found) < count else f"{count} {'points' if table.is_one else 'settings'}"
    text = pd.DataFrame(shown).to_string(index=False).splitlines()
    more = [f"... and {count - len(found)} more {rest}"] if len(found) < count else []
    return ["", f"{head}, by {table.metric}", *text, *more]


def _page_text(page: Page, best: tuple[Any, Any] | None) -> str:
    shown = page.values.map(lambda value: f"{number(value)} ")
    if best is not None:
        row, column = list(shown.index).index(best[0]), list(shown.columns).index(best[1])
        shown.iloc[row, column] = str(shown.iloc[row, column]).strip() + "*"
    return shown.rename_axis(columns=None).to_string()


def _left_out(page: Page, rest: str) -> list[str]:
    left = {"rows": page.rows_left, "columns": page.columns_left}
    more = " and ".join(f"{count} more {name}" for name, count in left.items() if count)
    return [f"... and {more} {rest}"] if more else []


def _best_lines(table: Summary, each: list[dict[str, Any]], rest: str) -> list[str]:
    lines = [""]
    for mark, row in [("*", table.best), *((" ", row) for row in each[:MOST_ROWS])]:
        where = " ".join(f"{short(key)}={'null' if row[key] is None else row[key]}" for key in table.keys)
        what = f"mean of {row['count']}" if table.is_one else "best" if mark == "*" else "best of its kind"
        lines.append(f"{mark} {what}: {where}   {'  '.join(f'{key} {with_spread(row, key)}' for key in table.shown())}")
    if len(each) > MOST_ROWS:
        lines.append(f"  ... and {len(each) - MOST_ROWS} more {rest}")
    lacking = int(table.points[table.metric].isna().sum())
    if lacking:
        lines.append(f"  points without {table.metric}: {lacking} of {len(table.points)}; the table of points has them")
    if table.repeats:
        lines.append(f"  means +- standard deviations over {' and '.join(table.repeats)}")
    return lines
