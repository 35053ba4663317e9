"""Crates that somebody made to do harm, or that were damaged: one line, nothing taken in, nothing left behind."""

import hashlib
import io
import json
import os
import shutil
import stat
import zipfile

import pytest

from pipeline.base.errors import FileError
from pipeline.base.files import sha256_sums
from pipeline.crates import opened
from pipeline.crates.admitted import admit, told
from pipeline.crates.metadata import METADATA
from pipeline.records.record import FILES, SUMS


@pytest.fixture
def members(sent):
    with zipfile.ZipFile(sent / "small.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def refused(tmp_path):
    """The line with which a crate is refused; nothing is there afterwards."""

    def of(crate):
        path = tmp_path / "crate.zip"
        if isinstance(crate, dict):
            crate = zipped(crate)
        if isinstance(crate, bytes):
            path.write_bytes(crate)
        else:
            path = crate
        with pytest.raises(FileError) as caught:
            take(path, tmp_path / "there")
        left = list((tmp_path / "there").rglob("*")) if (tmp_path / "there").exists() else []
        assert left == [] and "\n" not in str(caught.value) and len(str(caught.value)) < 600
        return str(caught.value)

    return of


def take(path, experiments):
    """What the command does once its words are read."""
    with opened.opened(path) as crate:
        return admit(crate, told(crate, experiments), int)


def zipped(members, compression=zipfile.ZIP_STORED):
    """members: content by name or ZipInfo; a list of pairs may have a name twice."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, content)
    return file.getvalue()


def retold(members):
    """With the sums of the description made anew, as somebody does who knows how."""
    plain = json.loads(members[METADATA])
    for entity in plain["@graph"]:
        if "sha256" in entity and entity["@id"] in members:
            entity["sha256"] = hashlib.sha256(members[entity["@id"]]).hexdigest()
    return {**members, METADATA: json.dumps(plain).encode()}


def resummed(members, place):
    """A record's own sums made anew, its provenance gone, and the description's."""
    held = {name: members[f"{place}/{name}"] for name in FILES if name != SUMS}
    members = {**members, f"{place}/{SUMS}": sha256_sums(held)}
    del members[f"{place}/provenance.json"]
    return retold(members)


def first_place(members):
    return min(name.rpartition("/")[0] for name in members if name.startswith("points/"))


@pytest.mark.parametrize("name", ["../x", "/x", "points/../../x", "a//b", "a\\b", "./x", "points/0000000000000000/../x"])
def test_a_path_that_leads_out_is_refused(members, refused, tmp_path, name):
    assert "leads out of the crate, or is no plain path" in refused({**members, name: b"x"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crate.zip"]


def test_links_devices_duplicates_and_secrets_are_refused(members, refused, monkeypatch):
    for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR):
        entry = zipfile.ZipInfo("points/link")
        entry.create_system, entry.external_attr = 3, (kind | 0o777) << 16
        assert "is a link or a device" in refused({**members, entry: b"/etc/passwd"})
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = zipped([*members.items(), ("config.yaml", b"other")])
    assert "has 'config.yaml' twice" in refused(twice)
    place = twice.rindex(b"PK\x01\x02")
    assert "is encrypted" in refused(twice[: place + 8] + b"\x01" + twice[place + 9 :].replace(b"config.yaml", b"confog.yaml"))


def test_sizes_are_bounded_by_headers(members, refused, monkeypatch):
    bomb = {**members, "figures/x.png": bytes(100_000_000)}
    assert "unpack to" in refused(zipped(bomb, zipfile.ZIP_DEFLATED))
    monkeypatch.setattr(opened, "LARGEST_LIST", 1000)
    assert "its list of files has" in refused(members)
    monkeypatch.undo()
    big = {**members, f"{first_place(members)}/settings.yaml": bytes(100_001)}
    assert "settings.yaml has 100001 bytes; at most 100000 are taken" in refused(big)
    lists = b'{"@graph":[' + b"[]," * 4_000_000 + b"0]}"
    assert "would take 416" in refused({**members, METADATA: lists})


def test_only_whole_records_of_a_process_run_crate_are_taken(members, refused):
    place = first_place(members)
    assert "is no file of a record" in refused({**members, f"{place}/x.pkl": b"x"})
    assert "is no file of a record" in refused({**members, "points/x/5/losses.npy": b"x"})
    without = {name: content for name, content in members.items() if name != f"{place}/losses.npy"}
    assert f"{place} lacks losses.npy" in refused(without)
    assert "has no records" in refused({name: content for name, content in members.items() if "points/" not in name})
    for gone in (METADATA, "config.yaml"):
        assert f"has no {gone} at its top" in refused({name: held for name, held in members.items() if name != gone})
    for text in (
        b"[" * 100_000,
        b"{}",
        b'{"@graph": [3]}',
        b'{"@graph": [{"@id": "./", "conformsTo": {"@id": "x"}}]}',
        b"\xff",
    ):
        assert f"{METADATA} is not that of a Process Run Crate" in refused({**members, METADATA: text})


def test_what_is_bound_to_something_else_is_refused(members, refused):
    place = first_place(members)
    flipped = {**members, f"{place}/y_hat.csv": members[f"{place}/y_hat.csv"].replace(b"0", b"1", 1)}
    assert f"{place}/y_hat.csv is damaged, its bytes are not those that {METADATA} tells" in refused(flipped)
    assert "y_hat.csv: is damaged" in refused(retold(flipped))
    settings = members[f"{place}/settings.yaml"].replace(b"alpha: 0.1", b"alpha: 0.2")
    assert "make another trajectory than" in refused(resummed({**members, f"{place}/settings.yaml": settings}, place))
    deep = resummed({**members, f"{place}/result.json": b'{"heads":' + b"[" * 100_000}, place)
    assert "is not a finished point" in refused(deep)
    longer = resummed({**members, f"{place}/losses.npy": members[f"{place}/losses.npy"] + b"x"}, place)
    assert "losses.npy: is not a readable .npy file (it is longer than its header promises)" in refused(longer)
    wide = resummed({**members, f"{place}/y_hat.csv": b"0," * 20_000_000}, place)
    assert "its columns are not those of its classes" in refused(wide)
    no_table = resummed({**members, f"{place}/y_hat.csv": b"a,b\n1,2\n"}, place)
    assert "y_hat.csv: cannot be read" in refused(no_table)
    other = sorted({name.rpartition("/")[0] for name in members if name.startswith("points/")} - {place})[0]
    swapped = {f"{other}{name.removeprefix(place)}": held for name, held in members.items() if name.startswith(place)}
    assert "is the record of another point" in refused(retold({**members, **swapped}))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"name: small", b"name: ../small", "name: must be letters"),
        (b"name: small", b"name: [", "config.yaml is not a grid"),
        (b"points:", b"more: 3\npoints:", "more"),
        (b"points:\n", b"points:\n- name: other\n", "config.yaml names more than one experiment"),
    ],
)
def test_a_grid_that_is_none_is_refused(members, refused, old, new, said):
    assert said in refused(retold({**members, "config.yaml": members["config.yaml"].replace(old, new, 1)}))


def test_an_experiment_that_is_a_link_is_not_followed(sent, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "there" / "small").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError, match="small: is a link; it must be a folder of its own"):
        take(sent / "small.zip", tmp_path / "there")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_folders_with_links_and_files_that_do_not_end(sent, refused, tmp_path, members):
    crate = tmp_path / "crate"
    with zipfile.ZipFile(sent / "small.zip") as archive:
        archive.extractall(crate)
    os.mkfifo(crate / "pipe")
    assert "'pipe' is a link or a device" in refused(crate)
    assert "is no file that ends" in refused(crate / "pipe")
    (crate / "pipe").unlink()
    path = crate / first_place(members) / "losses.npy"
    path.rename(tmp_path / "losses.npy")
    path.symlink_to(tmp_path / "losses.npy")
    assert "is a link or a device" in refused(crate)
    shutil.rmtree(crate)
    assert "no such file or folder" in refused(crate)
    assert "is not a readable zip" in refused(b"PK\x03\x04 no more")


@pytest.mark.parametrize("seed", range(12))
def test_no_damaged_zip_is_taken_in_half(sent, tmp_path, seed):
    """A flipped bit anywhere: refused in one line, or in a byte that nothing reads, and then all is as it was sent."""
    content = bytearray((sent / "small.zip").read_bytes())
    place = (seed * 7919 * 104729 + 13) % len(content)
    content[place] ^= 1 << seed % 8
    (tmp_path / "x.zip").write_bytes(content)
    try:
        take(tmp_path / "x.zip", tmp_path / "there")
    except FileError as error:
        assert "\n" not in str(error) and not (tmp_path / "there" / "small").exists()
    else:
        for path in sorted((tmp_path / "there" / "small" / "points").glob("*/*/*")):
            there = sent / "experiments" / "small" / "points" / "/".join(path.parts[-3:])
            assert path.read_bytes() == there.read_bytes()
