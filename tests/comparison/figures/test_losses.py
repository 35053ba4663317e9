"""Loss curves: what is drawn where, held against the records' losses."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.comparison.figures.colours import ordered
from pipeline.comparison.figures.losses import MOST_HEADS, STRETCHES, Curve, curves, heads, losses, scales
from pipeline.comparison.figures.smoothing import smooth
from tests.comparison.comparison_cases import SWEPT, grid, has_white_edges, pixels, point, studied, write
from tests.helpers.records import mend


def test_a_curve_is_a_trajectorys_mean_losses_with_its_points_as_checkpoints(tmp_path):
    points = grid(tmp_path, iterations=(40, 80))
    for each in points:
        write(each, metrics={"validation_loss": each.iterations / 100})
    study = studied(points, SWEPT)
    meaning, found = curves(study)
    assert meaning == "alpha"
    assert [(c.panel, c.name) for c in found] == [(f"kernel_size {k}", a) for k in (3, 5) for a in ("0.1", "0.5")]
    for curve, last in zip(found, points[1::2], strict=True):
        steps, values = smooth(study.records[last.name].losses, STRETCHES)
        np.testing.assert_array_equal(curve.steps, [*(steps[1:] - 1), 80])
        np.testing.assert_array_equal(curve.median, values.mean(axis=1))
        assert curve.checkpoints == ((40, 0.4), (80, 0.8))
    assert [curve.is_best for curve in found] == [True, False, False, False]


def test_repeats_are_one_curve_with_a_median_and_a_range(tmp_path):
    points = [point(tmp_path, f"seed={s}", {"seed": s, "training.iterations": 20 + s // 9}) for s in range(3)]
    for each in points:
        write(each)
        losses_file = each.folder / "losses.npy"
        np.save(losses_file, np.load(losses_file) * (1 + each.settings.seed))
        mend(each.folder)
    _, [curve] = curves(studied(points, ["training.iterations", "seed"]))
    assert len(curve.repeats) == 3
    np.testing.assert_allclose(curve.median, 2 * curve.repeats.min(axis=0))
    assert has_white_edges(pixels(losses(studied(points, ["training.iterations", "seed"]))))


def test_where_nothing_but_iterations_differs_curves_are_named_by_them(tmp_path):
    """One curve for all points of a trajectory; with alpha falling along a cosine each point has its own, in its colour."""
    points = [point(tmp_path, f"iterations={n}", {"training.iterations": n}) for n in (4, 8)]
    for each in points:
        write(each)
    meaning, [curve] = curves(studied(points, SWEPT[2:]))
    assert (meaning, curve.name, curve.value) == ("iterations", "8", 8)
    alone = [replace(each, trajectory=f"of {each.iterations}") for each in points]
    for each in alone:
        write(each)
    meaning, found = curves(studied(alone, SWEPT[2:]))
    assert meaning == "iterations" and [(curve.name, curve.value) for curve in found] == [("4", 4), ("8", 8)]
    picture = pixels(losses(studied(alone, SWEPT[2:])))
    assert all((picture == colour).all(axis=2).any() for colour in ordered(2))


def test_every_pixel_of_a_curve_lies_where_its_loss_is(tmp_path):
    points = [point(tmp_path, f"alpha={a}", {"training.alpha": a, "training.iterations": 500}) for a in (0.1, 0.5)]
    for each, factor in zip(points, (1, 30), strict=True):
        write(each)
        np.save(each.folder / "losses.npy", factor * np.geomspace(1, 0.01, 500)[:, None].repeat(2, axis=1))
        mend(each.folder)
    study = studied(points, SWEPT[1:])
    picture = pixels(losses(study))
    across, up = scales(curves(study)[1])
    for curve, colour in zip(curves(study)[1], ordered(2), strict=True):
        ys, xs = np.nonzero((picture == colour).all(axis=2))
        inside = xs < xs.max() - 60
        xs, ys = xs[inside], ys[inside]
        steps, places = np.unique(xs), []
        places = np.array([ys[xs == x].mean() for x in steps])
        # Of the two axes only the ends are needed to know where each loss is.
        shown = curve.steps >= across.low
        x, y = across.place(curve.steps[shown]), up.place(curve.median[shown])
        heights = np.interp((steps - steps.min()) / 639 + x[0], x, y)
        slope, _ = np.polyfit(heights, places, 1)
        assert slope == pytest.approx(-439, rel=0.02)
        apart = np.abs(places - (places.mean() + slope * (heights - heights.mean())))
        assert apart.max() < 2


def test_axes_begin_where_something_happens():
    steps = np.arange(1, 1001)
    flat = np.where(steps < 100, 1.0, 100 / steps)[None]
    curve = Curve("", "1", 1, steps, flat, ((1000, 0.2),), True)
    across, up = scales([curve])
    assert 90 <= across.low <= 110 and across.high > 1000
    assert up.low < 0.1 and 1 < up.high < 1.2


def test_of_one_point_each_head_is_a_curve_and_of_many_heads_some_are_named(tmp_path):
    for count in (3, 30):
        each = point(tmp_path, "", {"training.iterations": 9, "seed": count})
        record = write(each, [f"class {j}" for j in range(count)])
        _, note, meaning, found, colours = heads(record)
        assert meaning == "head" and len(found) == count
        named = [curve for curve in found if curve.name]
        assert len(named) == (3 if count == 3 else MOST_HEADS // 2)
        assert (f"{len(named)} of {count} are named" in note) == (count == 30)
        ends = {curve.name: float(curve.median[-1]) for curve in found}
        assert {c.name for c in named} <= {f"class {j}" for j in range(count)}
        assert all(ends[c.name] >= c2.median[-1] for c in named for c2 in found if not c2.name)
        assert set(colours) == {None, *(curve.value for curve in named)}
        assert has_white_edges(pixels(losses(studied([each], ["seed"], {"": record}))))


def test_a_head_of_a_blank_class_is_named_too(tmp_path):
    record = write(point(tmp_path, "", {"training.iterations": 9}), ["", " ", "ant"])
    assert [curve.name for curve in heads(record)[3]] == ['""', '" "', "ant"]


@pytest.mark.parametrize("iterations", [1, 2])
def test_very_short_trainings_can_be_drawn(tmp_path, iterations):
    points = grid(tmp_path, iterations=(iterations,))
    for each in points:
        write(each)
    assert has_white_edges(pixels(losses(studied(points, SWEPT))))
