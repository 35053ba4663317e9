"""Files and folders that appear whole, and what is said of those that cannot."""

import errno

import pytest

from pipeline.base.console import explain_error
from pipeline.base.files import atomic_write, keep_damaged, naming
from pipeline.base.folders import write_folder


def test_an_error_of_the_system_names_what_was_to_be_written(tmp_path, monkeypatch):
    for folder in ("file", "folder"):
        (tmp_path / folder).mkdir()

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pipeline.base.files.os.fsync", refuse)
    with pytest.raises(OSError, match="No space") as caught, atomic_write(tmp_path / "file" / "a") as file:
        file.write(b"1")
    assert explain_error(caught.value) == f"{tmp_path / 'file' / 'a'}: No space left on device"
    with pytest.raises(OSError, match="No space") as caught:
        write_folder(tmp_path / "folder" / "a", {"b": b"1"}, tmp_path / "work")
    assert explain_error(caught.value) == f"{tmp_path / 'folder' / 'a'}: No space left on device"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("error", [OSError("3 requested and 0 written"), FileNotFoundError(errno.ENOENT, "No file", "mine")])
def test_an_error_that_says_itself_what_it_is_of_is_left_as_it_is(tmp_path, error):
    with pytest.raises(type(error)) as caught, naming(tmp_path):
        raise error
    assert caught.value is error


def test_of_two_that_set_one_file_aside_both_know_where_it_is(tmp_path):
    for number in range(3):
        (tmp_path / "a").write_text(str(number))
        kept = [keep_damaged(tmp_path / "a", tmp_path / "kept") for _ in range(2)]
        assert kept[0] == kept[1] and kept[0].read_text() == str(number)
    assert len(list((tmp_path / "kept").iterdir())) == 3
