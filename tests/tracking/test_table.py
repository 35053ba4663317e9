"""The y-hat table that MLflow's pages put side by side."""

from types import SimpleNamespace

import pandas as pd

from pipeline.tracking.log import _table


def test_output_names_the_likeliest_classes_and_the_target():
    y_hat = pd.DataFrame({"image": [7, 9], "target": ["b", "a"], "y_hat_a": [0.25, 0.5], "y_hat_b": [0.75, 0.5]})
    table = _table(SimpleNamespace(y_hat=y_hat, classes=["a", "b"]))
    # The pages group by the first column and compare the one called output.
    assert list(table) == ["image", "target", "y_hat_a", "y_hat_b", "output"]
    assert table["output"].tolist() == ["b=0.7500 (target), a=0.2500", "a=0.5000 (target), b=0.5000"]


def test_many_images_and_classes_are_cut():
    classes = [str(number) for number in range(30)]
    values = {f"y_hat_{name}": [number / 100] * 600 for number, name in enumerate(classes)}
    table = _table(SimpleNamespace(y_hat=pd.DataFrame({"image": range(600), "target": "0"} | values), classes=classes))
    assert len(table) == 500
    assert table["output"][0].split(", ")[0] == "29=0.2900"
    assert len(table["output"][0].split(", ")) == 10
