"""Stage benchmark: the compiled engine against plain loops, NumPy, torch and scikit-learn, and what it takes of the machine.

python -m pipeline.benchmark
python -m pipeline.benchmark --quick
"""

import argparse
import os
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NoReturn

from ..base import console, project
from ..base.errors import SettingsError
from . import bounds, report
from .accuracy import times_to_accuracy
from .contests import DIGITS, FASHION, epoch_contest, notebook_contest
from .drawings import draw
from .growth import grow
from .jobs import DIGITS_KERNEL_SIZE, Pictures, pictures
from .memory import peaks
from .peak import shares_of_peak
from .plan import FULL, QUICK, Plan
from .timing import Bystanders, Row, Say, machine

PACKAGES = ("numpy", "numba", "scikit-learn", "torch")


def main(arguments: list[str]) -> int:
    """Measure, and write tables and figures; 0 also when a bound is not reached: slowness is a finding, not an error."""
    chosen = parser().parse_args(arguments)
    plan = QUICK if chosen.quick else FULL
    # A quick run must not take the place of the committed figures.
    usual = Path("experiments", "scratch", "benchmark") if chosen.quick else Path("experiments", "benchmark")
    folder = Path(chosen.output).expanduser() if chosen.output else project.root() / usual
    folder.mkdir(parents=True, exist_ok=True)
    run(plan, folder, console.say)
    return 0


class OneLineParser(argparse.ArgumentParser):
    """argparse whose errors are the project's: one line, exit code 1."""

    def error(self, message: str) -> NoReturn:
        raise SettingsError([f"ovrcnn benchmark: {message}; --help lists all"])


def parser() -> argparse.ArgumentParser:
    words = OneLineParser(prog="ovrcnn benchmark", description=(__doc__ or "").splitlines()[0], allow_abbrev=False)
    words.add_argument("--quick", action="store_true", help="under a minute, few rounds: to see that it works")
    words.add_argument("--output", metavar="FOLDER", help="where README.md, results.csv and figures/ go")
    return words


def run(plan: Plan, folder: Path, say: Say) -> report.Run:
    """Everything in the plan; what this machine lacks is left out and named."""
    begin, bystanders = time.perf_counter(), Bystanders()
    digits, fashion = pictures("digits"), pictures("fashion_mnist")
    missing = [reason for reason in (digits, fashion) if isinstance(reason, str)]
    sources = [data for data in (digits, fashion) if isinstance(data, Pictures)]
    rows = [row for k in bounds.NOTEBOOK_MILLISECONDS for row in notebook_contest(plan, k, say)]
    rows += [row for data in sources for row in _of(plan, data, say)]
    found, curves = times_to_accuracy(plan, sources, say)
    rows += found
    result = report.Run(
        title="Benchmark" if plan == FULL else "Benchmark, shortened: the numbers mean little",
        machine=f"{machine()}; {bystanders.text()}.",
        versions=_versions(),
        rows=rows,
        bounds=bounds.bounds(rows),
        missing=missing,
        pictures=draw(folder, rows, curves),
        seconds=time.perf_counter() - begin,
    )
    report.write(folder, result)
    _conclude(result, folder, say)
    return result


def _of(plan: Plan, data: Pictures, say: Say) -> list[Row]:
    """Everything that is measured on one data set, but the time to accuracy."""
    if data.name == "digits":
        return epoch_contest(plan, DIGITS, data, DIGITS_KERNEL_SIZE, 1, say)
    data = data.some(plan.images, plan.test)
    epochs = [(k, filters) for k in plan.epoch_kernel_sizes for filters in plan.filters]
    rows = [row for k, filters in epochs for row in epoch_contest(plan, FASHION, data, k, filters, say)]
    rows += [*shares_of_peak(plan, data, say), *grow(plan, data, say)]
    return rows + (peaks(plan, say) if plan.memory else [])


def _versions() -> str:
    """The packages that compete."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} is not installed")
    return ", ".join(found) + "."


def _conclude(result: report.Run, folder: Path, say: Say) -> None:
    say("")
    for bound in result.bounds:
        say(f"{bound.verdict:13s} {bound.what}: {bound.measured or '-'}; wanted: {bound.wanted}")
    for reason in result.missing:
        say(f"not measured: {reason}")
    say(f"{result.machine}\ntables and figures: {os.path.relpath(folder)}")


if __name__ == "__main__":
    console.run(main)
