"""What the benchmark leaves: README.md with all tables, results.csv with all numbers, measured.csv with where they are from."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from ..base.files import write_text
from . import growth, sweeps
from .bounds import Bound
from .timing import Row, amount, figure

RESULTS, MEASURED = "results.csv", "measured.csv"
# Sections whose rows of one job are compared with the fastest of ours.
RATIO = "times ours"
HOW = """\
All contestants of a job take turns, round by round, in one process (memory: in processes of their own). A number is the
median of its measurements, beside it the smallest and the largest; load is the mean of the machine's load average at the
end of the contestant's turns, and counts what the benchmark itself runs. Before anything is timed, every contestant must
compute the same losses as the compiled engine in the first batches of the job. Slow contestants do the first part of a
job, `share`, and their time is scaled to the whole; of the digits, of which an epoch is a millisecond, a turn is ten epochs in
a row. `times ours` is the median divided by that of the fastest numba row of
the job (of the same gradient, where there are two).

- plain loops: Python, number by number, as the formulas read. NumPy: `compute.engine=numpy`. numba: the compiled engine,
  through `one_vs_rest`, compiled beforehand.
- torch: float32 images scaled beforehand and gathered once an epoch, all heads in one convolution, 2 threads, autograd,
  one in-place step for all parameters; torch.compile is the same, compiled beforehand; "a model a head" runs one small
  network after the other. torch computes the exact gradient; the notebook's kernel gradient is not one that autograd knows.
- FMA peak: 12 independent chains of 64-byte multiply-adds on one core, measured in the same rounds as its shares. Only
  useful work counts, as the formulas have it: k^2 a pixel forward, k^2 a pooled cell above 0 backward, 2 a pooled cell for the
  weights; the cells above 0 are counted before and after the timed block, on 500 images, and averaged. An engine may do less:
  this one's neighbours of a feature map share products, a quarter fewer. Beside each share stands the time of a filter and
  image, and what it would be if the useful multiply-adds ran at the peak and nothing else took time; what the engine does
  is counted in [experiments/instructions](../instructions/README.md).
- CPU targets: the engine compiled for CPUs with narrower registers, on this one (`NUMBA_CPU_NAME`), one worker, in processes
  that take turns. x86-64 without AVX has no multiply-add: it is computed by a function call.
- against torch's best: the ratio of the medians or that of the shortest times, whichever is smaller, because torch's two
  threads wait for each other, and a busy machine slows them more than ours.
- time to accuracy: scikit-learn's `OneVsRestClassifier(LogisticRegression())`, against heads with one worker, batch 32,
  cross-entropy and steps of 0.3; looking at the test images is not timed.
- memory: the largest resident set of the whole process, from `python -m pipeline.train` on the four files to its record.
- what a sweep costs: `python -m pipeline.train` and `pipeline.compare`, each a process with an `experiments` folder and an
  SQLite store of its own, timed from start to exit and watched line by line; the engine was compiled beforehand, but where
  compiling is what is measured. Memory is the process's high-water mark. A point beyond its training: the seconds of a
  longer sweep less those of a shorter one, divided by the points it has more, with iterations so few that training hardly
  counts; MLflow's share is what the same difference loses with `tracking=off`. What MLflow does while others compute costs
  no time of its own, so the parts, each measured alone in one process, need not add up to the whole. Floors write again
  what such a command left, bytes and rows, by plain `write` and `INSERT`, or do its training and nothing else. The records
  that are compared are two trained ones, copied, each with settings and a result of its own.
