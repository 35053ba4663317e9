"""Images and heads in a browser: chosen sets are those that y_hat.csv holds, and heads say what the record says."""

import re

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

from pipeline.comparison.compare import report, side_by_side
from pipeline.data.dataset import build
from pipeline.heads.head import Head
from pipeline.heads.numpy_engine import logits
from pipeline.records.record import read_record
from tests.comparison.comparison_cases import ODD_NAMES, point, write

SETS = {
    "right in A, wrong in B": lambda a, b, t: (a == t) & (b != t),
    "right in B, wrong in A": lambda a, b, t: (b == t) & (a != t),
    "A and B disagree": lambda a, b, t: a != b,
    "both wrong": lambda a, b, t: (a != t) & (b != t),
    "of class 3": lambda a, b, t: t == 3,
    "all images": lambda a, b, t: t >= 0,
}


@pytest.fixture(scope="module")
def joined(digits):
    """image (n,), target (n,), y_hat (points, n, 10) of y_hat.csv."""
    table = pd.read_csv(digits / "y_hat.csv")
    y_hat = table.drop(columns=["image", "target"]).to_numpy(float).reshape(len(table), -1, 10).transpose(1, 0, 2)
    return table["image"].to_numpy(), table["target"].to_numpy(), y_hat


def shown(value):
    return f"{value:.4f}" if value >= 0.001 else f"{value:.2e}"


def texts(place):
    """As Python writes numbers."""
    return [re.sub(r"e-(\d)$", r"e-0\1", text.replace("−", "-")) for text in place.all_text_contents()]


