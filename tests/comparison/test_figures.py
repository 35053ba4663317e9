"""Heat map and loss curves: what the axes hold, and that names are names."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from PIL import Image

from pipeline.comparison import figures
from pipeline.comparison.canvas import png
from pipeline.comparison.figures import MOST_POINTS, draw, first_and, heatmap, longest, losses, smooth, styles
from pipeline.comparison.mosaic import MOST_HEADS
from pipeline.comparison.tables import pivot, summarise
from tests.comparison.comparison_cases import ODD_NAMES, SWEPT, grid, point, write


def laid_out(kernel_sizes=(3, 5), alphas=(0.1, 0.5), iterations=(4, 8)):
    rows = [(k, a, n) for k in kernel_sizes for a in alphas for n in iterations]
    frame = pd.DataFrame(rows, columns=SWEPT)
    frame["validation_accuracy"] = np.linspace(0.1, 0.9, len(frame))
    return pivot(summarise(frame, SWEPT))


def texts(axis) -> list[str]:
    return [text.get_text() for text in axis.texts]


def test_the_heat_maps_axes_hold_the_pivots_values_and_names():
    laid = laid_out()
    *panels, bar = heatmap(laid, "validation_accuracy").axes
    assert len(panels) == 2
    for panel, (title, page) in zip(panels, laid.pages.items(), strict=True):
        table = page.values.to_numpy(float)
        assert panel.get_title() == title
        np.testing.assert_array_equal(panel.images[0].get_array(), table)
        assert panel.images[0].get_clim() == (0.1, 0.9)
        assert [label.get_text() for label in panel.get_xticklabels()] == ["0.1", "0.5"]
        assert [label.get_text() for label in panel.get_yticklabels()] == ["3", "5"]
        assert (panel.get_xlabel(), panel.get_ylabel()) == ("alpha", "kernel_size")
        assert texts(panel) == [f"{value:.3f}" for value in table.ravel()]
    assert (bar.get_ylabel(), bar.get_ylim()) == ("validation_accuracy", (0.1, 0.9))


def test_the_best_cell_alone_is_framed():
    laid = laid_out()
    assert laid.best == ("iterations 8", 5, 0.5)
    first, second, _ = heatmap(laid, "validation_accuracy").axes
    assert len(first.patches) == 0
    assert len(second.patches) == 2
    for frame in second.patches:
        x, y = frame.get_center()
        assert (round(x, 9), round(y, 9)) == (1, 1)
        assert 0.8 < frame.get_width() < 1


def test_a_large_heat_map_has_colours_only_and_a_cell_without_a_point_is_empty():
    large = heatmap(laid_out(range(1, 61, 2), range(20), (1, 2)), "validation_accuracy")
    assert all(texts(panel) == [] for panel in large.axes)
    frame = pd.DataFrame({SWEPT[0]: [3, 3, 5], SWEPT[1]: [0.1, 0.5, 0.1], "validation_accuracy": [0.25, 0.75, 0.5]})
    [panel, _] = heatmap(pivot(summarise(frame, SWEPT[:2])), "validation_accuracy").axes
    assert texts(panel) == ["0.250", "0.750", "0.500"]


@pytest.mark.parametrize("alphas", [(0.1,), (0.1, 0.2)])
def test_equal_values_and_a_single_point_can_be_drawn(alphas):
    frame = pd.DataFrame({SWEPT[1]: alphas, "validation_accuracy": 0.5})
    assert Image.open(io.BytesIO(png(heatmap(pivot(summarise(frame, SWEPT[1:2])), "validation_accuracy"))))


def test_the_curves_are_the_mean_losses_of_each_trajectorys_longest_point(tmp_path):
    points = grid(tmp_path)
    records = {each.name: write(each) for each in points}
    axis = losses(records, points[0].name).axes[0]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == [
        "kernel_size=3 alpha=0.1", "kernel_size=3 alpha=0.5", "kernel_size=5 alpha=0.1", "kernel_size=5 alpha=0.5",
    ]  # fmt: skip
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    for line, (_, record) in zip(axis.lines, longest(records, points[0].name), strict=True):
        steps, values = smooth(record.losses)
        assert record.result.iterations == 8
        np.testing.assert_array_equal(line.get_xdata(), steps)
        np.testing.assert_array_equal(line.get_ydata(), values.mean(axis=1))
    assert [line.get_linestyle() for line in axis.lines] == ["-", "-", "--", "--"]
    assert axis.lines[0].get_color() == axis.lines[2].get_color() != axis.lines[1].get_color()


def test_a_single_record_shows_its_heads(tmp_path):
    record = write(point(tmp_path, "", {"training.iterations": 9}), [f"class {j}" for j in range(15)])
    legend = losses({"": record}, "").axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [f"class {j}" for j in range(MOST_HEADS)]
    assert legend.get_title().get_text() == "head"


def test_every_curve_looks_different():
    for names in ([f"alpha={j}" for j in range(MOST_POINTS)], [f"filters={j // 5} alpha={j % 5}" for j in range(25)]):
        assert len(set(styles(names))) == len(names)


def test_smoothing_keeps_the_mean_and_short_losses():
    losses = np.random.default_rng(0).uniform(size=(1000, 2))
    steps, values = smooth(losses, 20)
    assert len(steps) == len(values) <= 20
    widths = np.diff(np.append(steps, 1001))
    np.testing.assert_allclose((values * widths[:, None]).sum(axis=0), losses.sum(axis=0))
    assert smooth(losses[:1])[1].tolist() == losses[:1].tolist()


def test_the_best_is_drawn_however_many_points_there_are():
    assert first_and(range(5), 3) == [0, 1, 2, 3, 4]
    assert first_and(range(1000), 500) == [*range(MOST_POINTS - 1), 500]


@pytest.mark.parametrize("iterations", [1, 6])
def test_any_name_is_drawn_as_it_is_with_the_same_bytes_each_time(tmp_path, iterations):
    records = {}
    for number, name in enumerate(ODD_NAMES):
        values = {"seed": number, "training.iterations": iterations}
        records[f"path={name}"] = write(point(tmp_path, name, values), ODD_NAMES, range(12))
    frame = pd.DataFrame({"data.path": ODD_NAMES, "validation_accuracy": 0.5})
    laid, best = pivot(summarise(frame, ["data.path"])), next(iter(records))
    pictures = draw(laid, "validation_accuracy", records, best)
    assert list(pictures) == ["heatmap", "losses", "y_hat", "kernels"]
    assert pictures == draw(laid, "validation_accuracy", records, best)
    assert all("Software" not in Image.open(io.BytesIO(picture)).info for picture in pictures.values())


def test_no_text_is_read_as_mathematics(tmp_path):
    record = write(point(tmp_path, "", {"training.iterations": 3}), ["$x^2$", "$y$"])
    frame = pd.DataFrame({"data.path": ["$x^2$", "$y$"], "training.alpha": 0.1, "validation_accuracy": 0.5})
    drawn = [losses({"": record}, ""), heatmap(pivot(summarise(frame, ["data.path", "training.alpha"])), "v")]
    for figure in drawn:
        png(figure)
        found = [text for axis in figure.axes for text in axis.findobj(Text) if "$" in text.get_text()]
        assert {text.get_text() for text in found} == {"$x^2$", "$y$"}
        assert not any(text.get_parse_math() for text in found)


def test_only_points_of_the_best_ones_classes_are_drawn(tmp_path, monkeypatch):
    records = {
        "one": write(point(tmp_path, "one", {"seed": 1}), ("ant", "bee")),
        "two": write(point(tmp_path, "two", {"seed": 2}), ("ant", "bee", "cat")),
    }
    seen = []
    monkeypatch.setattr(figures, "y_hat", lambda drawn: seen.append(list(drawn)) or b"")
    frame = pd.DataFrame({"seed": [1, 2], "validation_accuracy": [0.1, 0.2]})
    draw(pivot(summarise(frame, ["seed"])), "validation_accuracy", records, "two")
    assert seen == [["two"]]


def test_kernels_are_read_without_the_rest(tmp_path):
    record = write(point(tmp_path, "", {}), [str(j) for j in range(15)])
    for kernel, head in zip(record.kernels, record.heads, strict=True):
        np.testing.assert_array_equal(kernel, head.kernel)
