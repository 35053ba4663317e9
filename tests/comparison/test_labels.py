"""Names, numbers and colours as pictures bear them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colormaps

from pipeline.comparison import labels
from pipeline.comparison.figures.colours import BLACK, WHITE, coloured, ink, ordered, red_blue, viridis
from pipeline.comparison.figures.paper import blank, write
from pipeline.comparison.figures.scales import ERROR, LINEAR, LOG, LOGIT, Scale, error_scale, logit_scale, spread
from pipeline.comparison.labels import column_width, heading, label, one_line, own_font, runs, widest


def test_labels_are_printable_short_and_keep_both_ends():
    assert [label(name) for name in ("plain", "$\\frac{", "a\tb", "é Ж")] == ["plain", "$\\frac{", "a\\tb", "é Ж"]
    assert label("\udc80") == "\\udc80"
    cut = label("start" + "x" * 300 + "end", 20)
    assert (len(cut), cut[:5], cut[-3:]) == (20, "start", "end")


def test_a_blank_name_is_seen_by_its_quotes_and_a_heading_may_be_none():
    assert [label(name) for name in ("", " ", "  ", " a ")] == ['""', '" "', '"  "', " a "]
    assert [one_line(name) for name in ("", " ", "\t", " a ")] == ['""', '" "', "\\t", " a "] and heading("") == ""
    assert len(label(" " * 300, 20)) == 20


@pytest.fixture
def fonts(tmp_path, monkeypatch):
    """A machine whose fonts are those of this folder."""
    monkeypatch.setattr(labels, "FONT_FOLDERS", (str(tmp_path),))
    kept = (labels.machine_fonts, labels.font_of)
    [each.cache_clear() for each in kept]
    yield tmp_path
    [each.cache_clear() for each in kept]


def test_a_letter_that_no_font_has_is_its_code(fonts):
    (fonts / "broken.ttf").write_text("no font")
    assert label("cat 猫") == "cat \\u732b"


def test_a_letter_that_a_font_of_the_machine_has_is_drawn_with_that(fonts):
    stix = Path(own_font()).with_name("STIXNonUni.ttf")
    private = map(chr, range(0xE000, 0xE400))
    letter = next(c for c in private if not labels.has_glyph(None, c) and labels.has_glyph(str(stix), c))
    shutil.copy(stix, fonts / "some.ttf")
    assert runs(f"a{letter}b") == [(None, "a"), (str(fonts / "some.ttf"), letter), (None, "b")]
    canvas = blank(100, 30)
    write(canvas, (50, 15), f"a{letter}b", 12, "mm")
    columns = np.flatnonzero((np.asarray(canvas) < 128).any(axis=(0, 2)))
    assert abs(columns.min() + columns.max() - 100) <= 4
    assert columns.max() - columns.min() <= widest([f"a{letter}b"], 12)


def test_columns_are_as_wide_as_their_names_or_the_names_stand_upright():
    names = ["Ankle boot", "Bag"]
    assert column_width(names, 11, 2, 20) == (widest(names, 11) + 8, False)
    assert column_width(names, 11, 2, 200) == (200, False)
    assert column_width(names, 11, 30, 20) == (20, True)


@pytest.mark.parametrize(("table", "name"), [(red_blue, "RdBu_r"), (viridis, "viridis")])
def test_the_colours_are_matplotlibs(table, name):
    theirs = colormaps[name](np.arange(256), bytes=True)[:, :3].astype(int)
    assert np.abs(table().astype(int) - theirs).max() <= (1 if name == "RdBu_r" else 8)


def test_a_value_has_the_colour_of_its_place_and_none_is_white():
    shades = np.arange(768, dtype=np.uint8).reshape(256, 3)
    found = coloured(np.array([-1.0, 0.0, 1.0, np.nan, 5.0]), -1.0, 1.0, shades)
    assert found.tolist() == [shades[0].tolist(), shades[128].tolist(), shades[255].tolist(), [*WHITE], shades[255].tolist()]


def test_lines_and_letters_can_be_read_on_what_is_below_them():
    for count in (1, 3, 7):
        lightness = [0.299 * r + 0.587 * g + 0.114 * b for r, g, b in ordered(count)]
        assert lightness == sorted(lightness) and lightness[-1] < 175
    assert (ink(viridis()[0]), ink(viridis()[255])) == (WHITE, BLACK)


@pytest.mark.parametrize(
    ("scale", "texts"),
    [
        (Scale(0, 10, LINEAR), ["0", "2", "4", "6", "8", "10"]),
        (Scale(0.09, 12, LOG), ["0.1", "0.2", "0.5", "1", "2", "5", "10"]),
        (Scale(1e-6, 1.5, LOG), ["0.000001", "0.00001", "0.0001", "0.001", "0.01", "0.1", "1"]),
        (Scale(0.3, 0.995, ERROR), ["0.5", "0.8", "0.9", "0.95", "0.98", "0.99", "0.995"]),
        (Scale(0.001, 0.999, LOGIT), ["0.001", "0.01", "0.1", "0.5", "0.9", "0.99", "0.999"]),
        (Scale(0.501, 0.502, ERROR), ["0.501", "0.5012", "0.5014", "0.5016", "0.5018", "0.502"]),
    ],
)
def test_ticks_are_round_numbers_in_their_order(scale, texts):
    ticks = scale.ticks()
    assert [text for _, text in ticks] == texts
    places = scale.place([value for value, _ in ticks])
    assert (np.diff(places) > 0).all() and places.min() >= 0 and places.max() <= 1


def test_scales_hold_all_values_but_a_few():
    assert error_scale([]).low < error_scale([]).high
    assert error_scale([0.5, 1.0]).place([0.5, 1.0]).tolist() == [0, 1]
    assert [logit_scale(np.full(10, v)).low for v in (0.5, 0.002, 0.00001)] == [0.01, 0.001, 0.0001]
    assert np.isnan(Scale(0.01, 0.99, LOGIT).place([np.nan])).all()


def test_labels_at_one_place_are_moved_apart_and_stay_inside():
    found = spread([50, 50, 51, 10], 12, 0, 100)
    assert found[3] == 10
    assert np.diff(sorted(found)).min() >= 12 - 1e-3 and found[0] < found[1] < found[2]
    assert spread([0, 0, 100], 12, 6, 94) == pytest.approx([6, 18, 94], abs=6)
