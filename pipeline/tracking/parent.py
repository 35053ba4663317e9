"""What a sweep came to, on its own run and on the experiment: the best point first, in words, and where to look."""

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..base.text import in_markdown
from ..records.record import Record, recorded
from ..settings import flatten
from ..sweep.grid import value_of
from ..sweep.point import Point
from . import log
from .curves import Row
from .datasets import inputs
from .keys import clean
from .runs import Runs
from .trouble import without_passwords
from .view import NOTE, SHOWN, link


def log_settings(runs: Runs, points: Sequence[Point], champion: tuple[Point, Record] | None) -> None:
    """Parameters that all points share, and the data."""
    parent, store = runs.parent, runs.store
    if parent is None:
        return
    flats = [flatten(recorded(point.settings)) for point in points]
    shared = {key: clean(value) for key, value in (flats or [{}])[0].items() if all(flat[key] == value for flat in flats)}
    log.log_rows(store, parent, [], {key: value for key, value in shared.items() if key not in parent.params})
    if champion:
        store.client.log_inputs(parent.run_id, inputs(champion[0].settings, champion[1]))


def best_rows(values: Mapping[str, float], metric: str, had: Mapping[str, float]) -> list[Row]:
    """The best point's metrics that a table of runs should show beside its sweep; one that is there already would only grow
    the history."""
    shown = dict.fromkeys([metric, *(key for key in SHOWN if key in values and not key.startswith("train"))])
    return [(f"best_{key}", values[key], 0) for key in shown if had.get(f"best_{key}") != values[key]]


def note(runs: Runs, text: str, best: str, points: Sequence[Point], typed: str) -> str:
    """The description of the sweep's run. best: name and values. text: the tables as the terminal shows them.
    typed: its command."""
    sweep, experiment = runs.sweep, runs.store.experiment_id
    assert sweep is not None
    modes = {"table": "", "charts": "CHART", "y-hat vectors": "ARTIFACT"}
    links = ", ".join(f"[{name}]({link(experiment, sweep.key, mode)})" for name, mode in modes.items())
    found = [f"best: **{in_markdown(best)}**", f"side by side: {links} (`` {sweep.condition} ``)"]
    if points:
        axes = [f"{key} {in_markdown(', '.join(_values(points, key)))}" for key in sweep.swept]
        trajectories = len({point.trajectory for point in points})
        found.append("; ".join([f"{len(points)} points on {trajectories} trajectories", *axes]))
    # A fence of more ticks than any name has ends where it should.
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    shown = typed.replace("`", "'").replace("\n", " ")
    return clean("\n\n".join([*found, f"`{shown}`", f"{fence}\n{text}\n{fence}"]))


def describe_experiment(runs: Runs, name: str, best: str) -> None:
    """The experiment's description, of which the list of experiments shows some thirty letters. best: name and values."""
    assert runs.sweep is not None
    text = clean(f"{in_markdown(best)} (the best of the newest {name})")
    runs.store.client.set_experiment_tag(runs.store.experiment_id, NOTE, text)


def in_words(best: str, values: Mapping[str, float], metric: str) -> str:
    """The best point, and how good it is."""
    shown = dict.fromkeys([metric, *(key for key in SHOWN if key in values)])
    return f"{best}  {', '.join(f'{key} {values[key]:.4g}' for key in shown)}"


def command() -> str:
    """What was typed."""
    program = Path(sys.argv[0])
    words = ["ovrcnn"] if program.stem == "ovrcnn" else ["python", "-m", f"pipeline.{program.stem}"]
    return without_passwords(shlex.join([*words, *sys.argv[1:]]))


def _values(points: Sequence[Point], key: str) -> list[str]:
    return list(dict.fromkeys(str(value_of(point.settings, key)) for point in points))
