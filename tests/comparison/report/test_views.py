"""The report in a browser: every number is the tables', everything is linked to A and B, everybody can use it."""

import json

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from pipeline.comparison.compare import compare
from pipeline.records.record import read_record
from tests.comparison.comparison_cases import point, write

KEYS = ["model.kernel_size", "training.alpha", "training.iterations"]


@pytest.fixture(scope="module")
def points(digits) -> pd.DataFrame:
    return pd.read_csv(digits / "points.csv")


@pytest.fixture(scope="module")
def vectors(digits, points) -> tuple[np.ndarray, np.ndarray]:
    """(points, n, C) of y_hat.csv and the targets (n,)."""
    table = pd.read_csv(digits / "y_hat.csv", dtype={"target": str})
    y_hat = table.drop(columns=["image", "target"]).to_numpy(float)
    return y_hat.reshape(len(table), len(points), 10).transpose(1, 0, 2), table["target"].astype(int).to_numpy()


def shown(value: float) -> str:
    """A number as the page writes it."""
    if float(value).is_integer():
        return str(int(value))
    return f"{value:.4f}" if abs(value) >= 0.001 else f"{value:.2e}"


def plain(text: str) -> str:
    return text.replace("−", "-")


def named(digits) -> list[str]:
    """The points' names, in the order of points.csv."""
    header = (digits / "y_hat.csv").read_text().partition("\n")[0].split(",")
    return [column.removesuffix(" y_hat_0") for column in header if column.endswith(" y_hat_0")]


def test_the_grid_holds_points_csv_and_stars_the_best(look, digits, points):
    page = look(digits / "report.html")
    for metric in ("validation_accuracy", "test_loss"):
        page.get_by_label("Metric", exact=True).select_option(metric)
        for number, row in points.iterrows():
            cell = page.locator(f'#grid [data-row="{number}"]')
            expect(cell.locator(".number")).to_contain_text(shown(row[metric]))
            here = page.locator(f'[data-row="{number}"]')
            title = page.locator("#grid figure", has=here).get_by_role("heading").text_content()
            line = page.locator("#grid tr", has=here).get_by_role("rowheader").text_content()
            assert (title, line) == (f"iterations {row[KEYS[2]]}", str(row[KEYS[0]]))
    best = json.loads((digits / "metrics.json").read_text())["best"]
    assert page.locator("#grid .star").count() == 1
    assert named(digits)[int(page.locator("#grid td", has=page.locator(".star")).get_attribute("data-row"))] == best


def test_cells_are_coloured_by_the_logarithm_of_their_error(look, digits, points):
    page = look(digits / "report.html")
    errors = 1 - points["validation_accuracy"]
    values = [1 - errors.min(), 1 - np.sqrt(errors.min() * errors.max()), 1 - errors.max()]
    colours = page.evaluate("(values) => values.map((value) => errorScale('validation_accuracy').colour(value))", values)
    assert colours == page.evaluate("[1, 0.5, 0].map(viridis)")


def test_a_and_b_are_chosen_by_click_key_and_address(look, digits):
    page = look(digits / "report.html")
    names = named(digits)
    chosen = "() => [nameOf(state.a), nameOf(state.b)]"
    best = json.loads((digits / "metrics.json").read_text())["best"]
    other = "3" if "kernel_size=5" in best else "5"
    # At first the best, and its neighbour in kernel size.
    assert page.evaluate(chosen) == [best, best.replace(f"kernel_size={8 - int(other)}", f"kernel_size={other}")]
    page.locator('#grid [data-row="3"]').click()
    page.locator('#grid [data-row="6"]').click(modifiers=["Shift"])
    assert page.evaluate(chosen) == [names[3], names[6]]
    page.locator('#grid [data-row="0"]').focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("b")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("a")
    cell = page.evaluate("document.activeElement.dataset.row")
    assert page.evaluate(chosen)[0] == names[int(cell)] and "kernel_size=5 alpha=0.5" in names[int(cell)]
    assert "kernel_size=3 alpha=0.5" in page.evaluate(chosen)[1]
    page.locator("#chosen-a").select_option(label=names[1])
    page.get_by_role("button", name="Swap A and B").click()
    a, b = page.evaluate(chosen)
    assert b == names[1]
    fragment = page.evaluate("location.hash")
    assert fragment.startswith("#a=kernel_size=3+alpha=0.5")
    assert look(digits / "report.html", fragment).evaluate(chosen) == [a, b]
    # A name that is gone falls back to the usual choice.
    assert look(digits / "report.html", "#a=gone&b=also+gone").evaluate(chosen)[0] == best


