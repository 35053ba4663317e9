"""An experiment goes out as an RO-Crate and comes in elsewhere as if it had been trained there."""

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import zipfile
from collections import Counter

import pytest

from pipeline.base.errors import FileError, SettingsError
from pipeline.base.files import UNFINISHED
from pipeline.cli import dispatch
from pipeline.crates import pack
from pipeline.crates.citation import read_citation
from pipeline.records.provenance import PROVENANCE, arithmetic, material, read_provenance
from pipeline.records.record import FILES
from tests.helpers.commands import ROOT, SMALL_SWEEP, contents, points
from tests.helpers.records import mend
from tests.helpers.tracking import copy_store, new_store

# The command, which kills itself when so many records are in their places.
KILLED = """
import os, signal, sys
from pipeline.cli import dispatch
from pipeline.crates import admitted
real, placed = admitted.sync_folder, []
def sync(folder):
    real(folder)
    placed.extend([folder] if folder.parent.parent.name == "small" else [])
    if len(placed) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
admitted.sync_folder = sync
dispatch(sys.argv[2:])
"""


def graph(path):
    with zipfile.ZipFile(path) as archive:
        return {entity["@id"]: entity for entity in json.loads(archive.read("ro-crate-metadata.json"))["@graph"]}


def refs(found):
    return [each["@id"] for each in (found if isinstance(found, list) else [found])]


