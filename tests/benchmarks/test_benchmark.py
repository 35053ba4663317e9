"""A tiny benchmark writes its files, also without torch and without Fashion-MNIST; and the bounds."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.base.errors import SettingsError
from pipeline.benchmarks import __main__ as benchmark
from pipeline.benchmarks import drawings, report, sections, sweeps, timing, torch_heads
from pipeline.benchmarks.bounds import bounds
from pipeline.benchmarks.jobs import Pictures
from pipeline.benchmarks.plan import QUICK
from pipeline.benchmarks.timing import Row

TINY = replace(
    QUICK, rounds=1, images=96, loops=3, numpy=300, batches=(32,), kernel_size=3, epoch_kernel_sizes=(5,),
    filters=(1,), peak_images=64, target_rounds=0,
    growth_images=64, growth=(("images", (32, 96)), ("kernel size", (3, 5))), accuracy_images=150, epochs=2, memory=(),
    sweeps=None,
)  # fmt: skip


def some_pictures(source: str) -> Pictures | str:
    """Few images of each kind, without reading Fashion-MNIST."""
    random, side = np.random.default_rng(0), {"digits": 8, "fashion_mnist": 28}[source]
    images = random.integers(0, 256, (200, side, side)).astype(np.uint8)
    labels = np.arange(200) % 10
    return Pictures(source, images[:150], labels[:150], images[150:], labels[150:], 255.0)


@pytest.fixture(scope="module", autouse=True)
def quick():
    """One call a turn, few images, and no torch."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(timing, "TURN_SECONDS", 0.0)
        patched.setattr(timing, "PAUSE_SECONDS", 0.0)
        patched.setattr(torch_heads, "missing", lambda: "torch is not installed")
        patched.setattr(sections, "pictures", some_pictures)
        yield


@pytest.fixture(scope="module")
def measured(quick, tmp_path_factory) -> tuple[Path, list[str]]:
    """The folder of a tiny run, and what it said."""
    folder, said = tmp_path_factory.mktemp("measured"), []
    benchmark.run(TINY, folder, said.append)
    return folder, said


def test_a_tiny_run_writes_table_figures_and_verdicts(measured):
    folder, said = measured
    table = pd.read_csv(folder / "results.csv")
    assert {"notebook", "digits", "Fashion-MNIST", "FMA peak", "growth", "time to accuracy"} == set(table["section"])
    timed = table[table["measurements"] > 0]
    assert (timed["min"] <= timed["median"]).all() and (timed["median"] <= timed["max"]).all() and (timed["min"] > 0).all()
    torch = table[table["contestant"].str.startswith("torch")]
    assert len(torch) and (torch["measurements"] == 0).all() and (torch["note"] == "torch is not installed").all()
    text = (folder / "README.md").read_text()
    assert "cores" in text and "## To reach" in text and "not measured" in text and "nan" not in text
    for name in ("contestants", "growth", "accuracy"):
        assert f"figures/{name}.png" in text
        with Image.open(folder / "figures" / f"{name}.png") as picture:
            assert picture.width > 300
    assert any(line.startswith("  plain loops") for line in said)


def test_without_fashion_mnist_the_rest_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(sections, "pictures", lambda name: "no such folder" if name == "fashion_mnist" else some_pictures(name))
    result = benchmark.run(TINY, tmp_path, lambda _: None)
    assert "Not measured: no such folder." in (tmp_path / "README.md").read_text()
    assert {row.section for row in result.rows} == {"notebook", "digits", "time to accuracy"}


def test_a_section_alone_keeps_the_rows_and_pictures_of_the_others(measured, tmp_path, monkeypatch):
    shutil.copytree(measured[0], tmp_path, dirs_exist_ok=True)
    before, picture = pd.read_csv(tmp_path / "results.csv"), (tmp_path / "figures" / "accuracy.png").read_bytes()
    rows = [Row(sweeps.SECTION, "job", "what", "s", (1.0, 4.0, 2.0), 0.5, "a note")]
    monkeypatch.setattr(sections.sweeps, "sweeps", lambda plan, say: rows)
    for _ in range(2):
        benchmark.run(TINY, tmp_path, lambda _: None, ["sweep"])
        after = pd.read_csv(tmp_path / "results.csv")
        pd.testing.assert_frame_equal(after[after["section"] != sweeps.SECTION], before)
        assert list(after["median"])[-1] == 2.0 and len(after) == len(before) + 1
    assert (tmp_path / "figures" / "accuracy.png").read_bytes() == picture
    text = (tmp_path / "README.md").read_text()
    assert "figures/accuracy.png" in text and f"- {sweeps.SECTION}: " in text and "- notebook, digits, " in text
    (tmp_path / "measured.csv").unlink()
    benchmark.run(TINY, tmp_path, lambda _: None, ["sweep"])
    assert report.UNKNOWN.machine in (tmp_path / "README.md").read_text()


def row(section: str, job: str, contestant: str, *values: float) -> Row:
    return Row(section, job, contestant, "s", values)


