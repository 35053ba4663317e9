"""Pictures of the benchmark: contestants, growth, time to accuracy, memory, a sweep. matplotlib, without a screen."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from . import growth, memory, sweeps
from .accuracy import Curve
from .bounds import MEGABYTES
from .contests import DIGITS, FASHION, NOTEBOOK
from .report import ratios
from .timing import Row, amount

# Okabe and Ito's, but for the grey.
OURS, TORCH, OTHERS = "#0072B2", "#D55E00", "#8a8a8a"
# Start, training, comparison, the rest, MLflow, raw files and rows.
PARTS = ("#c4c4c4", OURS, "#7fb3dd", "#2b2b2b", TORCH, "#9c6bb0")

JOBS = (NOTEBOOK, DIGITS, FASHION)
LARGE_BATCH = "batch 128"
# Contestants by how their names begin, in colours and forms that the colour-blind can tell apart.
KINDS = {
    "numba, 2 workers": (OURS, "o"),
    "numba, 1 worker": ("#56B4E9", "o"),
    "torch.compile": ("#E69F00", "s"),
    "torch": (TORCH, "D"),
    "torch, a model a head": ("#CC79A7", "^"),
    "NumPy": ("#009E73", "v"),
    "plain loops": ("#2b2b2b", "X"),
}


def draw(folder: Path, rows: Sequence[Row], curves: Sequence[Curve], keep: bool = False) -> list[str]:
    """Write every picture there is something for to folder/figures; their names, with `keep` those of earlier runs too."""
    figures = {
        "contestants": contestants_figure(rows),
        "growth": growth_figure(rows),
        "accuracy": accuracy_figure(curves),
        "memory": memory_figure(rows),
        "sweep": sweep_figure(rows),
    }
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, figure in figures.items():
        path = folder / "figures" / f"{name}.png"
        if figure is not None:
            figure.savefig(path, metadata={"Software": None})
        if figure is not None or (keep and path.is_file()):
            drawn.append(name)
    return drawn


def contestants_figure(rows: Sequence[Row]) -> Figure | None:
    """A line a job on one logarithmic axis: how many times as long as our fastest each contestant takes."""
    timed = [(row, ratio) for row, ratio in zip(rows, ratios(rows), strict=True) if row.section in JOBS and np.isfinite(ratio)]
    if not timed:
        return None
    jobs = list(dict.fromkeys((row.section, row.job) for row, _ in timed))[::-1]
    figure = _figure(9.5, 0.44 * len(jobs) + 1.5)
    axis = figure.subplots()
    axis.hlines(range(len(jobs)), 0, 1, transform=axis.get_yaxis_transform(), color="#e1e1e1", lw=1, zorder=0)
    for kind, (colour, marker) in KINDS.items():
        for is_large in (False, True):
            chosen = [
                (row, ratio) for row, ratio in timed if _kind(row) == kind and (LARGE_BATCH in row.contestant) == is_large
            ]
            places = [jobs.index((row.section, row.job)) for row, _ in chosen]
            found = [ratio for _, ratio in chosen]
            spread = [[ratio * (1 - row.low / row.median) for row, ratio in chosen],
                      [ratio * (row.high / row.median - 1) for row, ratio in chosen]]  # fmt: skip
            face, name = ("white", f"{kind}, {LARGE_BATCH}") if is_large else (colour, kind)
            axis.errorbar(found, places, xerr=spread, fmt=marker, ms=7, color=colour, mfc=face, lw=1, label=name)
    axis.axvline(1, color=OURS, lw=1, zorder=0)
    axis.set_xscale("log")
    axis.set_yticks(range(len(jobs)), [f"{section}: {job}" for section, job in jobs], fontsize=8)
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.tick_params(axis="x", labelsize=8)
    axis.grid(axis="x", alpha=0.25)
    axis.set_ylim(-0.6, len(jobs) - 0.4)
    axis.set_xlabel("times ours; lines from the smallest to the largest measurement; hollow: batches of 128", fontsize=8)
    handles, names = axis.get_legend_handles_labels()
    filled = [(handle, name) for handle, name in zip(handles, names, strict=True) if name in KINDS]
    figure.legend(*zip(*filled, strict=True), loc="outside upper center", ncols=len(KINDS), fontsize=8, frameon=False)
    return figure


def _kind(row: Row) -> str | None:
    """Which of KINDS a contestant is; None for side shows."""
    name = row.contestant.replace(", exact gradient", "") if row.contestant.startswith("torch") else row.contestant
    if "exact" in name:
        return None
    return next((kind for kind in sorted(KINDS, key=len, reverse=True) if name.startswith(kind)), None)


def _bars(axis: Axes, rows: Sequence[Row]) -> None:
    """Horizontal bars, the first row on top."""
    places = np.arange(len(rows))[::-1]
    medians = np.array([row.median for row in rows])
    spread = [medians - [row.low for row in rows], [row.high for row in rows] - medians]
    axis.barh(places, medians, 0.72, color=[_colour(row) for row in rows])
    axis.errorbar(medians, places, xerr=spread, fmt="none", ecolor="black", lw=0.8, capsize=2)
    for place, row in zip(places, rows, strict=True):
        axis.annotate(
            amount(row.median, row.unit), (row.high, place), (5, 0), textcoords="offset points", va="center", fontsize=7
        )
    axis.set_yticks(places, [row.contestant for row in rows], fontsize=7)
    axis.tick_params(axis="x", labelsize=7)
    axis.grid(axis="x", alpha=0.25)
    axis.set_axisbelow(True)


def _seconds(axis: Axis, low: float, high: float) -> None:
    """Ticks of a logarithmic axis of seconds, few and with units."""
    decades = np.log10(high / low)
    axis.set_major_locator(LogLocator(subs=(1.0,) if decades > 3 else (1.0, 3.0) if decades > 1.5 else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g} s" if value >= 1 else f"{1000 * value:g} ms"))
    axis.set_minor_locator(NullLocator())


def _colour(row: Row) -> str:
    kinds = {"numba": OURS, "n_jobs": OURS, "torch": TORCH}
    return next((colour for kind, colour in kinds.items() if row.contestant.startswith(kind)), OTHERS)


def growth_figure(rows: Sequence[Row]) -> Figure | None:
    """A panel a thing that was varied: time over its values, and the line of proportional growth (k^2 for kernels)."""
    curves = growth.curves(rows)
    if not curves:
        return None
    figure = _figure(3.1 * len(curves), 3.3)
    for axis, (what, found) in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves.items(), strict=True):
        values = np.array([float(row.contestant) for row in found])
        times = np.array([row.median for row in found])
        spread = [times - [row.low for row in found], [row.high for row in found] - times]
        axis.errorbar(values, times, yerr=spread, color=OURS, marker="o", ms=4, lw=1.2, capsize=2, label="measured")
        power = 2 if what == "kernel size" else 1
        line = times[-1] * (values / values[-1]) ** power
        axis.plot(values, line, color=OTHERS, ls="--", lw=1, label=f"~ {'k²' if power == 2 else what}")
        axis.set(xscale="log", yscale="log")
        axis.set_xticks(values, [f"{value:,.0f}" for value in values], fontsize=7, rotation=45 if values[-1] > 999 else 0)
        axis.set_xticks([], minor=True)
        _seconds(axis.yaxis, *axis.get_ylim())
        axis.set_xlabel(f"{what}, time ~ {'k' if power == 2 else what}^{growth.exponent(found):.2f}", fontsize=8)
        axis.tick_params(axis="y", labelsize=7)
        axis.grid(alpha=0.25)
        axis.legend(fontsize=7, frameon=False)
    figure.supylabel("time of an epoch, one worker", fontsize=8)
    return figure


def accuracy_figure(curves: Sequence[Curve]) -> Figure | None:
    """Test accuracy over seconds of training, a panel a data set; scikit-learn's is a star."""
    names = list(dict.fromkeys(curve.data for curve in curves))
    if not names:
        return None
    figure = _figure(4.6 * len(names), 3.4)
    for axis, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        chosen = [curve for curve in curves if curve.data == name]
        for curve, colour in zip(chosen, (OTHERS, OURS, TORCH, "black"), strict=False):
            if len(curve.seconds) == 1:
                axis.axhline(curve.accuracy[0], color=colour, lw=0.8, ls="--")
                axis.plot(curve.seconds, curve.accuracy, "*", color=colour, ms=13, label=curve.name, clip_on=False)
            else:
                axis.plot(curve.seconds, curve.accuracy, color=colour, marker=".", lw=1.2, label=curve.name)
        axis.set_xscale("log")
        _seconds(axis.xaxis, *axis.get_xlim())
        axis.set_xlabel("time of training", fontsize=8)
        axis.set_title(name, fontsize=9)
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.25)
        axis.legend(fontsize=7, frameon=False, loc="lower right")
    figure.supylabel("test accuracy", fontsize=8)
    return figure