"""


@dataclass(frozen=True)
class Origin:
    """The run that measured a section. machine, with bystanders, and versions: a line each. seconds: of the whole run, None
    when nobody noted them."""

    machine: str
    versions: str
    seconds: float | None

    def lines(self) -> list[str]:
        measured = [f"Measured in {self.seconds:.0f} s.", ""] if self.seconds is not None else []
        return [self.machine, "", self.versions, "", *measured]


# Of rows that are kept without a word about their run.
UNKNOWN = Origin("An earlier run; its machine was not noted.", "Versions unknown.", None)


@dataclass(frozen=True)
class Run:
    """rows: everything measured, now or earlier. origins: by section. missing: what was not measured, and why."""

    title: str
    origins: Mapping[str, Origin]
    rows: Sequence[Row]
    bounds: Sequence[Bound]
    missing: Sequence[str]
    pictures: Sequence[str]


def write(folder: Path, run: Run) -> None:
    """README.md, results.csv and measured.csv in `folder`."""
    write_text(folder / RESULTS, table(run.rows).to_csv(index=False, lineterminator="\n"))
    origins = pd.DataFrame({"section": section, **asdict(origin)} for section, origin in run.origins.items())
    write_text(folder / MEASURED, origins.to_csv(index=False, lineterminator="\n"))
    write_text(folder / "README.md", text(run))


def read(folder: Path) -> tuple[list[Row], dict[str, Origin]]:
    """The rows that an earlier run left in `folder`, and their runs by section; nothing when there are none.

    A row is read with as many values as it had, of which smallest, largest and median are those that it had.
    """
    if not (folder / RESULTS).is_file():
        return [], {}
    rows = []
    for line in pd.read_csv(folder / RESULTS, dtype={"note": str}).fillna({"note": ""}).to_dict("records"):
        values = _values(int(line["measurements"]), line["min"], line["median"], line["max"])
        names = line["section"], line["job"], line["contestant"], line["unit"]
        rows.append(Row(*names, values, line["load"], line["note"], line["share"]))
    found = {}
    if (folder / MEASURED).is_file():
        lines = pd.read_csv(folder / MEASURED).to_dict("records")
        seconds = [None if pd.isna(line["seconds"]) else float(line["seconds"]) for line in lines]
        found = {line["section"]: Origin(line["machine"], line["versions"], s) for line, s in zip(lines, seconds, strict=True)}
    return rows, {section: found.get(section, UNKNOWN) for section in dict.fromkeys(row.section for row in rows)}


def _values(count: int, low: float, median: float, high: float) -> tuple[float, ...]:
    return (low, *[median] * (count - 2), high) if count > 1 else (median,) * count


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
    lines = [f"# {run.title}", "", *_origins(run.origins), HOW]
    lines += ["## To reach", "| what | wanted | measured | reached |", "|---|---|---|---|"]
    lines += [f"| {b.what} | {b.wanted} | {b.measured or '-'} | {b.verdict} |" for b in run.bounds]
    lines += ["", *(f"Not measured: {reason}." for reason in run.missing), *([""] if run.missing else [])]
    for section in dict.fromkeys(row.section for row in run.rows):
        lines += [*_section(section, run.rows), ""]
    lines += [f"![{name}](figures/{name}.png)" for name in run.pictures]
    return "\n".join(lines).rstrip() + "\n"


def _origins(origins: Mapping[str, Origin]) -> list[str]:
    """Machine, versions and seconds; with several runs, which sections are of which."""
    runs = list(dict.fromkeys(origins.values()))
    if len(runs) == 1:
        return runs[0].lines()
    lines = []
    for run in runs:
        names = ", ".join(section for section, origin in origins.items() if origin == run)
        said = "" if run == UNKNOWN else f" {run.versions}"
        said += "" if run.seconds is None else f" Measured in {run.seconds:.0f} s."
        lines += [f"- {names}: {run.machine}{said}"]
    return [*lines, ""]


def _section(section: str, rows: Sequence[Row]) -> list[str]:
    """One table for each job of the section; jobs of a single row share one."""
    chosen = [(row, ratio) for row, ratio in zip(rows, ratios(rows), strict=True) if row.section == section]
    jobs = list(dict.fromkeys(row.job for row, _ in chosen))
    alone = len(jobs) == len(chosen)
    lines = [f"## {section[0].upper()}{section[1:]}"]
    if section == growth.SECTION:
        slopes = [f"{name}^{growth.exponent(found):.2f}" for name, found in growth.curves(rows).items()]
        lines += [f"The time of an epoch grows as {', '.join(slopes)}.", ""]
    counted = section == sweeps.SECTION
    for job in [""] if alone else jobs:
        lines += [f"{job[:1].upper()}{job[1:]}", ""] if job else []
        lines += _table([(row, ratio) for row, ratio in chosen if alone or row.job == job], alone, counted)
        lines += [""]
    return lines[:-1]


def _table(chosen: Sequence[tuple[Row, float]], alone: bool, counted: bool) -> list[str]:
    """counted: whether rows differ in the number of their measurements, so that it is said."""
    compared = any(ratio == ratio for _, ratio in chosen)
    more = [*(["rounds"] if counted else []), "load", *([RATIO, "share"] if compared else [])]
    head = ["what" if alone or counted else "contestant", "median", "min to max", *more, "note"]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 2) + "---|"]
    for row, ratio in chosen:
        name = f"{row.job}: {row.contestant}" if alone else row.contestant
        spread = f"{amount(row.low, row.unit)} to {amount(row.high, row.unit)}" if row.values else "-"
        cells = [name, amount(row.median, row.unit), spread, *([str(len(row.values))] if counted else []), figure(row.load)]
        if compared:
            part = "all" if row.share >= 0.99 else f"{100 * row.share:.2g} %"
            cells += [figure(ratio), part if row.values else "-"]
        lines.append("| " + " | ".join([*cells, row.note]) + " |")
    return lines