def test_bounds_take_the_smaller_of_two_ratios_and_name_what_is_missing():
    epoch = "epoch of 60,000 images, 10 heads, float32, k = 5, 1 filter"
    rows = [
        row("notebook", "7 heads x 500 iterations, float64, k = 3", "numba, 1 worker", 0.00518, 0.00518),
        row("Fashion-MNIST", epoch, "numba, 1 worker, batch 32", 0.19, 0.19),
        row("Fashion-MNIST", epoch, "numba, 2 workers, batch 32", 0.1, 0.1, 0.1),
        row("Fashion-MNIST", epoch, "torch, batch 32", 0.9, 2.0, 2.0),
        row("Fashion-MNIST", epoch, "torch.compile, batch 32", 0.8, 0.8, 0.8),
    ]
    found = {bound.what: bound for bound in bounds(rows)}
    notebook = next(bound for what, bound in found.items() if "k = 3" in what)
    assert notebook.reached and notebook.measured.startswith("5,000 times")
    assert found["Fashion-MNIST epoch, k = 5, 1 filter, against torch's best"].measured.startswith("8.0 times")
    assert found["the same without torch.compile, k = 5, 1 filter"].measured.startswith("9.0 times")
    assert found["Fashion-MNIST epoch, k = 5, 1 filter, two cores against one"].reached
    assert {bound.verdict for what, bound in found.items() if "8 filters" in what} == {"not measured"}


def test_every_figure_that_is_wanted_of_the_engine_is_held_against_its_row():
    digits = "epoch of 1,437 images, 10 heads, float32, k = 3, 1 filter"
    fashion = digits.replace("1,437", "60,000")
    rows = [
        row("digits", digits, "numba, 1 worker, batch 32", 0.00049), row("digits", digits, "torch, batch 128", 0.0045),
        row("digits", digits, "numba, 2 workers, batch 32", 0.0003), row("Fashion-MNIST", fashion, "NumPy, batch 32", 4.7),
        Row("FMA peak", "float32, k = 3, 10 heads, 8 filters", "numba, 1 worker", "%", (45.1,)),
        Row("FMA peak", "float32, k = 5, 10 heads, 8 filters", "numba, 1 worker", "%", (64.9,)),
    ]  # fmt: skip
    found = {bound.what: (bound.measured, bound.verdict) for bound in bounds(rows) if bound.reached is not None}
    assert found == {
        "digits epoch, 10 heads, k = 3, 1 worker": ("0.490 ms", "yes"),
        "the same, against torch's best": ("9.2 times (torch, batch 128: 4.50 ms; numba, 1 worker, batch 32: 0.490 ms)", "no"),
        "digits epoch, two cores against one": ("1.63 times (0.490 ms, 0.300 ms)", "no"),
        "Fashion-MNIST epoch, k = 3, 1 filter, NumPy engine": ("4.70 s", "no"),
        "share of a core's FMA peak, float32, k = 3, 10 heads, 8 filters": ("45.1 % (45.1 to 45.1)", "yes"),
        "share of a core's FMA peak, float32, k = 5, 10 heads, 8 filters": ("64.9 % (64.9 to 64.9)", "no"),
    }


def test_each_contestant_is_a_dot_at_its_times_ours_in_its_jobs_line():
    job, other = "7 heads x 500 iterations, float64, k = 3", "epoch of 1,437 images"
    rows = [
        row("notebook", job, "plain loops", 40.0), row("notebook", job, "numba, 1 worker", 0.01, 0.02, 0.04),
        row("notebook", job, "numba, 1 worker, exact gradient", 0.01), row("notebook", job, "torch, exact gradient", 0.2),
        row("digits", other, "numba, 2 workers, batch 128", 0.5), row("digits", other, "torch, batch 128", 1.0),
        row("digits", other, "torch, batch 32", 2.0), row("digits", other, "torch, a model a head, batch 32"),
    ]  # fmt: skip
    [axis] = drawings.contestants_figure(rows).axes
    assert [text.get_text() for text in axis.get_yticklabels()] == [f"digits: {other}", f"notebook: {job}"]
    assert axis.get_xscale() == "log"
    found = {}
    for container in axis.containers:
        dots, _, (bars,) = container.lines
        for x, y, (low, high) in zip(*dots.get_data(), (bar[:, 0] for bar in bars.get_segments()), strict=True):
            found[container.get_label(), dots.get_markerfacecolor() == "white", int(y)] = tuple(map(float, (x, low, high)))
    assert {key: pytest.approx(value) for key, value in found.items()} == {
        ("plain loops", False, 1): (2000, 2000, 2000), ("numba, 1 worker", False, 1): (1, 0.5, 2),
        ("torch", False, 1): (10, 10, 10), ("numba, 2 workers, batch 128", True, 0): (1, 1, 1),
        ("torch, batch 128", True, 0): (2, 2, 2), ("torch", False, 0): (4, 4, 4),
    }  # fmt: skip
    assert drawings.contestants_figure(rows[-1:]) is None


@pytest.mark.parametrize("words", [["--quik"], ["--only", "swep"], ["--only"]])
def test_a_wrong_word_is_one_line(words):
    with pytest.raises(SettingsError) as error:
        benchmark.main(words)
    assert len(error.value.faults) == 1 and words[-1] in error.value.faults[0] and "\n" not in error.value.faults[0]
