"""MLflow's pages as ovrcnn ui serves them, from a real server in a real browser."""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.records.record import read_record
from pipeline.tracking.events import Compared
from pipeline.tracking.keys import run_name
from pipeline.tracking.tracker import Tracker
from tests.helpers.commands import ROOT
from tests.helpers.tracking import EXPERIMENT, copy_store, make_points, make_record, settings_of, sweep_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

SERVE = """
import sys
from pathlib import Path
from pipeline.base import console, project
from pipeline.tracking import ui
folder = Path(sys.argv[1])
project.root = lambda: folder
sys.argv[1:] = sys.argv[2:]
console.run(ui.main)
"""


# What would run in a page that takes names for HTML or Markdown: as a class, a file and a table.
HOSTILE = "<img src=x onerror='window.taken=1'><script>window.taken=2</script>[x](javascript:window.taken=3)"


def log_sweep(folder, points, experiment=EXPERIMENT, text="a table"):
    watched = Tracker(settings_of(folder), experiment, sweep_of(points))
    records = [make_record(point) for point in points]
    for point, record in zip(points, records, strict=True):
        watched.finished(point, record, known=False)
    values = {"validation_accuracy": 0.75, "test_accuracy": 0.5, "train_loss": 0.25}
    best = (points[0], records[0])
    watched.compared(Compared(folder, points[0].name, values, text, "validation_accuracy", best, tuple(points)))
    assert watched.close("FINISHED") == []


@pytest.fixture(scope="module")
def site(database, tmp_path_factory):
    """A server of two sweeps: its address, what the terminal shows at first, and what it showed in the end."""
    folder = tmp_path_factory.mktemp("site")
    copy_store(database, folder)
    hostile = make_points(folder / "hostile", 2, classes=(HOSTILE, "b"))
    log_sweep(folder, [replace(point, name=HOSTILE) for point in hostile[:1]] + hostile[1:], "hostile", f"```\n{HOSTILE}")
    points = make_points(folder, 5)
    log_sweep(folder, points[:3])
    log_sweep(folder, points[2:])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = [sys.executable, "-c", SERVE, str(folder), port]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout
        try:
            said = []
            while not said or not said[-1].startswith("  y-hat"):
                said.append(server.stdout.readline())
                assert said[-1], said
            yield f"http://127.0.0.1:{port}", points, said
        finally:
            server.terminate()
        # However many requests it answered.
        assert server.stdout.read() in ("", "stopped\n")


@pytest.fixture
def page(browser, site):
    """A page of a browser that was never here; in the end it must have asked nobody else and said nothing."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    opened = context.new_page()
    opened.set_default_timeout(60_000)
    asked, said = [], []
    opened.on("request", lambda request: asked.append((request.method, request.url)))
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert [url for _, url in asked if not url.startswith((site[0], "data:", "blob:"))] == []
    assert [entry for entry in asked if "telemetry" in entry[1].lower()] == []
    # MLflow's own: it asks who is logged in, where nobody can log in, and draws charts before they have a size.
    own = re.compile(r"404|<\w+> attribute|ResizeObserver")
    assert [line for line in said if not own.search(line)] == []


def shows(page, present, absent=()):
    """Wait until the table has these points and columns, in a page for training without the assistant's panel."""
    for text in present:
        page.get_by_text(text, exact=True).first.wait_for()
    for text in absent:
        assert page.get_by_text(text, exact=True).count() == 0
    assert page.get_by_text("Ask questions about your experiments").count() == 0


def names(points):
    return [run_name(point.name) for point in points]


def columns():
    return ["seed", "validation_accuracy", "test_accuracy", "train_loss"]


def test_the_plain_address_shows_the_newest_sweep_and_f5_and_back_keep_it(page, site):
    address, points, _ = site
    old, new = names(points[:2]), names(points[2:])
    page.goto(address)
    shows(page, [*new, *columns()], old)
    assert re.search(r"#/experiments/\d+/runs\?", page.url)
    page.reload()
    shows(page, [*new, *columns()], old)
    page.get_by_text(new[0], exact=True).first.click()
    page.wait_for_url("**/runs/**")
    page.get_by_text("Parent run", exact=True).wait_for()
    page.go_back()
    shows(page, [*new, *columns()], old)
    # What a person changes stays, too.
    kept = 'MLflowLocalStorage-1.1-ExperimentPage-["1"]-ReactComponentState'
    page.evaluate("""(key) => { const state = JSON.parse(localStorage[key]);
        state.selectedColumns = state.selectedColumns.filter((name) => !name.includes("train_loss"));
        localStorage[key] = JSON.stringify(state); }""", kept)  # fmt: skip
    page.goto("about:blank")
    page.goto(address)
    shows(page, [*new, *columns()[:-1]], ["train_loss"])


