"""Loss curves: a panel a model, a colour a value of alpha, validation beside them, repeats as median and band."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from ...records.record import Record
from ..axes import AXES, short
from ..labels import SHORT, heading, label, setting, widest
from ..tables import with_best
from .colours import GREY, PALE, WHITE, Colour, ordered
from .layout import ITERATIONS, Row, Study, distinct
from .paper import GAP, HEAD, LETTERS, SMALL_LETTERS, disc, line, png_bytes, smoothly, write
from .plot import Frame, Panels, draw_frame, name_across, name_up, tick_across, tick_up
from .scales import LOG, Scale, log_scale, spread
from .smoothing import smooth

MOST_PANELS, MOST_REPEATS, MOST_HEADS = 6, 10, 12
# Rows of a study whose losses are read, the best ones.
MOST_ROWS = 108
# Losses of a batch are noisy: curves are drawn as means over stretches, of which single heads need longer ones.
STRETCHES, STRETCHES_OF_HEADS = 120, 60
# Checkpoints that are marked each.
MOST_RULES = 6
FAINT = (205, 205, 205)
# A curve that has changed less than this share of the picture's height has not begun.
BEGUN = 0.05


@dataclass(frozen=True)
class Curve:
    """panel: settings in words. name, value: of the setting that colours stand for. is_best: whether the best point lies on it.
    steps: (s,) iterations. repeats: (r, s) losses, the mean over heads of each
    repeat. checkpoints: iterations of its points, and of each the mean validation loss (nan without a validation split)."""

    panel: str
    name: str
    value: Any
    steps: NDArray[np.int64]
    repeats: NDArray[np.float64]
    checkpoints: tuple[tuple[int, float], ...]
    is_best: bool

    @property
    def median(self) -> NDArray[np.float64]:
        return np.asarray(np.median(self.repeats, axis=0))


def curves(study: Study) -> tuple[str, list[Curve]]:
    """What a colour stands for, and a curve for each trajectory of the best rows; of repeats one for all of them.

    Where nothing but iterations differs, a curve is named by how many it has."""
    keys = [i for i, key in enumerate(study.keys) if key != ITERATIONS]
    colour = next((i for i in keys if study.keys[i] == AXES[1]), keys[-1] if keys else None)
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in study.first(MOST_ROWS):
        # With alpha falling along a cosine each number of iterations has a trajectory of its own.
        lies_on = study.records[row.points[0]].folder.parent
        groups.setdefault((lies_on, *(row.values[i] for i in keys)), []).append(row)
    found = []
    for rows in groups.values():
        panel = ", ".join(f"{study.names[i]} {study.texts(rows[0])[i]}" for i in keys if i != colour)
        value = _iterations(study, rows) if colour is None else rows[0].values[colour]
        found.append(_curve(study, rows, panel, value))
    return (short(ITERATIONS) if colour is None else study.names[colour]), found


def _iterations(study: Study, rows: Sequence[Row]) -> int:
    return max(study.records[row.points[0]].result.iterations for row in rows)


def _curve(study: Study, rows: Sequence[Row], panel: str, value: Any) -> Curve:
    """The longest of a trajectory's points: the others lie on its curve."""
    records = study.records
    longest = max(rows, key=lambda row: records[row.points[0]].result.iterations)
    smoothed = [smoothed_at_ends(records[point].losses, STRETCHES) for point in longest.points[:MOST_REPEATS]]
    steps = smoothed[0][0]
    repeats = np.array([values.mean(axis=1) for each, values in smoothed if len(each) == len(steps)])
    points = {records[row.points[0]].result.iterations: [records[name].result.metrics for name in row.points] for row in rows}
    losses = {n: float(np.mean([m.get("validation_loss", np.nan) for m in metrics])) for n, metrics in points.items()}
    checkpoints = tuple(sorted(losses.items()))
    name = f"{value:.3g}" if isinstance(value, float) else label(setting(value), SHORT)
    return Curve(panel, name, value, steps, repeats, checkpoints, study.best in rows)


