"""Pictures of records: kernels, loss curves, y-hat vectors, the pivot as a heat map. matplotlib, without a screen."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..records.record import Record

# Figures stay readable and quick to draw up to this many points; the tables hold all of them.
MOST_POINTS = 27
MOST_HEADS = 12


def kernels_figure(records: Mapping[str, Record]) -> Figure:
    """The kernels learnt: a row a record, a column a head; red lets light through, blue takes it away."""
    rows = list(records.items())[:MOST_POINTS]
    kernels = [[head.kernel for head in record.heads[:MOST_HEADS]] for _, record in rows]
    columns = max(len(row) for row in kernels)
    figure = _figure(max(4.0, 0.75 * columns + 1.8), max(1.6, 0.78 * len(rows) + 0.6))
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for r, (name, record) in enumerate(rows):
        for c, kernel in enumerate(kernels[r]):
            tile = _tile(kernel)
            limit = float(np.abs(kernel).max()) or 1.0
            axes[r, c].imshow(tile, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
            if r == 0 or len(rows) == 1:
                axes[r, c].set_title(record.classes[c], fontsize=8)
        if name:
            axes[r, 0].text(-0.25, 0.5, name, transform=axes[r, 0].transAxes, ha="right", va="center", fontsize=7)
    figure.suptitle("kernels learnt, by head", fontsize=9)
    return figure


def _tile(kernel: np.ndarray) -> np.ndarray:
    """The (F, k, k) kernels of one head as one picture, in rows of equal length with gaps between."""
    filters, size, _ = kernel.shape
    columns = int(np.ceil(np.sqrt(filters)))
    rows = -(-filters // columns)
    picture = np.full((rows * (size + 1) - 1, columns * (size + 1) - 1), np.nan)
    for index, taps in enumerate(kernel):
        row, column = index // columns * (size + 1), index % columns * (size + 1)
        picture[row : row + size, column : column + size] = taps
    return picture


def losses_figure(records: Mapping[str, Record]) -> Figure:
    """Loss over iterations: every head of one record, or the mean over heads of several, each trajectory once."""
    figure = _figure(7.5, 4.5)
    axis = figure.subplots()
    if len(records) == 1:
        record = next(iter(records.values()))
        steps, values = _smooth(record.losses.to_numpy(float))
        labels = record.classes[:MOST_HEADS]
        curves = [(label, steps, values[:, j]) for j, label in enumerate(labels)]
    else:
        curves = []
        for name, record in _longest(records)[:MOST_POINTS]:
            steps, values = _smooth(record.losses.to_numpy(float))
            curves.append((name, steps, values.mean(axis=1)))
    for (label, steps, curve), colour in zip(curves, _colours(len(curves)), strict=True):
        axis.plot(steps, curve, lw=1.2, label=label, color=colour)
    axis.set(xlabel="iteration", ylabel="loss of the batch", xscale="log", yscale="log")
    axis.grid(alpha=0.25)
    axis.legend(fontsize=7, title="head" if len(records) == 1 else None, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return figure


def _longest(records: Mapping[str, Record]) -> list[tuple[str, Record]]:
    """The longest point of each trajectory, named without its iterations: the others lie on its curve."""
    longest: dict[Path, tuple[str, Record]] = {}
    for name, record in records.items():
        key = record.folder.parent
        if key not in longest or record.result["iterations"] > longest[key][1].result["iterations"]:
            short = " ".join(part for part in name.split() if not part.startswith("iterations="))
            longest[key] = (short or name, record)
    return list(longest.values())


def heatmap_figure(pages: Mapping[str, pd.DataFrame], metric: str, best: tuple[str, Any, Any] | None) -> Figure:
    """The pivot as a heat map: a panel a page, the best point framed."""
    figure = _figure(max(3.6, 2.9 * len(pages) + 0.8), 3.4)
    axes = figure.subplots(1, len(pages), squeeze=False)[0]
    values = np.concatenate([page.to_numpy(float).ravel() for page in pages.values()])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    for axis, (title, page) in zip(axes, pages.items(), strict=True):
        table = page.to_numpy(float)
        image = axis.imshow(table, cmap="viridis", vmin=low, vmax=high, aspect="auto")
        axis.set_xticks(range(table.shape[1]), [str(c) for c in page.columns], fontsize=8)
        axis.set_yticks(range(table.shape[0]), [str(i) for i in page.index], fontsize=8)
        axis.set_xlabel(str(page.columns.name), fontsize=8)
        axis.set_ylabel(str(page.index.name), fontsize=8)
        axis.set_title(title, fontsize=9)
        for (row, column), value in np.ndenumerate(table):
            dark = value < (low + high) / 2
            axis.text(column, row, f"{value:.3f}", ha="center", va="center", fontsize=8, color="w" if dark else "k")
        if best and best[0] == title:
            row, column = list(page.index).index(best[1]), list(page.columns).index(best[2])
            axis.add_patch(_frame(column - 0.47, row - 0.47))
    figure.colorbar(image, ax=list(axes), label=metric, shrink=0.85)
    return figure


def y_hat_figure(vectors: Mapping[str, pd.DataFrame], classes: Sequence[str]) -> Figure:
    """The y-hat vectors: a row a point, a column a head; the mean y-hat of each true class when there are many images."""
    names = list(vectors)[:MOST_POINTS]
    many = len(next(iter(vectors.values()))) > 1
    if not many:
        table = np.stack([_y_hat(vectors[name], classes)[0] for name in names])
        target = vectors[names[0]]["target"].iloc[0]
        figure = _figure(max(4.5, 0.6 * len(classes) + 3.2), max(2.2, 0.24 * len(names) + 1.2))
        axis = figure.subplots()
        image = axis.imshow(table, cmap="viridis", vmin=0, vmax=1, aspect="auto")
        axis.set_xticks(range(len(classes)), [f"{c} (right)" if c == target else c for c in classes], fontsize=8)
        axis.set_yticks(range(len(names)), names, fontsize=7)
        axis.set_xlabel("head", fontsize=8)
        figure.colorbar(image, ax=axis, label="y-hat")
        return figure
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = _figure(2.6 * columns + 0.6, 2.5 * rows)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, name in zip(axes.flat, names, strict=False):
        frame = vectors[name]
        y_hat, target = _y_hat(frame, classes), frame["target"].to_numpy()
        blank = np.full(len(classes), np.nan)
        means = np.stack([y_hat[target == c].mean(axis=0) if (target == c).any() else blank for c in classes])
        axis.set_axis_on()
        image = axis.imshow(means, cmap="viridis", vmin=0, vmax=1)
        axis.set_title(name, fontsize=7)
        ticks = range(len(classes)) if len(classes) <= MOST_HEADS else []
        axis.set_xticks(ticks, [classes[i] for i in ticks], fontsize=6)
        axis.set_yticks(ticks, [classes[i] for i in ticks], fontsize=6)
    figure.supxlabel("head", fontsize=8)
    figure.supylabel("true class", fontsize=8)
    figure.colorbar(image, ax=axes.ravel().tolist(), label="mean y-hat", shrink=0.6)
    return figure


def _y_hat(frame: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    return frame[[f"y_hat_{name}" for name in classes]].to_numpy(float)


def _smooth(losses: np.ndarray, points: int = 150) -> tuple[np.ndarray, np.ndarray]:
    """Means over ever longer stretches: batches are noisy and a curve needs no more points than the picture has."""
    edges = np.unique(np.geomspace(1, len(losses) + 1, points).astype(int))
    edges = edges if len(edges) > 1 else np.array([1, 2])
    sums = np.add.reduceat(losses, edges[:-1] - 1, axis=0)
    counts = np.diff(np.append(edges[:-1], len(losses) + 1))
    return edges[:-1], sums / counts[:, None]


def _colours(count: int) -> list[tuple[float, float, float, float]]:
    from matplotlib import colormaps

    return [tuple(c) for c in colormaps["turbo"](np.linspace(0.05, 0.95, count))]


def _frame(x: float, y: float) -> "matplotlib.patches.Rectangle":  # type: ignore[name-defined]  # noqa: F821
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), 0.94, 0.94, fill=False, edgecolor="red", lw=2)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    return figure