def test_the_points_table_sorts_filters_subtracts_and_is_copied(look, digits, points):
    page = look(digits / "report.html", permissions=["clipboard-read", "clipboard-write"])
    table = page.get_by_role("table", name="Points")
    order = "() => [...document.querySelectorAll('#points tbody tr')].map((row) => Number(row.dataset.line))"
    rising = points.sort_values("test_loss", kind="stable").index.tolist()
    table.get_by_role("button", name="test_loss").click()
    assert page.evaluate(order) == rising
    table.get_by_role("button", name="test_loss").click()
    assert page.evaluate(order) == rising[::-1]
    page.get_by_label("Filter").fill("alpha<0.5 model.kernel_size=3 iter")
    assert sorted(page.evaluate(order)) == points.query("`training.alpha` < 0.5 and `model.kernel_size` == 3").index.tolist()
    # What they share is no column any more.
    assert table.get_by_role("columnheader", name="alpha").count() == 0
    page.get_by_label("only what differs").uncheck()
    expect(table.get_by_role("columnheader", name="batch_size")).to_be_attached()
    # What the filter leaves out is faint in the grid.
    faded = page.locator("#grid .faded").evaluate_all("(cells) => cells.map((cell) => Number(cell.dataset.row)).sort()")
    assert faded == sorted(set(points.index) - set(page.evaluate(order)))
    page.get_by_label("Filter").fill("alhpa<0.5")
    expect(page.locator("#points").get_by_role("alert")).to_have_text("no setting or metric is called alhpa")
    page.get_by_label("Filter").fill("")
    page.get_by_label("only what differs").check()
    page.locator('#points [data-line="2"]').get_by_role("button", name="A: ").click()
    page.locator('#points [data-line="5"]').get_by_role("button", name="B: ").click()
    assert page.evaluate("[state.a, state.b]") == [2, 5]
    page.get_by_label("Numbers").select_option("less")
    less = points["test_loss"] - points["test_loss"][2]
    at = table.get_by_role("columnheader").all_text_contents().index("test_loss▼")
    cells = page.locator('#points [data-line="5"] > *').nth(at)
    assert plain(cells.text_content()).lstrip("+") == (f"{less[5]:.4f}" if abs(less[5]) >= 0.0001 else f"{less[5]:.2e}")
    page.get_by_role("button", name="Copy as CSV").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    header = lines[0].split(",")
    copied = pd.DataFrame([line.split(",") for line in lines[1:]], columns=header).astype(float)
    assert copied.to_numpy().tolist() == points.loc[rising[::-1], header].to_numpy(float).tolist()
    assert {*KEYS, "test_accuracy", "train_margin"} <= set(header)


def test_loss_curves_show_the_records_losses(look, digits):
    page = look(digits / "report.html", "#a=kernel_size=5+alpha=0.5+iterations=60&b=kernel_size=3+alpha=0.1+iterations=300")
    curves = page.locator("#curves")
    expect(curves.locator("path.faint")).to_have_count(2)
    assert curves.locator("path.line-a, path.line-b").count() == 2
    # A's curve ends where A does; what its longest point did later is dashed.
    lengths = [curves.locator(f"path.{which}").evaluate("(path) => path.getTotalLength()") for which in ("line-a", "after-a")]
    assert lengths[0] < lengths[1]
    for path in (digits / "points").glob("*/300"):
        record = read_record(path)
        settings = record.settings
        if (settings["model"]["kernel_size"], settings["training"]["alpha"]) == (3, 0.1):
            break
    # Early steps are single iterations, not smoothed.
    curves.get_by_label("Iteration to read").fill("0")
    expect(curves.locator("output")).to_contain_text(shown(record.losses[0].mean()))
    curves.get_by_label("Head").select_option("7")
    expect(curves.locator("output")).to_contain_text(shown(record.losses[0, 7]))
    assert page.evaluate("state.head") == 7
    before = curves.locator("path.line-b").get_attribute("d")
    curves.get_by_label("logarithmic loss").uncheck()
    expect(curves.locator("path.line-b")).not_to_have_attribute("d", before)
    curves.locator("path.faint").first.dispatch_event("click")
    assert "iterations=300" in page.evaluate("nameOf(state.a)")