def many(folder, count=10_000, points=2, classes=("ant", "bee", "cat")):
    """A page of made-up points of many images."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (count, 4, 5), np.uint8)
    dataset = build("made", images, np.arange(count) % len(classes), np.full(count, 2, np.uint8), 255.0, classes)
    made = [point(folder, f"alpha={n}", {"training.alpha": float(n + 1), "training.iterations": 4 + n}) for n in range(points)]
    records = {each.name: write(each, classes, images=range(count)) for each in made}
    found = side_by_side(records, [[n] for n in range(points)], ["training.alpha"])
    file = folder / "report.html"
    file.write_bytes(report("many", found, {each.name: dataset for each in made}, folder))
    return file


def test_chosen_sets_are_those_of_y_hat_csv_furthest_apart_first(look, digits, joined):
    page = look(digits / "report.html")
    image, target, y_hat = joined
    a, b = page.evaluate("[state.a, state.b]")
    apart = np.linalg.norm(y_hat[a] - y_hat[b], axis=1)
    for name, chosen in SETS.items():
        page.locator("#image-set").select_option(label=name)
        rows = np.flatnonzero(chosen(y_hat[a].argmax(axis=1), y_hat[b].argmax(axis=1), target))
        expect(page.locator("#images [role=status]")).to_have_text(f"{len(rows)} of 360 images: {name}.")
        rows = rows[np.argsort(-apart[rows], kind="stable")]
        cards = page.locator("#images .cards:not(.pinned) > li")
        assert cards.count() == min(len(rows), 48)
        numbers = [int(re.search(r"image (\d+)", text)[1]) for text in texts(cards)]
        np.testing.assert_allclose(apart[np.searchsorted(image, numbers)], apart[rows[:48]], atol=1e-6)
    first = page.locator("#images .cards:not(.pinned) > li").first
    row = int(first.get_attribute("data-image"))
    wanted = np.stack([y_hat[a][row], y_hat[b][row]], axis=1).ravel()
    assert texts(first.locator(".y-number")) == [shown(value) for value in wanted]
    bars = first.locator(".y-bar").evaluate_all("all => all.map((bar) => bar.clientWidth / bar.parentElement.clientWidth)")
    np.testing.assert_allclose(bars, wanted, atol=0.03)
    # The picture is the data's: what its canvas shows, and no other.
    pixels = first.locator("canvas").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, 8, 8).data].filter((_, i) => i % 4 == 0)"
    )
    stored = page.evaluate(f"pictureOf({row}).then(({{ data }}) => [...data])")
    assert pixels == [round(255 * value / 16) for value in stored]


def test_a_cell_of_the_confusions_and_a_bin_of_the_margins_choose_their_images(look, digits, joined):
    page = look(digits / "report.html")
    _, target, y_hat = joined
    a = page.evaluate("state.a")
    page.evaluate("choose({ set: { kind: 'cell', of: 'a', target: 8, answer: 1 } })")
    count = int(((target == 8) & (y_hat[a].argmax(axis=1) == 1)).sum())
    expect(page.locator("#images [role=status]")).to_have_text(f"{count} of 360 images: target 8, answered 1 by A.")
    right = y_hat[a][np.arange(360), target]
    others = np.where(np.arange(10) == target[:, None], -np.inf, y_hat[a]).max(axis=1)
    page.evaluate("choose({ set: { kind: 'margin', of: 'a', low: -0.1, high: 0 } })")
    count = int(((right - others >= -0.1) & (right - others < 0)).sum())
    expect(page.locator("#images [role=status]")).to_contain_text(f"{count} of 360 images: A's margin from −0.1 to 0.")


def test_ten_thousand_images_are_paged_by_keyboard_and_pinned_ones_stay(look, tmp_path):
    page = look(many(tmp_path))
    page.locator("#image-set").select_option(label="all images")
    page.get_by_label(re.compile("^sorted by")).select_option(label="image number")
    cards = page.locator("#images .cards:not(.pinned) > li")
    assert texts(cards.locator(".about .soft").first) == ["image 0"]
    page.get_by_role("button", name="Next page").press("Enter")
    assert "image 48" in cards.first.text_content()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Next page"
    cards.nth(47).locator(".look").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Image 96: see what the heads see"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Image 95: see what the heads see"
    cards.nth(47).get_by_role("button", name="Pin").press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Pinned"
    assert page.locator("#images .cards:not(.pinned) button[tabindex='0']").count() == 2
    page.locator("#images .pages input").fill("209")
    page.keyboard.press("Tab")
    assert (cards.count(), "image 9999" in cards.last.text_content()) == (16, True)
    firsts = page.evaluate("""() => [1, 20, 40, 60, 100, 140, 180, 208].map((number) => {
        const field = document.querySelector("#images .pages input");
        field.value = String(number);
        field.dispatchEvent(new Event("change"));
        return Number(document.querySelector("#images .cards:not(.pinned) [data-image]").dataset.image);
    })""")
    assert firsts == [48 * (number - 1) for number in (1, 20, 40, 60, 100, 140, 180, 208)]
    page.locator("#image-set").select_option(label="both wrong")
    assert page.locator("#images .pinned > li").get_attribute("data-image") == "95"
    page.locator("#images .pinned").get_by_role("button", name="Pinned").click()
    expect(page.locator("#images .pinned > li")).to_have_count(0)


def test_an_image_is_chosen_for_heads_and_points_and_stands_in_the_address(look, digits, joined):
    page = look(digits / "report.html")
    image, target, y_hat = joined
    card = page.locator("#images .cards:not(.pinned) > li").nth(1)
    row = int(card.get_attribute("data-image"))
    card.locator(".look").click()
    assert f"image={row}" in page.evaluate("location.hash")
    expect(card.locator(".look")).to_have_attribute("aria-pressed", "true")
    for view in ("#heads .looked", "#single .looked"):
        expect(page.locator(view)).to_contain_text(f"Image {image[row]}, target {target[row]}")
    lines = page.locator("#single tbody tr[data-point]")
    for number in range(8):
        assert texts(lines.nth(number).locator("td"))[:10] == [shown(value) for value in y_hat[number][row]]
    # Two points of A's trajectory: its curve of the right class goes from one to the other.
    path = page.locator("#single .history-a path").get_attribute("d")
    places = [float(number) for number in re.findall(r" ([\d.]+)", path)]
    a = page.evaluate("historyOf(state.a)")
    box = page.evaluate("[HISTORY_BOX.bottom, HISTORY_BOX.top]")
    wanted = [box[0] + (box[1] - box[0]) * y_hat[number][row][target[row]] for number in a]
    np.testing.assert_allclose(places, wanted, atol=0.06)
    lines.nth(5).focus()
    page.keyboard.press("b")
    assert page.evaluate("state.b") == 5


def test_heads_say_what_the_record_says_and_show_its_kernels(look, digits, joined):
    page = look(digits / "report.html")
    _, _, y_hat = joined
    found = page.evaluate("""async () => Promise.all([0, 5].map(async (index) => {
        const heads = await headsOf(index);
        return Promise.all([0, 7, 359].map(async (row) => {
            const image = await pictureOf(row);
            return head.classes.map((_, j) => see(heads, j, image, point(index).scale).y_hat);
        }));
    }))""")
    np.testing.assert_allclose(found, y_hat[[0, 5]][:, [0, 7, 359]], atol=1e-5)
    assert float(page.locator("#heads [data-apart]").get_attribute("data-apart")) < 1e-5
    page.locator("#heads").get_by_role("button", name="4", exact=True).first.click()
    expect(page.locator("#heads")).to_contain_text("Head 4 closely")
    record = read_record(digits / page.evaluate("point(state.a).record"))
    page.locator("#heads summary").first.click()
    taps = texts(page.locator('#heads table[aria-label="kernel 2 of head 4, A"] td'))
    np.testing.assert_allclose([float(text) for text in taps], record.heads[4].kernel[1].ravel(), atol=0.006)
    labels = page.locator("#heads .learnt canvas[role=img]").evaluate_all("all => all.map((c) => c.getAttribute('aria-label'))")
    assert {"kernel of head 4, A", "kernel of head 4, B less A", "weights of head 4, B"} <= set(labels)
    assert len(labels) == len(set(labels)) == 10 * 6 + 10 * 6


def test_the_difference_of_kernels_is_drawn_on_their_scale_and_dead_heads_are_named(look, digits, tmp_path):
    file = tmp_path / "report.html"
    text = (digits / "report.html").read_text()
    file.write_text(text.replace('"dead":false', '"dead":true').replace('"saturated":false', '"saturated":true', 1))
    page = look(file)
    assert page.locator("#heads .learnt").first.get_by_text("dead in A").count() == 10
    colours = page.evaluate("""() => {
        const a = { data: Float32Array.of(1, -2, 0.5, 0), height: 2, width: 2 };
        const b = { data: Float32Array.of(2, 2, 0.5, 1), height: 2, width: 2 };
        const less = lessMatrix(b, a);
        const limit = largest([a], [b], [less]);
        const drawn = matrixCanvas([less], signedColour(limit), 40, "x").getContext("2d").getImageData(0, 0, 2, 1);
        return [[...less.data], limit, [...drawn.data]];
    }""")
    assert colours == [[1, 4, 0, 1], 4, [251, 206, 182, 255, 103, 0, 31, 255]]
    small = page.evaluate("""() => {
        const one = { data: Float32Array.of(5), height: 1, width: 1 };
        return [...lessMatrix(one, { data: new Float32Array(9).fill(1), height: 3, width: 3 }).data];
    }""")
    assert small == [-1, -1, -1, -1, 4, -1, -1, -1, -1]


@pytest.mark.parametrize(("shape", "size", "filters"), [((9, 7), 3, 8), ((4, 6), 7, 1), ((5, 5), 5, 3)])
def test_the_pages_forward_pass_is_the_engines(look, digits, shape, size, filters):
    page = look(digits / "report.html", whole=False)
    random = np.random.default_rng(0)
    pooled = (filters, shape[0] // 2, shape[1] // 2)
    parts = [random.normal(size=(filters, size, size)), random.normal(size=filters), random.normal(size=pooled), np.array(0.3)]
    image = random.uniform(-1, 1, shape)
    [[wanted]] = logits([Head(*parts)], image[None], 1.0)
    # A kernel of its own size, and the same in the middle of a larger one.
    for extra in (0, 1):
        kernel = np.pad(parts[0], ((0, 0), (extra, extra), (extra, extra)), constant_values=np.nan)
        arrays = [kernel, *parts[1:]]
        blocks = [{"shape": [1, *a.shape], "data": [None if np.isnan(x) else x for x in np.ravel(a).tolist()]} for a in arrays]
        found = page.evaluate(
            """([blocks, image, height, width]) => {
                const numbers = ({ shape, data }) => ({ shape, data: Float64Array.from(data, (x) => x ?? NaN) });
                const [kernel, bias, weights, bias_flat] = blocks.map(numbers);
                return see({ kernel, bias, weights, bias_flat }, 0, { data: Float64Array.from(image), height, width }, 1).logit;
            }""",
            [blocks, image.ravel().tolist(), *shape],
        )
        assert found == pytest.approx(wanted, abs=1e-9)


def test_one_image_is_shown_to_six_decimals_beside_its_target(look, tmp_path):
    page = look(many(tmp_path, count=1, classes=("ant", "bee", "cat")))
    record = read_record(tmp_path / page.evaluate("point(1).record"))
    assert texts(page.locator("#single .target-row td"))[:3] == ["1", "0", "0"]
    wanted = record.y_hat.iloc[0, 2:].astype(float)
    cells = texts(page.locator('#single tr[data-point="1"] td'))[:3]
    assert cells == [f"{value:.6f}" if value >= 0.001 else f"{value:.2e}" for value in wanted]
    expect(page.locator("#images [role=status]")).to_have_text("There is one image.")


def test_images_that_one_point_lacks_and_names_of_any_kind_are_shown(look, tmp_path):
    names = tuple(sorted([*ODD_NAMES, "</script><img src=x onerror=alert(1)>", *(f"class {n:02d}" for n in range(40))]))
    made = [point(tmp_path, f"seed={n}", {"seed": n}) for n in range(2)]
    records = {each.name: write(each, names, images=range(100 * n, 100 * n + 150)) for n, each in enumerate(made)}
    images, labels = np.linspace(-1, 1, 250 * 20).reshape(250, 4, 5), np.arange(250) % len(names)
    dataset = build("made", images, labels, np.full(250, 2, np.uint8), 1.0, names)
    found = side_by_side(records, [[n] for n in range(2)], ["seed"])
    (tmp_path / "report.html").write_bytes(report("odd", found, {each.name: dataset for each in made}, tmp_path))
    page = look(tmp_path / "report.html")
    page.evaluate("choose({ a: 0, b: 1, set: { kind: 'all' } })")
    expect(page.locator("#images [role=status]")).to_have_text("250 of 250 images: all images.")
    image = page.locator("#images .cards:not(.pinned) > li").evaluate_all("all => all.map((one) => Number(one.dataset.image))")
    assert all(100 <= number < 150 for number in image)
    page.evaluate("choose({ set: { kind: 'disagree' } })")
    a, b = (record.y_hat.iloc[:, 2:].to_numpy().argmax(axis=1) for record in records.values())
    expect(page.locator("#images [role=status]")).to_contain_text(f"{(a[100:] != b[:50]).sum()} of 250 images")
    page.evaluate("choose({ image: 0 })")
    assert texts(page.locator('#single tr[data-point="1"] td'))[:3] == ["–"] * 3
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200
