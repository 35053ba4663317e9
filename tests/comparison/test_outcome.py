"""What a single point says: letter by letter what pandas prints, without pandas."""

import subprocess
import sys

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.comparison.outcome import _decimals, outcome
from tests.comparison.comparison_cases import point, write

PROBABILITIES = st.floats(0, 1) | st.sampled_from([0.0, 1.0, 0.5, 1e-6, 9.99e-7, 0.9999999, 0.1234565])


@given(st.lists(PROBABILITIES, min_size=1, max_size=12))
def test_numbers_look_as_pandas_prints_them(values):
    expected = pd.Series(values, name="y_hat").to_frame().to_string(index=False, header=False).splitlines()
    assert [text.strip() for text in _decimals(values)] == [line.strip() for line in expected]


@pytest.mark.parametrize("classes", [("0", "1", "2"), ("a longer name", "é", "中 文")])
def test_one_image_shows_target_beside_y_hat(tmp_path, classes):
    record = write(point(tmp_path, "", {}), classes, images=[4])
    vector = record.y_hat.iloc[0]
    rows = [(name, float(name == vector["target"]), vector[f"y_hat_{name}"]) for name in classes]
    with pd.option_context("display.unicode.east_asian_width", True):
        assert outcome(record) == pd.DataFrame(rows, columns=["class", "y", "y_hat"]).to_string(index=False)
    assert outcome(record).splitlines()[2].split()[-2] == "1.0"


def test_many_images_show_the_metrics(tmp_path):
    lines = outcome(write(point(tmp_path, "", {}), metrics={"train_loss": 0.0000123, "test_accuracy": 0.0})).splitlines()
    assert lines[:3] == ["train_loss           1.23e-05", "validation_accuracy  0.5000", "test_accuracy        0.0000"]
    assert lines[3] == "dead_heads           0"
    assert len(lines) == 4


@pytest.mark.slow
@pytest.mark.parametrize("module", ["outcome", "figures.mosaic", "vectors", "axes"])
def test_what_must_be_quick_imports_neither_pandas_nor_matplotlib(module):
    code = f"import pipeline.comparison.{module}, sys; print(sorted({{'pandas', 'matplotlib', 'mlflow'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
