"""What the benchmark leaves: README.md with all tables, results.csv with all numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..base.files import write_text
from . import growth
from .bounds import Bound
from .timing import Row, amount, figure

RESULTS = "results.csv"
# Sections whose rows of one job are compared with the fastest of ours.
RATIO = "times ours"
HOW = """\
All contestants of a job take turns, round by round, in one process (memory: in processes of their own). A number is the
median of its measurements, beside it the smallest and the largest; load is the mean of the machine's load average at the
end of the contestant's turns, and counts what the benchmark itself runs. Before anything is timed, every contestant must
compute the same losses as the compiled engine in the first batches of the job. Slow contestants do the first part of a
job, `share`, and their time is scaled to the whole. `times ours` is the median divided by that of the fastest numba row of
the job (of the same gradient, where there are two).

- plain loops: Python, number by number, as the formulas read. NumPy: `compute.engine=numpy`. numba: the compiled engine,
  through `one_vs_rest`, compiled beforehand.
- torch: float32 images scaled beforehand and gathered once an epoch, all heads in one convolution, 2 threads, autograd,
  one in-place step for all parameters; torch.compile is the same, compiled beforehand; "a model a head" runs one small
  network after the other. torch computes the exact gradient; the notebook's kernel gradient is not one that autograd knows.
- FMA peak: 12 independent chains of 64-byte multiply-adds on one core, measured in the same rounds as its shares. Only
  useful work counts: k^2 a pixel forward, k^2 a pooled cell above 0 backward, 2 a pooled cell for the weights; the cells
  above 0 are counted before and after the timed block, on 500 images, and averaged.
- against torch's best: the ratio of the medians or that of the shortest times, whichever is smaller, because torch's two
  threads wait for each other, and a busy machine slows them more than ours.
- time to accuracy: scikit-learn's `OneVsRestClassifier(LogisticRegression())`, against heads with one worker, batch 32,
  cross-entropy and steps of 0.3; looking at the test images is not timed.
- memory: the largest resident set of the whole process, from `python -m pipeline.train` on the four files to its record.
"""


@dataclass(frozen=True)
class Run:
    """machine, bystanders and versions: a line each. rows: everything measured. missing: what was not, and why."""

    title: str
    machine: str
    versions: str
    rows: Sequence[Row]
    bounds: Sequence[Bound]
    missing: Sequence[str]
    pictures: Sequence[str]
    seconds: float


def write(folder: Path, run: Run) -> None:
    """README.md and results.csv in `folder`."""
    write_text(folder / RESULTS, table(run.rows).to_csv(index=False, lineterminator="\n"))
    write_text(folder / "README.md", text(run))


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """A line a row, unrounded."""
    ratio = ratios(rows)
    return pd.DataFrame(
        {
            "section": row.section,
            "job": row.job,
            "contestant": row.contestant,
            "unit": row.unit,
            "median": row.median,
            "min": row.low,
            "max": row.high,
            "measurements": len(row.values),
            "load": row.load,
            "share": row.share,
            "times_ours": ratio[index],
            "note": row.note,
        }
        for index, row in enumerate(rows)
    )


def ratios(rows: Sequence[Row]) -> list[float]:
    """Each row's median over that of its job's fastest numba row; NaN where that says nothing."""
    best: dict[tuple[str, str], float] = {}
    for row in rows:
        if row.contestant.startswith(("numba", "ovrcnn")) and row.unit == "s" and row.values:
            key = (row.section, row.job)
            # A row with another gradient than the job's is a side show.
            if "exact" not in row.contestant:
                best[key] = min(best.get(key, row.median), row.median)
    return [row.median / best.get((row.section, row.job), float("nan")) for row in rows]


def text(run: Run) -> str:
    """README.md."""
    lines = [f"# {run.title}", "", run.machine, "", run.versions, "", f"Measured in {run.seconds:.0f} s.", "", HOW]
    lines += ["## To reach", "| what | wanted | measured | reached |", "|---|---|---|---|"]
    lines += [f"| {b.what} | {b.wanted} | {b.measured or '-'} | {b.verdict} |" for b in run.bounds]
    lines += ["", *(f"Not measured: {reason}." for reason in run.missing), *([""] if run.missing else [])]
    for section in dict.fromkeys(row.section for row in run.rows):
        lines += [*_section(section, run.rows), ""]
    lines += [f"![{name}](figures/{name}.png)" for name in run.pictures]
    return "\n".join(lines).rstrip() + "\n"


def _section(section: str, rows: Sequence[Row]) -> list[str]:
    """One table for each job of the section; jobs of a single row share one."""
    chosen = [(row, ratio) for row, ratio in zip(rows, ratios(rows), strict=True) if row.section == section]
    jobs = list(dict.fromkeys(row.job for row, _ in chosen))
    alone = len(jobs) == len(chosen)
    lines = [f"## {section[0].upper()}{section[1:]}"]
    if section == growth.SECTION:
        slopes = [f"{name}^{growth.exponent(found):.2f}" for name, found in growth.curves(rows).items()]
        lines += [f"The time of an epoch grows as {', '.join(slopes)}.", ""]
    for job in [""] if alone else jobs:
        lines += [f"{job[:1].upper()}{job[1:]}", ""] if job else []
        lines += _table([(row, ratio) for row, ratio in chosen if alone or row.job == job], alone)
        lines += [""]
    return lines[:-1]


def _table(chosen: Sequence[tuple[Row, float]], alone: bool) -> list[str]:
    compared = any(ratio == ratio for _, ratio in chosen)
    head = ["what" if alone else "contestant", "median", "min to max", "load", *([RATIO, "share"] if compared else []), "note"]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 2) + "---|"]
    for row, ratio in chosen:
        name = f"{row.job}: {row.contestant}" if alone else row.contestant
        spread = f"{amount(row.low, row.unit)} to {amount(row.high, row.unit)}" if row.values else "-"
        cells = [name, amount(row.median, row.unit), spread, figure(row.load)]
        if compared:
            part = "all" if row.share >= 0.99 else f"{100 * row.share:.2g} %"
            cells += [figure(ratio), part if row.values else "-"]
        lines.append("| " + " | ".join([*cells, row.note]) + " |")
    return lines