def losses(study: Study) -> bytes:
    """The curves of several points, or of one point its heads'."""
    if len(study.rows) == 1 and len(study.best.points) == 1:
        return draw_curves(*heads(study.best_record))
    meaning, found = curves(study)
    panels = with_best(list(dict.fromkeys(c.panel for c in found)), next(c.panel for c in found if c.is_best), MOST_PANELS)
    shown = [curve for curve in found if curve.panel in panels]
    values = distinct([curve.value for curve in shown])
    colours = dict(zip(values, ordered(len(values)), strict=True))
    note = "lines: loss of the batch, mean over heads"
    note += ", median and range of the repeats" if any(len(curve.repeats) > 1 for curve in shown) else ""
    note += "; dots: validation" if any(np.isfinite(loss) for curve in shown for _, loss in curve.checkpoints) else ""
    note += "; the best points' curves alone" if len(shown) < len(found) or len(study.rows) > MOST_ROWS else ""
    return draw_curves("loss over iterations", note, meaning, shown, colours)


def heads(record: Record) -> tuple[str, str, str, list[Curve], dict[Any, Colour]]:
    """A curve a head, what `draw_curves` takes; of many heads those are named whose loss is largest at the end."""
    steps, values = smoothed_at_ends(record.losses, STRETCHES_OF_HEADS)
    count, many = len(record.classes), len(record.classes) > MOST_HEADS
    named = sorted(np.argsort(-values[-1], kind="stable")[: MOST_HEADS // 2 if many else count].tolist())
    found = []
    # Those without a name first, below the others.
    for j in sorted(range(count), key=lambda j: j in named):
        loss = float(record.result.heads[j].get("validation_loss", np.nan))
        name = label(record.classes[j], SHORT) if j in named else ""
        value = j if j in named else None
        found.append(Curve("", name, value, steps, values[None, :, j], ((record.result.iterations, loss),), True))
    colours: dict[Any, Colour] = {None: FAINT} | dict(zip(named, ordered(len(named)), strict=True))
    note = (
        f"lines: loss of the batch, a head each; {len(named)} of {count} are named, those of the largest loss"
        if many
        else ("lines: loss of the batch; dots: validation")
    )
    return "loss over iterations, by head", note, "head", found, colours


def smoothed_at_ends(losses: NDArray[np.float64], stretches: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(iterations, heads) losses as means over so many ever longer stretches, each at its last iteration."""
    firsts, means = smooth(losses, stretches)
    return np.append(firsts[1:] - 1, len(losses)), means


def draw_curves(title: str, note: str, meaning: str, found: Sequence[Curve], colours: Mapping[Any, Colour]) -> bytes:
    """A panel for each `panel` of the curves; meaning: what their names are values of."""
    names = list(dict.fromkeys(curve.panel for curve in found))
    across, up = scales(found)
    panels = _panels(len(names), up, widest([*(curve.name for curve in found), meaning], SMALL_LETTERS))
    canvas = panels.canvas(title, note)
    for index, name in enumerate(names):
        own, frame = [curve for curve in found if curve.panel == name], panels.frame(index, across, up)
        tick_up(canvas, frame, up.ticks(), panels.is_first(index))
        steps = sorted({n for curve in own for n, _ in curve.checkpoints})
        _rules(canvas, frame, steps)
        smoothly(canvas, frame.box, partial(_paint, frame, own, colours))
        draw_frame(canvas, frame, heading(name))
        _tick_iterations(canvas, frame, steps)
        name_across(canvas, frame, "iteration")
        _name_curves(canvas, frame, meaning, own, colours)
    name_up(canvas, panels.frame(0, across, up), "loss")
    return png_bytes(canvas)


def scales(found: Sequence[Curve]) -> tuple[Scale, Scale]:
    """Of iterations, from where something happens, and of losses from there on."""
    everything = log_scale(np.concatenate([curve.median for curve in found]))
    begins = [curve.steps[-1] for curve in found]
    for number, curve in enumerate(found):
        places = everything.place(curve.median)
        begun = np.flatnonzero(np.abs(places - places[0]) > BEGUN)
        if len(begun):
            begins[number] = curve.steps[max(begun[0] - 1, 0)]
    first, last = int(min(begins)), max(int(curve.steps[-1]) for curve in found)
    last = max(last, *(n for curve in found for n, _ in curve.checkpoints))
    first = min(first, max(1, last // 10))
    parts = [curve.repeats[:, curve.steps >= first].ravel() for curve in found]
    dots = [loss for curve in found for _, loss in curve.checkpoints]
    return Scale(first, last * (last / first) ** 0.03 if last > first else 2 * first, LOG), log_scale(
        np.concatenate([*parts, dots])
    )


def _panels(count: int, up: Scale, right: int) -> Panels:
    columns = min(count, 3)
    left = widest((text for _, text in up.ticks()), SMALL_LETTERS) + LETTERS + 4 * GAP
    inside = ((640, 440), (430, 360), (320, 320))[columns - 1]
    return Panels(count, columns, inside, left, right + 3 * GAP, HEAD)


def _rules(canvas: Image.Image, frame: Frame, steps: Sequence[int]) -> None:
    draw = ImageDraw.Draw(canvas)
    for x in frame.x(steps) if len(steps) <= MOST_RULES else []:
        draw.line((frame.left + round(x), frame.top, frame.left + round(x), frame.top + frame.height - 1), PALE)


def _tick_iterations(canvas: Image.Image, frame: Frame, steps: Sequence[int]) -> None:
    """Checkpoints are named; powers of ten where there is room beside them."""
    shown = list(steps) if len(steps) <= MOST_RULES else [steps[0], steps[-1]]
    near = frame.x(shown)
    others = [(n, text) for n, text in frame.across.ticks(5) if min(abs(frame.x(n)[0] - x) for x in near) > 34]
    tick_across(canvas, frame, sorted([*((float(n), str(n)) for n in shown), *others]))


def _paint(frame: Frame, found: Sequence[Curve], colours: Mapping[Any, Colour], draw: ImageDraw.ImageDraw, k: int) -> None:
    for curve in found:
        colour, seen = colours[curve.value], curve.steps >= frame.across.low
        xs, ys = frame.x(curve.steps[seen]), frame.y(curve.median[seen])
        if len(curve.repeats) > 1:
            low, high = (frame.y(end[seen]) for end in (curve.repeats.min(axis=0), curve.repeats.max(axis=0)))
            edge = [*zip(xs, low, strict=True), *zip(reversed(xs), reversed(high), strict=True)]
            if len(edge) > 2:
                draw.polygon([(x * k, y * k) for x, y in edge], fill=(*colour, 55))
        if len(xs) > 1:
            line(draw, [(x * k, y * k) for x, y in zip(xs, ys, strict=True)], colour, (1.6 if curve.name else 1.0) * k)
        else:
            disc(draw, xs[0] * k, ys[0] * k, 3 * k, colour)
    for curve in found:
        for n, loss in curve.checkpoints:
            if np.isfinite(loss) and curve.name:
                [x], [y] = frame.x(n), frame.y(loss)
                disc(draw, x * k, y * k, 5 * k, WHITE)
                disc(draw, x * k, y * k, 3.5 * k, colours[curve.value])


def _name_curves(
    canvas: Image.Image, frame: Frame, meaning: str, found: Sequence[Curve], colours: Mapping[Any, Colour]
) -> None:
    """At their ends, and moved apart where they would touch; as many as there is room for."""
    ends: dict[Any, tuple[float, str]] = {}
    for curve in found:
        if curve.name:
            ends[curve.value] = (frame.y(curve.median[-1])[0], curve.name)
    most = frame.height // (SMALL_LETTERS + 2)
    kept = list(ends)[:: -(-len(ends) // most)] if ends else []
    x = frame.left + frame.width + 6
    for value, y in zip(kept, spread([ends[v][0] for v in kept], SMALL_LETTERS + 2, 6, frame.height - 6), strict=True):
        write(canvas, (x, frame.top + round(y)), ends[value][1], SMALL_LETTERS, "lm", colours[value])
    write(canvas, (x, frame.top - GAP // 2), meaning, SMALL_LETTERS, "ld", GREY)
