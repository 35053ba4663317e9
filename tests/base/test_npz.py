"""An npz has the same bytes whichever Python writes it."""

import io
import struct
import zipfile

import numpy as np
import pytest

from pipeline.base.npz import npz_bytes, read_npz, write_npz

ARRAYS = {"iteration": np.array(7), "head0/kernel": np.arange(9.0).reshape(1, 3, 3), "classes": np.array(["a", "é"])}
NEW_HEADER = zipfile.ZipInfo.FileHeader


def old_header(entry, zip64=None):
    """The header of Python 3.11.0 to 3.11.3: the sizes where later ones have all ones, and the format's usual version."""
    header = NEW_HEADER(entry, zip64)
    entry.create_version = entry.extract_version = zipfile.DEFAULT_VERSION
    sizes = struct.pack("<LL", entry.compress_size, entry.file_size)
    return header[:4] + bytes([zipfile.DEFAULT_VERSION]) + header[5:18] + sizes + header[26:]


def saved_by_numpy():
    file = io.BytesIO()
    np.savez(file, **ARRAYS)
    return file.getvalue()


@pytest.mark.parametrize("header", [NEW_HEADER, old_header])
def test_an_npz_has_the_bytes_of_todays_numpy_and_python(header, monkeypatch, tmp_path):
    expected = saved_by_numpy()
    monkeypatch.setattr(zipfile.ZipInfo, "FileHeader", header)
    assert (saved_by_numpy() == expected) == (header is NEW_HEADER)
    assert npz_bytes(ARRAYS) == expected
    write_npz(tmp_path / "a.npz", ARRAYS)
    assert (tmp_path / "a.npz").read_bytes() == expected
    assert all((read_npz(tmp_path / "a.npz")[name] == array).all() for name, array in ARRAYS.items())