def memory_figure(rows: Sequence[Row]) -> Figure | None:
    """Peak memory of whole trainings, and the bound."""
    chosen = [row for row in rows if row.section == memory.SECTION and row.values]
    if not chosen:
        return None
    figure = _figure(6.5, 0.3 * len(chosen) + 1.1)
    axis = figure.subplots()
    _bars(axis, chosen)
    axis.axvline(MEGABYTES, color="black", lw=1, ls="--")
    axis.annotate("bound", (MEGABYTES, len(chosen) - 0.5), (3, -8), textcoords="offset points", fontsize=7)
    axis.set_xlim(0, 1.15 * max(MEGABYTES, *(row.high for row in chosen)))
    axis.set_xlabel("peak resident memory of training on Fashion-MNIST, MB", fontsize=8)
    return figure


def sweep_figure(rows: Sequence[Row]) -> Figure | None:
    """What the seconds of the project's own sweep are made of, and the floor: a stacked bar a command.

    Start, training and comparison are what they take alone, MLflow is what tracking=off saves, the rest is the rest.
    """
    median = {row.contestant: row.median for row in rows if (row.section, row.job) == (sweeps.SECTION, sweeps.DIGITS)}
    # What comes last in the job: without it, a command failed.
    if sweeps.FLOOR_ARTIFACTS not in median:
        return None
    start, train = median[sweeps.FLOOR_START], median[sweeps.FLOOR_TRAIN]
    bars = {}
    for name, untracked, trained in (
        (sweeps.TRACKED, sweeps.OFF, train),
        (sweeps.OFF, sweeps.OFF, train),
        (sweeps.AGAIN, sweeps.OFF_AGAIN, 0.0),
        (sweeps.OFF_AGAIN, sweeps.OFF_AGAIN, 0.0),
    ):
        known = {"start": start, "training": trained, "comparison": max(0.0, median[sweeps.COMPARE] - start)}
        rest = {"records and the rest": median[untracked] - sum(known.values()), "MLflow": median[name] - median[untracked]}
        bars[f"{name}: {amount(median[name], 's')}"] = known | rest
    raw = {"files and rows, written raw": sum(median[name] for name in sweeps.FLOORS_RAW)}
    floor = {"start": start, "training": train} | raw
    bars[f"floor of the first: {amount(sum(floor.values()), 's')}"] = floor
    return _stacked(bars)


def _stacked(bars: Mapping[str, Mapping[str, float]]) -> Figure:
    """A horizontal bar each, the first on top, of parts in seconds; what is below 0, by chance, is left out."""
    figure = _figure(9.5, 0.38 * len(bars) + 1.2)
    axis = figure.subplots()
    parts = list(dict.fromkeys(part for bar in bars.values() for part in bar))
    places, left = np.arange(len(bars))[::-1], np.zeros(len(bars))
    for part, colour in zip(parts, PARTS, strict=True):
        widths = np.array([max(0.0, bar.get(part, 0.0)) for bar in bars.values()])
        axis.barh(places, widths, 0.7, left, color=colour, label=part)
        left += widths
    axis.set_yticks(places, list(bars), fontsize=7)
    axis.tick_params(axis="x", labelsize=7)
    axis.set_xlabel("seconds", fontsize=8)
    axis.set_title(f"{sweeps.SECTION}: {sweeps.DIGITS}", fontsize=9, loc="left")
    axis.grid(axis="x", alpha=0.25)
    axis.set_axisbelow(True)
    axis.legend(fontsize=7, frameon=False, ncols=2, loc="lower right")
    return figure


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
