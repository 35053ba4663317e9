"""Loss curves in MLflow: what a point of one is, how many there are, when they appear."""

from itertools import pairwise

import numpy as np
import pytest

from pipeline.comparison.figures.losses import smoothed_at_ends
from pipeline.tracking import tracker
from pipeline.tracking.curves import MOST, curve_rows
from pipeline.tracking.lease import Lease
from pipeline.tracking.runs import Runs
from pipeline.tracking.store import open_store
from tests.helpers.tracking import (
    EXPERIMENT,
    made_losses,
    make_points,
    make_record,
    open_tracker,
    point_runs,
    settings_of,
    statuses,
    track,
    wait_for,
)  # fmt: skip


def steps_of(rows, key):
    return [step for name, _, step in rows if name == key]


def test_a_point_of_a_curve_is_the_mean_of_the_losses_since_the_one_before():
    losses = np.random.default_rng(0).random((4000, 10))
    classes = [str(number) for number in range(10)]
    rows = curve_rows(losses, classes, 4000)
    for key, of_it in [("loss/mean", losses.mean(axis=1)), *((f"loss/{name}", losses[:, int(name)]) for name in classes)]:
        steps = [0, *steps_of(rows, key)]
        expected = [of_it[first:last].mean() for first, last in pairwise(steps)]
        np.testing.assert_allclose([value for name, value, _ in rows if name == key], expected, rtol=1e-12)


def test_curves_are_those_of_the_figures():
    losses = np.random.default_rng(0).random((4000, 10))
    steps, values = smoothed_at_ends(losses, MOST + 1)
    expected = [("loss/mean", value, step) for step, value in zip(steps.tolist(), values.mean(axis=1).tolist(), strict=True)]
    assert [row for row in curve_rows(losses, "0123456789", 4000) if row[0] == "loss/mean"] == expected


@pytest.mark.parametrize(("heads", "points"), [(1, 50), (2, 50), (10, 16), (11, 14)])
def test_curves_are_thinned_to_what_a_point_may_cost(heads, points):
    classes = [f"class {number}" for number in range(heads)]
    rows = curve_rows(np.ones((100_000, heads)), classes, 100_000)
    for key, most in (("loss/mean", 50), ("loss/class 0", points)):
        steps = steps_of(rows, key)
        # The first few may coincide.
        assert 0.85 * most <= len(steps) <= most and (steps[0], steps[-1]) == (1, 100_000)
    for count in (1, 3):
        rows = curve_rows(np.ones((count, heads)), classes, count)
        assert steps_of(rows, "loss/mean") == steps_of(rows, "loss/class 0")[:count] == [1, 2, 3][:count]


def test_curves_have_the_same_steps_however_far_they_are(tmp_path):
    [point] = make_points(tmp_path, 1, (300,))
    whole = curve_rows(made_losses(point, 300), "ab", 300)
    parts = [curve_rows(made_losses(point, reached), "ab", 300, after) for after, reached in ((0, 7), (7, 120), (120, 300))]
    assert sorted(row for part in parts for row in part) == sorted(whole)
    # Losses may go on beyond the point, since other points of its trajectory do.
    assert curve_rows(made_losses(point, 900), "ab", 300) == whole


def test_curves_appear_while_a_long_point_is_trained(folder, monkeypatch):
    monkeypatch.setattr(tracker, "CURVE_SECONDS", 0.0)
    [short, long] = points = make_points(folder, 1, (10, 1000))
    watched, calls = open_tracker(folder, points), []

    def losses(count):
        calls.append(count)
        return made_losses(long, count)

    for point in points:
        watched.started(point)
    wait_for(lambda: statuses(folder) == {short.key: ["RUNNING"], long.key: ["RUNNING"]})
    client, [run] = open_store(settings_of(folder), EXPERIMENT).client, point_runs(folder)[long.key]

    def steps(key="loss/a"):
        return [row.step for row in client.get_metric_history(run.info.run_id, key)]

    watched.advanced(points, 5, lambda: losses(5))
    wait_for(lambda: steps() and max(steps()) <= 5)
    watched.advanced([long], 500, lambda: losses(500))
    wait_for(lambda: max(steps()) > 400)
    monkeypatch.setattr(tracker, "CURVE_SECONDS", 1000.0)
    watched.advanced([long], 600, lambda: losses(600))
    for point in points:
        watched.finished(point, make_record(point), known=False)
    assert watched.close("FINISHED") == []
    # Logged in parts, the curve is what it would have been in one go, without a repeated row.
    rows = client.get_metric_history(run.info.run_id, "loss/a")
    whole = [(value, step) for key, value, step in curve_rows(made_losses(long, 1000), "ab", 1000) if key == "loss/a"]
    assert steps("loss/mean") == steps() == [step for _, step in whole]
    assert all(row.timestamp == run.info.start_time + row.step for row in rows)
    assert [(row.value, row.step) for row in rows] == whole
    assert calls[:2] == [5, 500]


def test_a_run_of_an_earlier_version_is_gone_on_with_after_its_last_step(folder):
    """Whose curves had other steps, and at each the loss of one batch."""
    [point] = points = make_points(folder, 1, (100,))
    losses, store = made_losses(point, 100), open_store(settings_of(folder), EXPERIMENT)
    run = Runs(store, None, Lease(store.uri)).open(point, {})
    for step in (1, 3, 11, 35):
        for key, value in (("loss/mean", losses[step - 1].mean()), ("loss/a", losses[step - 1, 0])):
            store.client.log_metric(run.run_id, key, value, run.began + step, step)
    store.client.set_terminated(run.run_id, "KILLED")
    assert track(folder, points) == []
    assert point_runs(folder)[point.key][0].info.run_id == run.run_id
    rows = curve_rows(losses, "ab", 100)
    for key in ("loss/mean", "loss/a"):
        steps = [row.step for row in store.client.get_metric_history(run.run_id, key)]
        assert steps == [1, 3, 11, 35, *(step for step in steps_of(rows, key) if step > 35)]


def test_losses_are_not_copied_before_they_are_due(folder):
    points = make_points(folder, 1)
    watched = open_tracker(folder, points)
    watched.started(points[0])
    watched.advanced(points, 3, lambda: pytest.fail("it is not due"))
    watched.advanced([], 3, lambda: pytest.fail("there is no point"))
    assert watched.close("KILLED") == []
