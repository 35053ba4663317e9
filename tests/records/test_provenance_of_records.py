"""A record's provenance is an in-toto statement of its files and of what they were made; a change in it is noticed."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.base import checkout, project
from pipeline.base.errors import FileError
from pipeline.records import provenance
from pipeline.records.provenance import PROVENANCE, arithmetic, material, read_provenance
from pipeline.records.record import FILES, read_record
from tests.helpers.records import point_of, small_data, small_settings, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return train(small_settings(tmp_path_factory.mktemp("made"), 3), small_data())


def test_it_names_the_files_and_what_they_were_made_of(folder):
    plain = json.loads((folder / PROVENANCE).read_text())
    assert plain["_type"] == "https://in-toto.io/Statement/v1" and plain["predicateType"] == "https://slsa.dev/provenance/v1"
    subjects = {entry["name"]: entry["digest"]["sha256"] for entry in plain["subject"]}
    assert subjects == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    assert material(plain, "data") == small_data().digest == read_record(folder).result.data
    assert material(plain, "settings") == subjects["settings.yaml"]
    assert material(plain, "arithmetic") == arithmetic()
    assert material(plain, "constraints.txt") == hashlib.sha256((project.root() / "constraints.txt").read_bytes()).hexdigest()
    if code := checkout.code():
        assert material(plain, "code") == code.commit
    assert plain["predicate"]["buildDefinition"]["internalParameters"]["numerics"]
    assert material(plain, "moon") == ""


def test_the_same_point_has_the_same_bytes_anywhere(folder, tmp_path):
    again = train(small_settings(tmp_path, 3), small_data())
    assert (again / PROVENANCE).read_bytes() == (folder / PROVENANCE).read_bytes()


@given(place=st.integers(0), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_flipped_bit_is_noticed(folder, place, bit):
    path = folder / PROVENANCE
    content = path.read_bytes()
    damaged = bytearray(content)
    damaged[place % len(content)] ^= 1 << bit
    path.write_bytes(damaged)
    try:
        with pytest.raises(FileError, match=PROVENANCE):
            read_provenance(folder)
    finally:
        path.write_bytes(content)
    assert read_provenance(folder)


def test_anothers_is_refused_and_none_is_none(tmp_path):
    data = small_data()
    mine, other = (train(small_settings(tmp_path, n), data) for n in (3, 4))
    (mine / PROVENANCE).write_bytes((other / PROVENANCE).read_bytes())
    point = point_of(small_settings(tmp_path, 3), data)
    with pytest.raises(FileError, match="is not that of the record beside it"):
        read_record(mine).check(point.trajectory, 3)
    (mine / PROVENANCE).unlink()
    assert read_provenance(mine) is None
    read_record(mine).check(point.trajectory, 3)
    (mine / PROVENANCE).write_bytes(b"[" * 100_000)
    with pytest.raises(FileError, match="is no provenance"):
        read_provenance(mine)


def test_it_says_whether_the_code_was_changed(folder, monkeypatch):
    code = checkout.Code("0" * 40, False)
    for changed in (False, True):
        provenance._code.cache_clear()
        monkeypatch.setattr(checkout, "code", lambda changed=changed: replace(code, changed=changed))
        plain = json.loads(provenance.statement({"settings.yaml": "0" * 64}, "0" * 64, "exact"))
        made = plain["predicate"]["buildDefinition"]["resolvedDependencies"][-1]
        assert made["digest"] == {"gitCommit": "0" * 40} and made["annotations"] == {"changed": changed}
    provenance._code.cache_clear()