def test_a_click_on_the_experiment_shows_the_newest_sweep(page, site):
    address, points, _ = site
    page.goto(f"{address}/#/experiments")
    page.get_by_text(re.compile(r"^seed=2 it=5")).wait_for()
    assert page.get_by_role("link", name="Default").count() == 0
    page.get_by_role("link", name=EXPERIMENT, exact=True).click()
    shows(page, [*names(points[2:]), *columns()])


def test_an_older_sweep_has_links_of_its_own(page, site):
    address, points, said = site
    [line] = [line for line in said if line.startswith(f"{EXPERIMENT}, sweep of 3 points: seed") and "http" in line]
    link = line.split()[-1]
    page.goto(address)
    shows(page, names(points[2:]), names(points[:2]))
    # As a link that is pasted into the open page.
    page.goto(link)
    shows(page, [*names(points[:3]), *columns()], names(points[3:]))
    page.reload()
    shows(page, [*names(points[:3]), *columns()], names(points[3:]))
    assert "viewStateShareKey" not in page.url


def test_charts_and_pictures_and_y_hat_vectors_stand_side_by_side(page, site):
    _, points, said = site
    new = names(points[2:])
    page.goto(said[-2].split()[-1])
    for title in ("loss/mean", "validation_accuracy"):
        page.get_by_text(title, exact=True).first.wait_for()
    page.get_by_test_id("experiment-view-compare-runs-chart-area").evaluate("""(area) => {
        window.setInterval(() => area.scrollTo(0, area.scrollTop + 200), 200); }""")  # fmt: skip
    page.wait_for_function("""() => [...document.querySelectorAll("img")].filter(
        (image) => image.src.includes("images") && image.naturalWidth > 50).length >= 6""")  # fmt: skip
    for title in ("kernels", "mean y_hat"):
        assert page.get_by_text(title, exact=True).count() > 0
    page.goto("about:blank")
    page.goto(said[-1].split()[-1])
    record = read_record(points[2].folder)
    row = record.y_hat.iloc[0]
    for name in new:
        page.get_by_text(name, exact=True).first.wait_for()
    page.get_by_text(f"a={row['y_hat_a']:.4f} b={row['y_hat_b']:.4f}").first.wait_for()


def test_it_answers_to_its_own_names_only(site):
    address, _, said = site
    assert said[0] == f"MLflow: {address}  (Ctrl-C ends it)\n"
    port = address.rpartition(":")[2]
    for host in (f"localhost:{port}", "127.0.0.1:9", "[::1]:80"):
        with urllib.request.urlopen(urllib.request.Request(address, headers={"Host": host})) as answer:
            assert answer.status == 200 and b'id="ovrcnn-views"' in answer.read()
    for host in ("evil.example", "evil.example:5000", "127.0.0.1.evil.example", "[", "192.168.0.1"):
        for path in ("/", "/health", "/ajax-api/2.0/mlflow/experiments/search?max_results=9"):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(urllib.request.Request(address + path, headers={"Host": host}))
    with urllib.request.urlopen(f"{address}/ajax-api/2.0/mlflow/experiments/search?max_results=9") as answer:
        assert EXPERIMENT in {entry["name"] for entry in json.load(answer)["experiments"]}


def test_it_is_one_process_so_that_no_kill_leaves_a_server_behind(site):
    port = site[0].rpartition(":")[2].encode()
    commands = {path.parent: path.read_bytes().split(b"\0") for path in Path("/proc").glob("[0-9]*/cmdline") if _is_mine(path)}
    [server] = [folder for folder, words in commands.items() if words[-2:-1] == [port]]
    assert [path.read_text() for path in server.glob("task/*/children")].count("") == len(list(server.glob("task/*")))


def _is_mine(path):
    """Whether a process is a child of this one."""
    try:
        return int((path.parent / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid()
    except OSError:
        return False


def asked(address, path, plain):
    request = urllib.request.Request(
        f"{address}/ajax-api/2.0/mlflow/{path}", json.dumps(plain).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_hostile_names_are_text_in_descriptions(page, site):
    found = asked(site[0], "experiments/search", {"max_results": 9})["experiments"]
    [experiment] = [entry["experiment_id"] for entry in found if entry["name"] == "hostile"]
    runs = asked(site[0], "runs/search", {"experiment_ids": [experiment], "max_results": 9})["runs"]
    shown = 0
    for run in runs:
        note = next(tag["value"] for tag in run["data"]["tags"] if tag["key"] == "mlflow.note.content")
        page.goto(f"{site[0]}/#/experiments/{experiment}/runs/{run['info']['run_id']}")
        page.reload()
        page.get_by_text("record:" if "record:" in note else "side by side:").first.wait_for()
        shown += page.get_by_text(HOSTILE).count()
        assert page.evaluate("window.taken") is None
        assert page.locator("img[src=x], a[href^=javascript]").count() == 0
    assert len(runs) == 3 and shown > 2
