"""One report for all tests; every page is watched for messages and requests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.helpers.commands import run_in

Look = Callable[..., Page]


@pytest.fixture(scope="session")
def digits(tmp_path_factory) -> Path:
    """The folder of a real sweep with its report: 8 points of two kernel sizes, alphas and iterations."""
    place = tmp_path_factory.mktemp("digits")
    swept = ["model.kernel_size=3,5", "training.alpha=0.1,0.5", "training.iterations=60,300", "model.filters=2"]
    ended = run_in(place, "train", "-m", "name=small", *swept, f"paths.experiments={place}", "tracking=off")
    assert ended.returncode == 0, ended.stderr
    return place / "small"


@pytest.fixture
def look(browser: Browser) -> Iterator[Look]:
    """Open a report as a person without a network does. Whatever the page complains of or asks for fails the test."""
    contexts, complaints = [], []

    def opened(file: Path, fragment: str = "", whole: bool = True, **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, "offline": True, **options})
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.extend(_asked(request.url, file)))
        page.goto(file.as_uri() + fragment)
        if whole:
            # All views, as if one had scrolled through them.
            page.evaluate("() => { for (const view of views) show(view, place(view.id)); }")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _asked(url: str, file: Path) -> list[str]:
    return [] if url.startswith((file.as_uri(), "data:", "blob:")) else [url]
