"""data=arrays: any .npz of the user's either becomes a Dataset or a DataError of one line that names the file."""

import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.base.errors import DataError, FileError
from pipeline.base.npz import LARGEST_ARRAY, read_npz
from pipeline.data import arrays
from pipeline.settings import DataSettings, Settings

IMAGES = (np.arange(20 * 4 * 3) % 17).reshape(20, 4, 3).astype(np.uint8)
LABELS = np.arange(20) % 3


def load(path):
    return arrays.load(Settings(data=DataSettings(source="arrays", path=str(path))))


def load_of(folder, **held):
    np.savez(folder / "d.npz", **{"images": IMAGES, "labels": LABELS, **held})
    return load(folder / "d.npz")


def refused(path):
    with pytest.raises(DataError) as caught:
        load(path)
    text = str(caught.value)
    assert str(path) in text and "\n" not in text
    return text.replace(str(path), "")  # pytest names the folder after the test


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_images_and_labels_are_read_stored_or_compressed(tmp_path, save):
    save(tmp_path / "d.npz", images=IMAGES, labels=np.array(["x", "y", "zz"])[LABELS], extra=np.ones(3))
    dataset = load(tmp_path / "d.npz")
    assert dataset.images.dtype == np.uint8 and (dataset.images == IMAGES).all()
    assert dataset.classes == ("x", "y", "zz") and (dataset.labels == LABELS).all()
    assert dataset.count(2) == 4 and dataset.count(1) == 4


def test_fortran_order_is_read_as_it_was_meant(tmp_path):
    assert (load_of(tmp_path, images=np.asfortranarray(IMAGES)).images == IMAGES).all()


@pytest.mark.parametrize(
    ("given_dtype", "kept"),
    [("uint8", "uint8"), ("int64", "uint8"), ("uint16", "uint8"), ("float16", "float32"), ("float32", "float32")],
)
def test_integers_that_fit_become_bytes_and_half_floats_floats(tmp_path, given_dtype, kept):
    dataset = load_of(tmp_path, images=IMAGES.astype(given_dtype))
    assert dataset.images.dtype == kept and (dataset.images == IMAGES).all()


@pytest.mark.parametrize("change", [-1, 256])
def test_integers_that_do_not_fit_become_doubles(tmp_path, change):
    images = IMAGES.astype(np.int64)
    images[3, 1, 1] = change
    dataset = load_of(tmp_path, images=images)
    assert dataset.images.dtype == np.float64 and (dataset.images == images).all()


def test_files_that_are_not_there_or_not_npz(tmp_path):
    assert "no such file" in refused(tmp_path / "none.npz")
    assert "is a folder" in refused(tmp_path)
    (tmp_path / "text.npz").write_text("not a zip")
    assert "not a readable .npz" in refused(tmp_path / "text.npz")
    (tmp_path / "empty.npz").touch()
    assert "not a readable .npz" in refused(tmp_path / "empty.npz")
    (tmp_path / "x.csv").write_text("1,2")
    assert "is no .npz; numpy.savez(FILE, images=..., labels=...) writes one" in refused(tmp_path / "x.csv")


def test_missing_arrays_are_named_with_those_that_are_there(tmp_path):
    np.savez(tmp_path / "d.npz", pictures=IMAGES, y=LABELS)
    assert "has no array images and no array labels; it holds pictures, y" in refused(tmp_path / "d.npz")
    np.savez(tmp_path / "e.npz", images=IMAGES)
    assert "has no array labels; it holds images" in refused(tmp_path / "e.npz")
    with zipfile.ZipFile(tmp_path / "f.npz", "w"):
        pass
    assert "it holds nothing" in refused(tmp_path / "f.npz")


def test_pickles_are_refused_unread(tmp_path):
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("a pickle was loaded",)

    np.savez(tmp_path / "d.npz", images=IMAGES, labels=np.array([Bomb()] * 20, dtype=object))
    assert "labels.npy holds Python objects" in refused(tmp_path / "d.npz")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_refused(tmp_path, save, share):
    save(tmp_path / "d.npz", images=IMAGES, labels=LABELS)
    whole = (tmp_path / "d.npz").read_bytes()
    (tmp_path / "d.npz").write_bytes(whole[: int(share * len(whole))])
    assert "not a readable .npz" in refused(tmp_path / "d.npz")


