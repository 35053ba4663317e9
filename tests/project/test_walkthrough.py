"""The teachers' notebook runs, and what stands in its file is what it computes."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.helpers.commands import ROOT
from tests.helpers.notebook import executed, pictures, read, texts

PATH = ROOT / "experiments" / "notebook" / "walkthrough.ipynb"


@pytest.fixture(scope="module")
def cells():
    """Code cells as the file has them, and as they are now."""
    kept = read(PATH)
    pairs = zip(kept["cells"], executed(kept)["cells"], strict=True)
    return [(before, now) for before, now in pairs if before["cell_type"] == "code"]


def test_its_texts_are_what_it_says_now(cells):
    assert len(cells) > 8 and all(before["execution_count"] == number for number, (before, _) in enumerate(cells, 1))
    for before, now in cells:
        assert texts(before) == texts(now)


def test_its_pictures_are_what_it_draws_now(cells):
    count = 0
    for before, now in cells:
        for kept, drawn in zip(pictures(before), pictures(now), strict=True):
            a, b = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), float) for png in (kept, drawn))
            assert a.shape == b.shape and np.abs(a - b).mean() < 1
            count += 1
    assert count == 4


def test_it_tells_the_story(cells):
    said = "\n".join(text for _, now in cells for text in texts(now))
    assert "False" not in said and said.count("True") == 7
    assert "dead heads: [1]" in said and "1 0.996861" in said
    scores = {line.split()[0]: max(map(float, line.split()[1:])) for line in said.splitlines()[-3:]}
    assert scores["exact"] > scores["notebook"] > scores["frozen"]


def test_each_cell_has_what_jupyter_asks_for():
    notebook = read(PATH)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    for cell in notebook["cells"]:
        wanted = {"id", "cell_type", "metadata", "source"} | (
            {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        )
        assert set(cell) == wanted
