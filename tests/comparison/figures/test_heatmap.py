"""The metric as a heat map or as dots: what stands where, held against the table."""

import numpy as np
import pytest

from pipeline.comparison.figures import heatmap
from pipeline.comparison.figures.colours import BLACK, ordered
from pipeline.comparison.figures.dots import dots, spots
from pipeline.comparison.figures.heatmap import as_grid, cell_colours, heat_map
from pipeline.comparison.figures.scales import error_scale
from tests.comparison.comparison_cases import SWEPT, grid, has_white_edges, pixels, places, point, studied, write, write_many


def cell_box(picture, colour):
    """The box of what has this colour and is wider than the colour bar, which has it too."""
    found = np.array(places(picture, np.full((4, 40, 3), colour, np.uint8)))
    (top, left), (bottom, right) = found.min(axis=0), found.max(axis=0)
    return left, top, right + 39, bottom + 3


def made(folder, points, swept, accuracies):
    for each, accuracy in zip(points, accuracies, strict=True):
        write(each, metrics={"validation_accuracy": accuracy})
    return studied(points, swept)


def test_every_cell_has_the_colour_of_its_value_at_its_place_and_the_best_has_the_star(tmp_path):
    points = grid(tmp_path)
    accuracies = [0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.96, 0.95]
    study = made(tmp_path, points, SWEPT, accuracies)
    found = as_grid(study)
    assert (found.down, found.across) == (("kernel_size", ["3", "5"]), ("alpha", ["0.1", "0.5"]))
    assert list(found.pages) == ["iterations 4", "iterations 8"]
    assert found.pages["iterations 4"].tolist() == [[0.3, 0.6], [0.8, 0.96]]
    assert found.pages["iterations 8"].tolist() == [[0.5, 0.7], [0.9, 0.95]]
    assert found.best == ("iterations 4", 1, 1)
    picture = pixels(heat_map(study, found))
    scale = error_scale(accuracies)
    boxes = {(p, r, c): cell_box(picture, cell_colours(page, scale)[r, c])
             for p, page in enumerate(found.pages.values()) for r in (0, 1) for c in (0, 1)}  # fmt: skip
    # Pages side by side, rows below each other, columns beside each other.
    for (p, r, c), (left, top, _, _) in boxes.items():
        assert top == boxes[0, r, 0][1] and left == boxes[p, 0, c][0]
        assert r == 0 or top == boxes[p, 0, c][3] + 1
        assert c == 0 or left > boxes[p, r, 0][2]
    left, top, _, bottom = boxes[0, 1, 1]
    inside = picture[top : bottom + 1, left : left + 80]
    assert ((inside[:20] == BLACK).all(axis=2)).sum() > 40
    assert has_white_edges(picture)


def test_colours_go_by_what_is_lacking_on_a_log_scale_and_nothing_is_white():
    scale = error_scale([0.5, 0.99])
    assert scale.place([0.5, 0.99]).tolist() == [0, 1]
    assert scale.place(1 - np.sqrt(0.5 * 0.01)) == 0.5
    assert cell_colours(np.array([[np.nan, 0.99]]), scale).tolist() == [[[255, 255, 255], [253, 231, 37]]]
    assert error_scale([1.0, 0.9]).place([1.0]) == 1


def spot_centres(picture, colour) -> list[tuple[float, float]]:
    """Centres of what has this colour, from left to right; not of what stands in the legend."""
    mask = (picture[80:] == colour).all(axis=2)
    columns = np.flatnonzero(mask.any(axis=0))
    groups = np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1)
    return [(float(g.mean()), float(np.nonzero(mask[:, g])[0].mean()) + 80) for g in groups]