def large(folder, save):
    """Images of more bytes than an archive's reader takes ahead, 4096, since it checks what it has read to its end."""
    save(folder / "d.npz", images=np.random.default_rng(0).integers(0, 256, (20, 20, 21), np.uint8), labels=LABELS)
    return (folder / "d.npz").read_bytes()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path, save):
    """Wherever it is: stored images are mapped where they lie."""
    whole, refusals = large(tmp_path, save), 0
    held, places = load(tmp_path / "d.npz").digest, range(0, len(whole), 11)
    for at in places:
        (tmp_path / "d.npz").write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        try:
            assert load(tmp_path / "d.npz").digest == held, at
        except DataError as error:
            refusals += 1
            assert str(tmp_path / "d.npz") in str(error) and "\n" not in str(error)
    assert refusals > 0.9 * len(places)


def test_a_flipped_pixel_is_told_with_its_file_and_array(tmp_path):
    whole = bytearray(large(tmp_path, np.savez))
    whole[whole.index(b"labels.npy") - 1000] ^= 4
    (tmp_path / "d.npz").write_bytes(whole)
    assert "is not a readable .npz file (Bad CRC-32 for file 'images.npy')" in refused(tmp_path / "d.npz")


def test_images_that_are_mapped_are_checked_without_filling_memory(tmp_path):
    np.savez(tmp_path / "d.npz", images=np.zeros((2**10, 2**7, 2**7), np.uint8))
    tracemalloc.start()
    try:
        [held] = read_npz(tmp_path / "d.npz", mapped=("images",)).values()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(held, np.memmap) and peak < held.nbytes / 4


def npy(shape, descr="<f8", body=b"\0" * 64, header=None):
    text = (header or repr({"descr": descr, "fortran_order": False, "shape": shape})).encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def crafted(path, images, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("images.npy", images)
        labels = io.BytesIO()
        np.save(labels, LABELS)
        archive.writestr("labels.npy", labels.getvalue())
    return path


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("shape", [(20, 4, 4), (2**40, 2**20, 2**20), (2**62, 4, 4), (-1, 4, 4), (-2, -4, 1)])
def test_a_header_that_promises_too_much_allocates_nothing(tmp_path, shape, compression):
    assert "promises" in refused(crafted(tmp_path / "d.npz", npy(shape), compression))


def test_the_largest_array_is_bounded():
    assert LARGEST_ARRAY <= 16 * 2**30


HEADERS = {
    "no magic": b"garbage" * 20,
    "empty": b"",
    "cut": npy((4,))[:20],
    "not a dict": npy(None, header="[1, 2, 3]"),
    "unbalanced": npy(None, header="{'descr': '<f8', ("),
    "indented": npy(None, header="  {'descr'\n   x\n y"),
    "deep": npy(None, header="(" * 5000),
    "code": npy(None, header="__import__('os').abort()"),
    "unknown dtype": npy((4,), descr="<q9"),
    "shape of strings": npy(("4",)),
    "no shape": npy(None, header="{'descr': '<f8', 'fortran_order': False}"),
    "version 9": npy((4,)).replace(b"NUMPY\x01", b"NUMPY\x09"),
}


@pytest.mark.parametrize("fault", HEADERS)
def test_a_header_that_is_not_one_is_refused(tmp_path, fault):
    refused(crafted(tmp_path / "d.npz", HEADERS[fault]))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@settings(max_examples=150, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_bytes_give_arrays_or_a_file_error_and_nothing_else(tmp_path, save, damage):
    save(tmp_path / "d.npz", images=IMAGES[:3], labels=LABELS)
    content = bytearray((tmp_path / "d.npz").read_bytes())
    for place, byte in damage:
        content[int(place * len(content))] = byte
    (tmp_path / "d.npz").write_bytes(content)
    try:
        read_npz(tmp_path / "d.npz")
    except FileError as error:
        assert str(error).startswith(str(tmp_path)) and "\n" not in str(error)


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"labels": LABELS[:19]}, "there are 20 images and 19 labels"),
        ({"labels": LABELS[:, None]}, "labels must be (N,), not (20, 1)"),
        ({"labels": np.array(3)}, "labels must be (N,), not ()"),
        ({"labels": LABELS.astype(bytes)}, "labels must be integers or strings"),
        ({"labels": LABELS / 2}, "labels must be integers or strings, not float64"),
        ({"images": np.full((20, 4, 3), np.nan)}, "image 0 has a pixel that is nan or inf"),
        ({"images": IMAGES[:, 0]}, "images must be (N, H, W)"),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, "there is no image in it; images are (0, 4, 3)"),
        ({"images": IMAGES.astype(str)}, "images must be integers or floats"),
        ({"labels": LABELS * 0}, "at least two classes"),
    ],
)
def test_arrays_that_cannot_be_trained_on_are_refused(tmp_path, held, message):
    with pytest.raises(DataError) as caught:
        load_of(tmp_path, **held)
    assert message in str(caught.value) and str(caught.value).startswith(str(tmp_path / "d.npz"))