def table_of(page, name: str, of: str | None) -> np.ndarray:
    label = f"{name} of {of.upper()}" if of else f"{name}, B − A"
    page.get_by_role("grid", name=label).wait_for()
    rows = page.get_by_role("grid", name=label).evaluate(
        "(table) => [...table.tBodies[0].rows].map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent))"
    )
    return np.array([[float(plain(text) or 0) for text in row] for row in rows])


def test_a_beside_b_counts_as_y_hat_csv_does(look, digits, points, vectors):
    y_hat, target = vectors
    page = look(digits / "report.html", "#a=kernel_size=3+alpha=0.1+iterations=300&b=kernel_size=5+alpha=0.5+iterations=300")
    places = page.evaluate("[state.a, state.b]")
    counts, means = [], []
    for of, place in zip("ab", places, strict=True):
        answer = y_hat[place].argmax(axis=1)
        counts.append(pd.crosstab(target, answer).reindex(index=range(10), columns=range(10), fill_value=0).to_numpy())
        assert np.array_equal(table_of(page, "Confusions", of), counts[-1])
        means.append(np.stack([y_hat[place][target == j].mean(axis=0) for j in range(10)]))
        # To the digits that are shown.
        assert np.abs(table_of(page, "Mean y-hat by target", of) - means[-1]).max() <= 0.00501
        sure = y_hat[place].max(axis=1)
        bins = np.minimum(np.floor(sure * 10), 9)
        ece = sum(abs(sure[bins == j].sum() - (answer == target)[bins == j].sum()) for j in range(10)) / len(target)
        legend = page.locator(".bins", has_text="Calibration").locator(f".legend span:has(> .mark-{of})")
        assert legend.text_content() == f"{of.upper()} {shown(ece)}"
        margin = page.locator(".bins", has_text="Margins").locator(f".legend span:has(> .mark-{of})")
        assert margin.text_content() == f"{of.upper()} {shown(points['test_margin'][place])}"
    assert np.array_equal(table_of(page, "Confusions", None), counts[1] - counts[0])
    metrics = page.get_by_role("table", name="Metrics")
    line = metrics.get_by_role("row", name="test_accuracy").locator("td").all_text_contents()
    a, b = points["test_accuracy"][places]
    assert [plain(text) for text in line] == [shown(a), shown(b), f"{b - a:+.4f}"]
    settings = page.get_by_role("table", name="Settings that differ").get_by_role("rowheader").all_text_contents()
    assert settings == ["model.kernel_size", "training.alpha"]