def test_it_comes_in_elsewhere_and_compare_verify_track_and_train_take_it(sent, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    copy_store(new_store(tmp_path / "store"), tmp_path)
    place = ["paths.experiments=there", f"tracking.uri=sqlite:///{tmp_path / 'mlflow.db'}"]
    assert dispatch(["import", str(sent / "small.zip"), *place]) == 0
    assert capsys.readouterr().out == "there/small: 4 points taken in; `ovrcnn verify there/small` computes them again\n"
    there, here = tmp_path / "there" / "small", sent / "experiments" / "small"
    assert contents(there / "points") == contents(here / "points")
    assert sorted(path.name for path in there.iterdir()) == ["config.yaml", "points", "work"]
    assert [path.name for path in (there / "work").iterdir()] == ["sweep.lock"]
    assert dispatch(["verify", "small", *place]) == 0
    assert "verdict: 4 of 4 records hold; all 24 iterations" in capsys.readouterr().out
    assert dispatch(["track", "name=small", *place]) == 0
    assert capsys.readouterr().out.startswith("small: 4 of 4 points logged now")
    assert dispatch(["compare", "name=small", *place]) == 0
    assert dispatch(["train", "name=small", *SMALL_SWEEP, "paths.experiments=there", "tracking=off"]) == 0
    assert capsys.readouterr().out.count("already computed") == 4
    # Tables and figures made here are those made there, so what is sent on has the same bytes.
    assert dispatch(["export", "small", "again.zip", *place]) == 0
    assert (tmp_path / "again.zip").read_bytes() == (sent / "small.zip").read_bytes()


def test_a_folder_and_a_zip_are_one_crate_and_coming_in_twice_changes_nothing(sent, tmp_path, capsys):
    out, place = tmp_path / "crate", [f"paths.experiments={tmp_path / 'there'}"]
    assert dispatch(["export", str(sent / "experiments" / "small"), str(out)]) == 0
    assert capsys.readouterr().out.startswith(f"{out}: 4 points of small, {len(contents(out))} files, ")
    with zipfile.ZipFile(sent / "small.zip") as archive:
        assert contents(out) == {name: archive.read(name) for name in archive.namelist()}
    assert dispatch(["import", str(out), *place]) == 0
    before = contents(tmp_path / "there")
    # Another commit may have made the same record: its provenance stays as it is.
    first = points(tmp_path / "there" / "small")[0]
    (first / PROVENANCE).unlink()
    assert dispatch(["import", str(sent / "small.zip"), *place]) == 0
    assert "0 points taken in, 4 were there" in capsys.readouterr().out
    del before[str(first.relative_to(tmp_path / "there") / PROVENANCE)]
    assert contents(tmp_path / "there") == before


@pytest.mark.slow
@pytest.mark.parametrize("placed", [1, 4])
def test_one_that_is_killed_between_two_records_or_before_the_grid_is_completed_by_the_next(sent, tmp_path, placed, capsys):
    there, crate = tmp_path / "there" / "small", sent / "small.zip"
    words = ["import", str(crate), f"paths.experiments={there.parent}"]
    killed = subprocess.run([sys.executable, "-c", KILLED, str(placed), *words], cwd=ROOT, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    # What is in its place is whole; the rest is where whoever comes next removes it.
    whole = contents(sent / "experiments" / "small" / "points")
    assert len(points(there)) == placed and not (there / "config.yaml").exists()
    assert contents(there / "points").items() <= whole.items()
    assert all(set(FILES) <= {path.name for path in point.iterdir()} for point in points(there))
    assert [*(there / "work").glob(f"*{UNFINISHED}")] != []
    assert dispatch(words) == 0
    assert f"{4 - placed} points taken in, {placed} were there" in capsys.readouterr().out
    assert contents(there / "points") == whole
    assert sorted(path.name for path in there.iterdir()) == ["config.yaml", "points", "work"]
    assert [path.name for path in (there / "work").iterdir()] == ["sweep.lock"]


def test_other_bytes_that_are_there_stay_and_nothing_is_taken_in(sent, tmp_path):
    place = [f"paths.experiments={tmp_path / 'there'}"]
    assert dispatch(["import", str(sent / "small.zip"), *place]) == 0
    there = tmp_path / "there" / "small"
    first, second, *_ = points(there)
    shutil.rmtree(first)
    losses = (second / "losses.csv").read_bytes()
    (second / "losses.csv").write_bytes(losses.replace(b"\n5,", b"\n6,"))
    with pytest.raises(FileError, match=r"losses.csv: is there already, and is not that of the crate; nothing was taken in"):
        dispatch(["import", str(sent / "small.zip"), *place])
    assert not first.exists() and b"\n6," in (second / "losses.csv").read_bytes()
    (there / "config.yaml").write_text((there / "config.yaml").read_text().replace("alpha: 0.1", "alpha: 0.2"))
    with pytest.raises(
        FileError, match=r"config.yaml: is there already, .* paths.experiments=FOLDER takes the crate in elsewhere"
    ):
        dispatch(["import", str(sent / "small.zip"), *place])


def test_each_point_is_an_action_with_its_inputs_outputs_and_software(sent):
    """The MUSTs of RO-Crate 1.1 and of Process Run Crate 0.5, said once more."""
    found = graph(sent / "small.zip")
    assert found["ro-crate-metadata.json"] == {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }
    root = found["./"]
    assert root["@type"] == "Dataset" and root["name"] == "small" and root["description"]
    assert root["datePublished"] == read_citation(ROOT / "CITATION.cff").released
    assert found[root["license"]["@id"]]["name"] == "MIT" and found[root["author"]["@id"]]["name"] == "The ovrcnn authors"
    assert found[root["conformsTo"]["@id"]] == {
        "@id": "https://w3id.org/ro/wfrun/process/0.5",
        "@type": "CreativeWork",
        "name": "Process Run Crate",
        "version": "0.5",
    }
    files = {name for name, entity in found.items() if entity["@type"] == "File"}
    assert set(refs(root["hasPart"])) == files
    with zipfile.ZipFile(sent / "small.zip") as archive:
        assert files == set(archive.namelist()) - {"ro-crate-metadata.json"}
        for name in files:
            content = archive.read(name)
            assert found[name]["sha256"] == hashlib.sha256(content).hexdigest()
            assert found[name]["contentSize"] == str(len(content)) and found[name]["encodingFormat"] and found[name]["name"]
    assert files >= {"points.csv", "summary.csv", "y_hat.csv", "figures/heatmap.png", "report.html", "constraints.txt"}
    for point in points(sent / "experiments" / "small"):
        trajectory, iterations = point.parent.name, point.name
        action = found[f"#point-{trajectory}-{iterations}"]
        assert action["@type"] == "CreateAction" and {"@id": action["@id"]} in root["mentions"]
        assert action["name"].startswith("kernel_size=") and action["name"].endswith(f"iterations={iterations}")
        made = {f"points/{trajectory}/{iterations}/{name}" for name in (*FILES, PROVENANCE) if name != "settings.yaml"}
        assert set(refs(action["result"])) == made
        given = refs(action["object"])
        assert given[:3] == [f"points/{trajectory}/{iterations}/settings.yaml", "config.yaml", "constraints.txt"]
        plain = read_provenance(point)
        values = {found[each]["name"]: found[each]["value"] for each in given[3:]}
        assert values == {
            "data": material(plain, "data"),
            "numerics": plain["predicate"]["buildDefinition"]["internalParameters"]["numerics"],
        }
        software = found[action["instrument"]["@id"]]
        assert software["@type"] == "SoftwareApplication" and software["softwareVersion"].startswith("0.1.0")
        assert material(plain, "code") in software["softwareVersion"] and arithmetic() in software["description"]
    # Whatever is referred to is there, once.
    with zipfile.ZipFile(sent / "small.zip") as archive:
        plain = json.loads(archive.read("ro-crate-metadata.json"))
    assert max(Counter(entity["@id"] for entity in plain["@graph"]).values()) == 1
    elsewhere = {"https://w3id.org/ro/crate/1.1"}
    for entity in plain["@graph"]:
        for key, value in entity.items():
            if key[0] != "@" and not isinstance(value, str):
                assert set(refs(value)) <= set(found) | elsewhere, key


def test_what_is_there_already_or_damaged_is_not_sent_and_a_stop_leaves_nothing(sent, tmp_path, monkeypatch):
    home = shutil.copytree(sent / "experiments", tmp_path / "experiments")
    place, out = [f"paths.experiments={home}"], tmp_path / "out"
    (tmp_path / "mine.zip").write_text("mine")
    for words, error, said in [
        (["small", str(tmp_path / "mine.zip")], FileError, "mine.zip: is there already; remove it"),
        (["small", str(tmp_path / "no" / "x.zip")], FileError, "there is no folder"),
        (["moon"], SettingsError, "moon: is no experiment and no experiment's folder; .* has small"),
        (["small", "a", "b"], SettingsError, "an experiment and at most one file are needed, not 3 words"),
    ]:
        with pytest.raises(error, match=said):
            dispatch(["export", *words, *place])
    real, calls = pack.read_part, []

    def stopped(part):
        calls.append(part)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return real(part)

    for name in ("out", "out.zip"):
        calls.clear()
        monkeypatch.setattr(pack, "read_part", stopped)
        with pytest.raises(KeyboardInterrupt):
            dispatch(["export", "small", str(tmp_path / name), *place])
    monkeypatch.setattr(pack, "read_part", real)
    record = points(home / "small")[2]
    (record / "y_hat.csv").write_bytes((record / "y_hat.csv").read_bytes()[:-1])
    with pytest.raises(FileError, match=r"y_hat.csv: is damaged"):
        dispatch(["export", "small", str(out), *place])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["experiments", "mine.zip"]


def test_records_without_provenance_and_a_checkout_without_citation_make_a_crate_too(sent, tmp_path, monkeypatch):
    home = shutil.copytree(sent / "experiments", tmp_path / "experiments")
    for point in points(home / "small"):
        (point / PROVENANCE).unlink()
        mend(point)
    monkeypatch.setattr("pipeline.export.citation", lambda: None)
    assert dispatch(["export", "small", str(tmp_path / "x.zip"), f"paths.experiments={home}"]) == 0
    found = graph(tmp_path / "x.zip")
    assert found["./"]["license"].startswith("No licence is stated") and len(found["./"]["datePublished"]) == 10
    assert found["urn:ovrcnn:unknown"]["softwareVersion"] == "not recorded" and "constraints.txt" not in found
    assert dispatch(["import", str(tmp_path / "x.zip"), f"paths.experiments={tmp_path / 'there'}"]) == 0
