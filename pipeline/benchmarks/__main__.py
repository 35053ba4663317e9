"""Stage benchmark: the compiled engine against plain loops, NumPy, torch and scikit-learn, and what whole sweeps cost.

python -m pipeline.benchmarks
python -m pipeline.benchmarks --quick
python -m pipeline.benchmarks --only sweep
"""

import argparse
import os
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..base import console, project
from ..base.arguments import new_parser
from . import bounds, report
from .drawings import draw
from .plan import FULL, QUICK, Plan
from .sections import NAMES, in_order, measure
from .timing import Bystanders, Say, machine

PACKAGES = ("numpy", "numba", "scikit-learn", "torch")


def main(arguments: list[str]) -> int:
    """Measure, and write tables and figures; 0 also when a bound is not reached: slowness is a finding, not an error."""
    chosen = parser().parse_args(arguments)
    plan = QUICK if chosen.quick else FULL
    # A quick run must not take the place of the committed figures.
    usual = Path("experiments", "scratch", "benchmark") if chosen.quick else Path("experiments", "benchmark")
    folder = Path(chosen.output).expanduser() if chosen.output else project.root() / usual
    folder.mkdir(parents=True, exist_ok=True)
    run(plan, folder, console.say, chosen.only or ())
    return 0


def parser() -> argparse.ArgumentParser:
    words = new_parser("ovrcnn benchmark", (__doc__ or "").splitlines()[0], formatter=argparse.HelpFormatter)
    words.add_argument("--quick", action="store_true", help="a minute or two, few rounds: to see that it works")
    only = f"measure this section, and keep the others' rows; may be given again: {', '.join(NAMES)}"
    words.add_argument("--only", metavar="NAME", action="append", choices=NAMES, help=only)
    words.add_argument("--output", metavar="FOLDER", help="where README.md, results.csv and figures/ go")
    return words


def run(plan: Plan, folder: Path, say: Say, only: Sequence[str] = ()) -> report.Run:
    """Everything in the plan, or some sections (keys of NAMES); the rows of the others stay as they were measured."""
    begin, bystanders = time.perf_counter(), Bystanders()
    chosen = list(only or NAMES)
    found = measure(plan, chosen, say)
    earlier, origins = report.read(folder) if only else ([], {})
    now = {NAMES[name] for name in chosen}
    rows = in_order([*(row for row in earlier if row.section not in now), *found.rows])
    seconds = time.perf_counter() - begin
    this = report.Origin(f"{machine()}; {bystanders.text()}.", _versions(), seconds)
    sections = dict.fromkeys(row.section for row in rows)
    result = report.Run(
        title="Benchmark" if plan == FULL else "Benchmark, shortened: the numbers mean little",
        origins={section: this if section in now else origins[section] for section in sections},
        rows=rows,
        bounds=bounds.bounds(rows),
        missing=found.missing,
        pictures=draw(folder, rows, found.curves, keep=bool(only)),
    )
    report.write(folder, result)
    _conclude(result, this, folder, say)
    return result


def _versions() -> str:
    """The packages that compete."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} is not installed")
    return ", ".join(found) + "."


def _conclude(result: report.Run, this: report.Origin, folder: Path, say: Say) -> None:
    say("")
    for bound in result.bounds:
        say(f"{bound.verdict:13s} {bound.what}: {bound.measured or '-'}; wanted: {bound.wanted}")
    for reason in result.missing:
        say(f"not measured: {reason}")
    say(f"{this.machine}\ntables and figures: {os.path.relpath(folder)}")


if __name__ == "__main__":
    console.run(main)
