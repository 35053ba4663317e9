"""What a run says of the checkout that computed it, and of the machine, on request."""

import subprocess
import threading

import pytest

from pipeline.base import project
from pipeline.settings import TrackingSettings
from pipeline.tracking import owner
from pipeline.tracking.store import open_store
from pipeline.tracking.tracker import Tracker
from tests.helpers.tracking import EXPERIMENT, make_points, parents, point_runs, settings_of, sweep_of, track, wait_for


def git(folder, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    return subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout of its own, with a commit and a remote, taken for the project's."""
    place = tmp_path / "checkout"
    place.mkdir()
    git(place, "init", "-b", "trial")
    git(place, "remote", "add", "origin", "https://someone:secret@host.example/a/b.git")
    (place / "code.py").write_text("one\n\n")
    git(place, "add", ".")
    git(place, "commit", "-m", "first")
    monkeypatch.setattr(project, "root", lambda: place)
    yield place
    forget()


def forget():
    owner._machine.cache_clear()
    owner.diff.cache_clear()


def said(folder, run):
    client = open_store(settings_of(folder), EXPERIMENT).client
    tags = {key.removeprefix("mlflow.source.git."): value for key, value in run.data.tags.items() if ".git." in key}
    attached = [file.path for file in client.list_artifacts(run.info.run_id)]
    return tags, client.download_artifacts(run.info.run_id, "git.diff", folder) if "git.diff" in attached else None


@pytest.mark.parametrize("sweep", [True, False])
def test_runs_name_branch_commit_and_repository_and_hold_the_diff_of_a_changed_checkout(folder, checkout, sweep):
    points = make_points(folder, 3 if sweep else 2)
    forget()
    assert track(folder, points[:1], sweep) == []
    tags, diff = said(folder, parents(folder)[0] if sweep else point_runs(folder)[points[0].key][0])
    known = {"branch": "trial", "commit": git(checkout, "rev-parse", "HEAD").strip(), "dirty": "false"}
    assert (tags, diff) == ({**known, "repoURL": "https://host.example/a/b.git"}, None)
    (checkout / "code.py").write_text("two\n\n")
    forget()
    assert track(folder, points[1:], sweep) == []
    run = next(run for run in parents(folder)) if sweep else point_runs(folder)[points[1].key][0]
    tags, diff = said(folder, run)
    assert tags == {**known, "dirty": "true", "repoURL": "https://host.example/a/b.git"}
    # It is a patch that leads back to what was computed with.
    git(checkout, "checkout", "code.py")
    git(checkout, "apply", diff)
    assert (checkout / "code.py").read_text() == "two\n\n"
    git(checkout, "checkout", "--detach")
    assert "mlflow.source.git.branch" not in owner.provenance(owner.git)


def test_a_long_diff_is_cut_and_no_checkout_is_no_trouble(checkout, tmp_path, monkeypatch):
    (checkout / "code.py").write_text("x" * 2_000_000)
    forget()
    assert len(owner.diff()) < 1_000_100 and owner.diff().endswith("cut after 1000000 letters\n")
    monkeypatch.setattr(project, "root", lambda: tmp_path / "nowhere")
    forget()
    assert owner.provenance(owner.git) == {} and owner.diff() == ""


def test_system_metrics_come_on_request_and_end_with_the_run(folder):
    points = make_points(folder, 1)
    tracking = TrackingSettings(uri=settings_of(folder).uri, system_metrics=True)
    watched = Tracker(tracking, EXPERIMENT, sweep_of(points))
    watched.open()
    wait_for(lambda: any(key.startswith("system/cpu") for key in parents(folder)[0].data.metrics), 60)
    assert watched.close("FINISHED") == []
    assert "SystemMetricsMonitor" not in {thread.name for thread in threading.enumerate()}
    assert track(folder, points) == []
    assert not any(key.startswith("system/") for runs in point_runs(folder).values() for key in runs[0].data.metrics)
