"""Stage plan: what train would do for each point of the same command line, why, and what it would cost. It writes nothing.

python -m pipeline.plan experiment=digits
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from .base import console
from .base.errors import SettingsError
from .base.text import aligned, cut
from .sweep.executors import cores
from .sweep.grid import Grid, check_own_name
from .sweep.hydra import parse_arguments, read_command
from .sweep.nearest import Difference
from .sweep.plan import NEW, Plan, duration, plan_of, reasons, size
from .sweep.points import points_of

HELP = """\
usage: ovrcnn plan [SETTING=VALUE ...] [-m] [--json]

takes the words of ovrcnn train and says what that would do, point by point: recorded, going on from an iteration, or new; why:
what sets a new point apart from the nearest recorded trajectory of the experiment; and what it costs: iterations, seconds of
one core as measured in earlier runs of like shape, bytes. It writes nothing and verifies no checksum.

  --json    all of it for programs

More than 40 points are grouped. ovrcnn train --help lists the settings."""
MOST_ROWS = 40
MOST_WHY = 120

Reason = tuple[str, tuple[Difference, ...]]


def main(arguments: list[str]) -> int:
    """Print the plan of a command line."""
    if {"-h", "--help"} & set(arguments):
        console.answer(HELP + "\n")
        return 0
    command = read_command(parse_arguments([word for word in arguments if word != "--json"]))
    if command.foreign and not command.jobs:
        raise SettingsError(["hydra/sweeper: a search draws its points as it goes; plan knows those of a grid"])
    grid = Grid.of(command.points or (command.first,))
    check_own_name(grid, command.changed)
    plan = plan_of(points_of(grid, write=False))
    why = reasons(plan)
    count = cores(command.first.compute)
    if "--json" in arguments:
        console.answer(json.dumps(plain(plan, why, count), indent=1) + "\n")
        return 0
    rows = grouped(plan, why) if len(plan.steps) > MOST_ROWS else each(plan, why)
    console.answer("\n".join([f"{grid.first.name}: {plan.first_line(count)} on {count} cores", "", *table(rows)]) + "\n")
    return 0


def each(plan: Plan, why: Sequence[Reason]) -> list[list[str]]:
    """A row a point."""
    rows = [["what", "point", "from", "left", "seconds", "bytes", "why"]]
    for step, (words, _) in zip(plan.steps, why, strict=True):
        seconds = "?" if step.seconds is None else f"{step.seconds:.2f}" if step.left else ""
        rows.append([step.what, step.point.name, str(step.start), str(step.left or ""), seconds,
                     size(step.bytes) if step.bytes else "", words])  # fmt: skip
    return rows


def grouped(plan: Plan, why: Sequence[Reason]) -> list[list[str]]:
    """A row for all points with which the same is done for the same kind of reason."""
    kinds: dict[tuple[str, str], list[int]] = {}
    for number, (step, (_, differ)) in enumerate(zip(plan.steps, why, strict=True)):
        kind = ", ".join(found.what for found in differ) + (" differs" if differ else "")
        kinds.setdefault((step.what, kind), []).append(number)
    rows = [["what", "points", "left", "seconds", "bytes", "why", "first"]]
    for (what, kind), numbers in sorted(kinds.items(), key=lambda found: -len(found[1]))[:MOST_ROWS]:
        steps = [plan.steps[number] for number in numbers]
        known = [step.seconds for step in steps if step.seconds is not None]
        seconds = duration(sum(known)) if len(known) == len(steps) else "?"
        reason = kind or ("nothing is recorded here yet" if what == NEW else "")
        rows.append([what, str(len(steps)), str(sum(step.left for step in steps)), seconds,
                     size(sum(step.bytes for step in steps)), reason, steps[0].point.name])  # fmt: skip
    return rows


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as columns of text; the last is as long as it has to be, and no line longer than a line of ours may be."""
    shown = [[cell if len(cell) <= MOST_WHY else cell[: MOST_WHY - 3] + "..." for cell in row] for row in rows]
    return [cut(line) for line in aligned(shown, "l" * len(shown[0]))]


def plain(plan: Plan, why: Sequence[Reason], count: int) -> dict[str, object]:
    """For JSON."""
    points = [
        {
            "point": step.point.name,
            "record": step.point.key,
            "what": step.what,
            "from": step.start,
            "left": step.left,
            "seconds": step.seconds,
            "bytes": step.bytes,
            "why": words,
            "differs": [asdict(found) for found in differ],
        }
        for step, (words, differ) in zip(plan.steps, why, strict=True)
    ]
    totals = {"left": sum(s.left for s in plan.steps), "bytes": sum(s.bytes for s in plan.steps), "seconds": plan.wall(count)}
    return {"cores": count, "what": dict(Counter(s.what for s in plan.steps)), **totals, "points": points}


if __name__ == "__main__":
    console.run(main)
