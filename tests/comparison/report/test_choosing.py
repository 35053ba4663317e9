"""How points are chosen in the report: by lists that show all of a name, and by a filter."""

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("width", [1400, 1000, 700, 400])
def test_the_choosers_show_all_that_tells_points_apart(look, digits, width):
    page = look(digits / "report.html", viewport={"width": width, "height": 900})
    for which in "ab":
        needed = page.evaluate(
            "which => { const own = document.getElementById(`chosen-${which}`), all = own.cloneNode(true);"
            " all.style.cssText = 'flex: none; position: absolute'; own.parentElement.append(all);"
            " const widths = [own, all].map((one) => one.getBoundingClientRect().width); all.remove(); return widths; }",
            which,
        )
        assert needed[0] >= needed[1] - 1, (which, needed)


def test_the_filter_names_a_column_that_is_not_there(look, digits):
    page = look(digits / "report.html")
    for text, said in (
        ("foo=3", "no setting or metric is called foo"),
        ("foo<3", "no setting or metric is called foo"),
        ("a=0.5", ""),
    ):
        page.locator("#filter").fill(text)
        assert page.locator("#points .complaint").text_content() == said
    # A part of a name, `alpha=0.5`, is no column.
    expect(page.locator("#points tbody tr")).to_have_count(4)
