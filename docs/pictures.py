"""The report's pictures in the tutorial, taken anew: python docs/pictures.py experiments/digits/report.html

Needs Chromium, as the tests of the report do.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
# A view's section, and how much of it a page of the tutorial has room for.
VIEWS = {"grid": 420, "images": 560, "heads": 560}
# Around it, so that nothing stands at the edge.
MARGIN = 16


def main(report: Path) -> None:
    """Write report-<view>.png for each of VIEWS."""
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 900}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        for view, height in VIEWS.items():
            section = page.locator(f"#{view}")
            section.scroll_into_view_if_needed()
            page.wait_for_timeout(1000)
            box = section.bounding_box()
            assert box is not None
            top = box["y"] + page.evaluate("scrollY")
            clip = {"x": box["x"] - MARGIN, "y": top, "width": box["width"] + 2 * MARGIN, "height": min(height, box["height"])}
            picture = Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))
            # The rare colours, as of the signs A and B, count as much as those that fill the page.
            few = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            few.save(HERE / f"report-{view}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
