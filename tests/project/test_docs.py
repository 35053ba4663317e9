"""The documentation site: it builds without a warning, and nothing in it is fetched when it is read."""

import re
import subprocess
import sys

import pytest

from tests.helpers.commands import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    words = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "--keep-going",
        "-d",
        str(folder / "trees"),
        "docs",
        str(folder / "site"),
    ]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    return folder / "site"


def test_nothing_is_fetched_and_every_link_leads_somewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for address in re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="([^"]+)"', text):
            assert not re.match(r"(?:https?:)?//", address), (page.name, address)
        for address in re.findall(r'<a [^>]*href="([^"#][^"]*)"', text):
            if not address.startswith("http"):
                assert (page.parent / address.partition("#")[0]).exists(), (page.name, address)


def test_every_setting_and_every_command_has_its_place(site):
    from pipeline.cli import STAGES
    from pipeline.settings import DataSettings

    settings = (site / "reference" / "settings.html").read_text(encoding="utf-8")
    for name in DataSettings.__dataclass_fields__:
        assert f"data.{name}</span>" in settings
    commands = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    for name in STAGES:
        assert f"<h2>ovrcnn {name}" in commands
    assert "<math" in (site / "mathematics.html").read_text(encoding="utf-8")
