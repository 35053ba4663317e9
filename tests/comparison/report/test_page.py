"""The report as a file: packed, the same bytes, and deaf to what names say."""

import base64
import gzip
import re

import numpy as np
import pytest

from pipeline.comparison.report.page import head_json, page
from pipeline.comparison.report.payload import Payload

HOSTILE = "</script><script>window.taken = 1</script><img src=x onerror='window.taken = 2'> & \u2028 %%BLOCKS%%"


def hostile_payload() -> Payload:
    """Two points whose names, classes and settings would run a script in a careless page."""
    names = [f"{HOSTILE} {number}" for number in range(2)]
    points = [
        {
            "name": name, "values": [name], "settings": {"data.path": name, HOSTILE: HOSTILE}, "metrics": {HOSTILE: number / 2},
            "heads": [{"class": HOSTILE, "train_loss": 0.25, "dead": True, "saturated": False}], "record": HOSTILE,
            "trajectory": str(number), "iterations": 3, "row": number, "vectors": True, "kernels": False,
        }
        for number, name in enumerate(names)
    ]  # fmt: skip
    head = {
        "title": HOSTILE, "keys": ["data.path"], "short": {"data.path": HOSTILE}, "repeats": [], "best": 1,
        "axes": {"down": "data.path", "across": None, "pages": []}, "metric": HOSTILE, "metrics": [HOSTILE],
        "classes": [HOSTILE, "b"], "points": points, "left_out": [HOSTILE],
        "images": {"split": HOSTILE, "count": 3, "pictures": 0},
        "rows": [{"values": [n], "means": {HOSTILE: i / 2}, "deviations": {}, "points": [i]} for i, n in enumerate(names)],
    }  # fmt: skip
    blocks = {
        "image": np.arange(3, dtype=np.int32),
        "target": np.array([0, 1, 1], np.uint8),
        "agreement": np.array([[1, 0.5], [0.5, 1]], np.float32),
        "distance": np.array([[0, 0.25], [0.25, 0]], np.float32),
    }
    for number in range(2):
        blocks[f"y_hat-{number}"] = np.array([[0.9, 0.2], [0.1, 0.7], [0.6, 0.4]], np.float32)
        blocks[f"steps-{number}"] = np.array([1, 3], np.int32)
        blocks[f"losses-{number}"] = np.full((2, 2), 0.5 - number / 4, np.float32)
    return Payload(head, blocks)


def test_the_same_payload_gives_the_same_bytes_without_an_address():
    made = page(hostile_payload())
    assert page(hostile_payload()) == made
    assert set(re.findall(rb"https?://[^\"' ]+", made)) == {b"http://www.w3.org/2000/svg"}


def test_blocks_come_back_to_the_bit():
    payload = hostile_payload()
    made = page(payload).decode()
    for name, array in payload.blocks.items():
        [(dtype, shape, packing, text)] = re.findall(
            rf'id="block-{name}" data-dtype="(\w+)" data-shape="([\d,]+)"( data-packing="shuffle")?>([^<]*)<', made
        )
        content = np.frombuffer(gzip.decompress(base64.b64decode(text)), np.uint8)
        plain = content.reshape(array.itemsize, -1).T.tobytes() if packing else content.tobytes()
        assert np.array_equal(np.frombuffer(plain, dtype).reshape([*map(int, shape.split(","))]), array)


def test_the_head_ends_no_script():
    assert not re.search("[<>&\u2028\u2029]", head_json({HOSTILE: HOSTILE}))
    with pytest.raises(ValueError, match="Out of range float"):
        head_json({"loss": float("nan")})


def test_hostile_names_are_shown_and_run_nothing(look, tmp_path):
    file = tmp_path / "report.html"
    file.write_bytes(page(hostile_payload()))
    seen = look(file)
    assert seen.title().startswith("</script><script>window.taken")
    assert seen.locator("h1").text_content() == HOSTILE
    seen.locator("#beside [data-set]").first.wait_for()
    seen.locator("#agreement [data-pair]").first.click()
    assert HOSTILE in seen.locator("#points thead").text_content()
    assert HOSTILE in seen.locator("#beside").text_content()
    assert seen.locator("footer p").text_content() == HOSTILE
    assert seen.evaluate("window.taken") is None
    assert seen.locator("img").count() == 0
    # What names say also survives the address.
    again = look(file, seen.evaluate("location.hash"))
    assert again.evaluate("[state.a, state.b, window.taken]") == [0, 1, None]


def test_the_browser_unpacks_what_python_packed(look, tmp_path):
    random = np.random.default_rng(0)
    arrays = {
        "floats": random.normal(size=(7, 3)).astype(np.float32), "counts": random.integers(-9, 9, (4, 2)).astype(np.int32),
        "bytes": random.integers(0, 255, (2, 2, 5)).astype(np.uint8), "one": np.array([0.5], np.float32),
    }  # fmt: skip
    payload = hostile_payload()
    file = tmp_path / "report.html"
    file.write_bytes(page(Payload(payload.head, {**payload.blocks, **arrays})))
    seen = look(file)
    for name, array in arrays.items():
        found = seen.evaluate("async (name) => { const { shape, data } = await block(name); return [shape, [...data]]; }", name)
        assert found == [list(array.shape), array.ravel().tolist()]
