"""One point in words, held against its record and its neighbours."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.comparison import labels, portrait
from pipeline.comparison.select import Places, find_point, neighbours_of
from pipeline.comparison.terminal import Colours, kernel_lines
from tests.comparison.comparison_cases import grid, point, write

SWEPT = ["model.kernel_size", "training.alpha"]


@pytest.fixture(scope="module")
def siblings(tmp_path_factory) -> list:
    folder = tmp_path_factory.mktemp("experiments")
    for number, each in enumerate(grid(folder, (3, 5, 7), (0.1, 0.5), (4,))):
        write(each, ("ant", "bee", "cat"), range(30), metrics={"validation_accuracy": number / 10, "test_loss": 0.00002})
    return neighbours_of(find_point(["made", "kernel_size=5", "alpha=0.1"], Places(folder, lambda _: [])))


def one(siblings, size=5, alpha=0.1):
    return next(r for r in siblings if r.settings["model"]["kernel_size"] == size and r.settings["training"]["alpha"] == alpha)


def test_the_title_ranks_it(siblings):
    assert portrait.title_lines(one(siblings), siblings, SWEPT) == [
        "made: kernel_size=5 alpha=0.1", "validation_accuracy 0.2000: number 4 of 6 points",
    ]  # fmt: skip
    assert portrait.title_lines(one(siblings, 7, 0.5), siblings, SWEPT)[1] == "validation_accuracy 0.5000: the best of 6 points"
    assert portrait.title_lines(one(siblings), [one(siblings)], []) == ["made: kernel_size=5 alpha=0.1 iterations=4"]


def test_settings_that_differ_are_marked(siblings):
    lines = portrait.settings_lines(one(siblings), SWEPT)
    marked = [line.split()[1:] for line in lines if line.startswith("  *")]
    assert marked == [["model.kernel_size", "5"], ["training.alpha", "0.1"]]
    assert "     data.path            null" in lines


def test_neighbours_are_one_step_away(siblings):
    assert portrait.neighbour_lines(one(siblings), siblings, SWEPT) == [
        "neighbours: validation_accuracy if one setting were another",
        "  kernel_size  5    3: 0.0000 (-0.2000)    7: 0.4000 (+0.2000)",
        "  alpha        0.1  0.5: 0.3000 (+0.1000)",
    ]
    assert portrait.neighbour_lines(one(siblings), [one(siblings)], SWEPT) == []


def test_classes_are_written_as_a_terminal_can_whatever_fonts_pictures_have(siblings, monkeypatch):
    monkeypatch.setattr(labels, "font_of", lambda _: None)
    record = one(siblings)
    for head, name in zip(record.result.heads, ("猫", "a\x1b[2J", "é" * 300), strict=True):
        monkeypatch.setitem(head, "class", name)
    first = [line.split()[0] for line in portrait.head_lines(record)[2:5]]
    assert first == ["猫", "a\\x1b[2J", "é" * 12 + "…" + "é" * 11]


def test_blank_names_are_seen_and_columns_line_up_beside_wide_letters(tmp_path):
    record = write(point(tmp_path, "", {}), ("", " ", "猫も犬も", "ant"), range(4))
    assert [line.strip() for line in portrait.head_lines(record)[2:]] == ['""', '" "', "猫も犬も", "ant"]
    assert record.y_hat["target"].tolist() == ["", " ", "猫も犬も", "ant"]
    text = "\n".join(portrait.y_hat_lines(record)[1:])
    assert '" "' in text and "猫" in text
    # Their last column is set right, and these letters take two columns each.
    assert len({len(line) + sum(letter in "猫も犬" for letter in line) for line in text.split("\n")}) == 1
    [_, names, *_] = kernel_lines(record.kernels, record.classes, Colours.NONE, 80)
    assert names == '""        " "       猫も犬も  ant'


def test_metrics_a_split_and_heads_with_their_troubles(siblings):
    assert portrait.metric_lines(one(siblings))[1:4] == [
        "             train  validation      test",
        "  images        20           5        30",
        "  loss      0.2500           -  2.00e-05",
    ]
    record = one(siblings)
    for head, values in zip(record.result.heads, ((0.5, None, True), (0.25, None, False), (1.0, None, False)), strict=True):
        head |= dict(zip(("test_recall", "train_recall", "dead"), values, strict=True))
    assert portrait.head_lines(record) == [
        "heads", "  class  test_recall", "  ant         0.5000  dead", "  bee         0.2500", "  cat         1.0000",
    ]  # fmt: skip


def test_the_most_wrong_images_are_those_of_the_vectors(siblings):
    record = one(siblings)
    lines = portrait.y_hat_lines(record)
    frame = record.y_hat
    y = frame[[f"y_hat_{name}" for name in record.classes]].to_numpy()
    right = np.array([record.classes.index(target) for target in frame["target"]])
    own = y[np.arange(30), right]
    wrong = [i for i in range(30) if y[i].max() > own[i]]
    worst = sorted(wrong, key=lambda i: own[i] - y[i].max())[:5]
    assert lines[0] == f"y-hat: most wrong of {len(wrong)} wrong answers, 30 test images"
    assert [line.split()[0] for line in lines[2:]] == [str(frame["image"][i]) for i in worst]
    first = lines[2].split()
    assert first[1] == frame["target"][worst[0]] and first[3] == record.classes[int(y[worst[0]].argmax())]
    assert float(first[4]) == pytest.approx(y[worst[0]].max(), abs=1e-4)


def test_a_single_image_shows_target_beside_y_hat(tmp_path):
    lines = portrait.y_hat_lines(write(point(tmp_path, "", {}), images=[3]))
    assert lines[0] == "y-hat of the image" and lines[1].split() == ["class", "y", "y_hat"]
    assert [line.split()[:2] for line in lines[2:]] == [["ant", "0.0"], ["bee", "1.0"]]


def test_it_says_where_its_files_are(siblings):
    record = one(siblings)
    assert portrait.file_lines(record, siblings)[0] == f"files: {record.folder}"
    assert portrait.file_lines(record, siblings)[1].endswith("SHA256SUMS  provenance.json")
    assert all((Path(record.folder) / name).is_file() for name in portrait.file_lines(record, siblings)[1].split())