def test_cells_and_bins_choose_images(look, digits, vectors):
    y_hat, target = vectors
    page = look(digits / "report.html", "#a=kernel_size=3+alpha=0.1+iterations=300&b=kernel_size=5+alpha=0.5+iterations=300")
    a = page.evaluate("state.a")
    cell = page.get_by_role("grid", name="Confusions of A").locator("tbody tr").nth(8).locator("td").nth(1)
    cell.click()
    assert page.evaluate("state.set") == {"kind": "cell", "of": "a", "target": 8, "answer": 1}
    expect(cell).to_have_attribute("aria-selected", "true")
    assert "set=cell:a:8:1" in page.evaluate("location.hash")
    page.get_by_role("grid", name="Mean y-hat by target of B").locator("tbody tr").nth(4).locator("td").nth(2).press("Enter")
    assert page.evaluate("state.set") == {"kind": "class", "target": 4}
    margin = y_hat[a][np.arange(len(target)), target] - np.where(np.eye(10)[target] == 1, -1, y_hat[a]).max(axis=1)
    bars = page.locator(".bins", has_text="Margins").get_by_role("button", name="A: ")
    for bar in bars.all():
        chosen = json.loads(bar.get_attribute("data-set"))
        inside = (margin >= chosen["low"]) & ((margin < chosen["high"]) | (chosen["high"] == 1))
        assert bar.get_attribute("aria-label").startswith(f"A: {inside.sum()} image")
    bars.last.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("state.set").items() >= {"kind": "margin", "of": "a", "high": 1}.items()
    page.locator(".bins", has_text="Calibration").get_by_role("button", name="B: ").last.click()
    assert page.evaluate("state.set") == {"kind": "calibration", "of": "b", "low": 0.9, "high": 1}
    fragment = page.evaluate("location.hash")
    assert look(digits / "report.html", fragment).evaluate("state.set") == page.evaluate("state.set")
    # The images may be far below: a button goes there, and goes away.
    cell.click()
    page.get_by_role("button", name="Show these images").click()
    expect(page.locator("#images h2")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Show these images")).to_have_count(0)
    chosen = (target == 8) & (y_hat[a].argmax(axis=1) == 1)
    expect(page.locator("#images")).to_contain_text(f"{chosen.sum()} of {len(target)} images")


def test_agreement_is_y_hat_csvs_and_chooses_pairs(look, digits, vectors):
    y_hat, _ = vectors
    page = look(digits / "report.html")
    cell = page.locator('#agreement [data-pair="2,7"]')
    share = (y_hat[2].argmax(axis=1) == y_hat[7].argmax(axis=1)).mean()
    expect(cell).to_have_attribute("title", f"{named(digits)[2]} and {named(digits)[7]}: {shown(share)}")
    cell.click()
    assert page.evaluate("[state.a, state.b]") == [2, 7]
    page.get_by_label("Of each pair").select_option("distance")
    distance = np.linalg.norm(y_hat[2] - y_hat[7], axis=1).mean()
    expect(page.locator('#agreement [data-pair="2,7"]')).to_have_attribute(
        "title", f"{named(digits)[2]} and {named(digits)[7]}: {shown(distance)}"
    )


def test_repeats_are_means_with_their_spread(look, tmp_path):
    swept = ["seed", "training.alpha"]
    made = [point(tmp_path, f"seed={s} alpha={a}", {"seed": s, "training.alpha": a}) for s in (0, 1, 2) for a in (0.1, 0.5)]
    for number, each in enumerate(made):
        write(each, metrics={"validation_accuracy": 0.9 + number / 100})
    compare(made, tmp_path / "out", swept)
    summary = pd.read_csv(tmp_path / "out" / "summary.csv")
    page = look(tmp_path / "out" / "report.html", "#a=seed=2+alpha=0.5")
    for number, row in summary.iterrows():
        cell = page.locator(f'#grid [data-row="{number}"]')
        expect(cell.locator(".number")).to_contain_text(shown(row["validation_accuracy"]))
        assert cell.locator(".spread").text_content() == f"±{shown(row['validation_accuracy_std'])}"
    # B is of the seed that A has.
    page.locator('#grid [data-row="0"]').click(modifiers=["Shift"])
    assert page.evaluate("nameOf(state.b)") == "seed=2 alpha=0.1"


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 400)])
def test_everybody_can_use_it(look, digits, scheme, width):
    page = look(digits / "report.html", color_scheme="light", viewport={"width": width, "height": 900})
    if scheme == "dark":
        page.get_by_role("button", name="Light or dark").click()
    assert (page.evaluate("parseInt(getComputedStyle(document.body).backgroundColor.slice(4))") < 60) == (scheme == "dark")
    page.locator("#beside .bins").first.wait_for()
    page.locator("#agreement [data-pair]").first.wait_for()
    page.locator("#curves path.line-a").wait_for()
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found.response["violations"]] == []
    # Nothing is wider than the window.
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_is_unpacked_before_it_is_looked_at(look, digits):
    page = look(digits / "report.html", whole=False)
    page.locator("#grid td.value").first.wait_for()
    unpacked = page.evaluate("[...blocks.keys()]")
    assert not [name for name in unpacked if name.startswith(("y_hat-", "kernel-", "pictures"))]
    page.get_by_role("link", name="A beside B").click()
    page.get_by_role("grid", name="Confusions of A").wait_for()
    assert {f"y_hat-{page.evaluate('state.a')}", f"y_hat-{page.evaluate('state.b')}"} <= set(
        page.evaluate("[...blocks.keys()]")
    )
    # The fragment still says what is chosen, not where one is.
    assert "beside" not in page.evaluate("location.hash")