def test_repeats_are_dots_at_the_height_of_their_means_with_bars_of_a_deviation(tmp_path):
    pairs = [(a, s) for a in (0.1, 0.2, 0.5, 1.0) for s in (0, 1)]
    points = [point(tmp_path, f"alpha={a} seed={s}", {"training.alpha": a, "seed": s}) for a, s in pairs]
    means = (0.5, 0.9, 0.95, 0.8)
    study = made(tmp_path, points, ["training.alpha", "seed"], [means[i // 2] + (0.01 if i % 2 else -0.01) for i in range(8)])
    assert as_grid(study) is None
    assert [row.each for row in study.rows] == [pytest.approx((m - 0.01, m + 0.01)) for m in means]
    centres = spot_centres(pixels(dots(study)), ordered(1)[0])
    assert len(centres) == 4
    steps = np.diff([x for x, _ in centres])
    assert np.ptp(steps) <= 1
    # Heights are the logarithms of what the means lack. The star is no disc: its middle lies a little higher.
    lacks = -np.log10(1 - np.array(means))
    slope = (centres[3][1] - centres[0][1]) / (lacks[3] - lacks[0])
    for (_, y), lack in zip(centres, lacks, strict=True):
        assert y == pytest.approx(centres[0][1] + slope * (lack - lacks[0]), abs=4)


def test_points_of_a_search_are_dots_over_a_log_axis_in_the_colour_of_their_series(tmp_path):
    random = np.random.default_rng(0)
    drawn = [(3 + 2 * (i % 3), float(10 ** random.uniform(-1, 1))) for i in range(20)]
    points = [point(tmp_path, f"{k} {a}", {SWEPT[0]: k, SWEPT[1]: a}) for k, a in drawn]
    study = made(tmp_path, points, SWEPT[:2], [0.5 + i / 50 for i in range(20)])
    assert as_grid(study) is None
    where = spots(study)
    assert study.names[where.across] == "alpha" and where.scale.kind == "log" and len(where.values) == 20
    picture = pixels(dots(study))
    for series, colour in zip((3, 5, 7), ordered(3), strict=True):
        alphas = sorted(a for k, a in drawn if k == series)
        centres = spot_centres(picture, colour)
        assert 0.6 * len(alphas) <= len(centres) <= len(alphas)
        places = where.scale.place([alphas[0], alphas[-1]])
        assert centres[-1][0] - centres[0][0] == pytest.approx((places[1] - places[0]) * 619, abs=3)
    assert has_white_edges(picture)


def test_a_search_over_many_settings_is_one_panel(tmp_path, monkeypatch):
    keys = [SWEPT[1], "training.batch_size", "data.validation"]
    points = [point(tmp_path, f"{n}", dict(zip(keys, (0.1 + n, 8 + n, n / 40), strict=True))) for n in range(20)]
    study = made(tmp_path, points, keys, [0.5 + n / 50 for n in range(20)])
    said = []
    monkeypatch.setattr("pipeline.comparison.figures.dots.draw_frame", lambda canvas, frame, title: said.append(title))
    assert has_white_edges(pixels(dots(study))) and said == ["all points"]


@pytest.mark.parametrize("accuracies", [(1.0, 1.0), (0.5, 0.5), (np.nan, 0.5)])
def test_few_values_equal_ones_and_one_that_is_missing_can_be_drawn(tmp_path, accuracies):
    points = [point(tmp_path, f"alpha={a}", {"training.alpha": float(a)}) for a in range(1, len(accuracies) + 1)]
    assert has_white_edges(pixels(dots(made(tmp_path, points, ["training.alpha"], accuracies))))


def test_of_many_pages_those_that_fit_are_shown_with_the_best_one_and_the_rest_is_counted(tmp_path, monkeypatch):
    points = grid(tmp_path, (3, 5), (0.1, 0.5), range(1, 101))
    write_many(points, lambda number: number / 500)
    study = studied(points, SWEPT)
    found = as_grid(study)
    assert found.left == 76 and list(found.pages)[-1] == found.best[0] == "iterations 100"
    said = []
    monkeypatch.setattr(heatmap, "write_title", lambda canvas, title, note: said.append(note))
    shown = pixels(heat_map(study, found))
    assert shown.shape[0] <= 1000
    assert said[0].endswith("; 84 more pages in summary.csv")
    assert places(
        shown, np.full((6, 40, 3), cell_colours(found.pages["iterations 100"], error_scale([0.002, 0.798]))[1, 1], np.uint8)
    )
