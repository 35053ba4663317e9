"""Folds that would change nothing: data that has a test split of its own is told, not swept as points that are all alike."""

import struct

import numpy as np
import pytest
from PIL import Image

from pipeline.base.errors import DataError, SettingsError
from pipeline.compare import main as compare
from pipeline.data.dataset import TEST
from pipeline.data.images import load
from pipeline.data.unused import check_used
from pipeline.settings import DataSettings, Settings
from pipeline.sweep.grid import read_grid
from pipeline.train import main

GREY = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)


def pictures(folder, *parts):
    for part in parts:
        for name in ("cat", "dog"):
            (folder / part / name).mkdir(parents=True)
            for number in range(4):
                Image.fromarray(GREY // (number + 1)).save(folder / part / name / f"{number}.png")


def in_mnists_format(folder, *parts):
    folder.mkdir()
    for part in parts:
        head, labels = struct.pack(">HBB3I", 0, 8, 3, 6, 8, 8), struct.pack(">HBBI", 0, 8, 1, 6) + bytes([0, 1] * 3)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(head + np.stack([GREY] * 6).tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(labels)


def refused(*found):
    with pytest.raises(SettingsError) as caught:
        check_used(found)
    return caught.value.faults


@pytest.mark.parametrize(
    ("source", "write", "parts"),
    [("images", pictures, ("train", "test")), ("idx", in_mnists_format, ("train", "t10k"))],
)
def test_a_fold_of_data_with_a_test_split_of_its_own_is_refused_in_one_line(source, write, parts, place, tmp_path):
    write(tmp_path / "mine", *parts)
    right = f"{tmp_path / 'mine'} has a test split of its own; sweep over seed instead"
    words = [*place, f"data={source}", f"data.path={tmp_path / 'mine'}", "training.iterations=1"]
    for wrong, key in ((["-m", "data.fold=range(5)"], "fold"), (["data.fold=1"], "fold"), (["-m", "data.folds=5,7"], "folds")):
        with pytest.raises(SettingsError) as caught:
            main([*words, *wrong])
        assert caught.value.faults == [f"data.{key}: has no effect with data={source}, {right}"]
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert main([*words, "data.fold=0", "data.folds=5"]) == 0


@pytest.mark.parametrize(
    ("source", "write", "part"), [("images", pictures, ""), ("idx", in_mnists_format, "train")], ids=["images", "idx"]
)
def test_a_fold_of_data_that_is_dealt_into_folds_is_taken(source, write, part, tmp_path):
    write(tmp_path / "mine", part)
    check_used(DataSettings(source, str(tmp_path / "mine"), fold=fold, folds=3) for fold in range(3))


def test_a_folder_beside_train_and_test_is_named(tmp_path):
    pictures(tmp_path / "mine", "train", "test", "val")
    settings = Settings(data=DataSettings("images", str(tmp_path / "mine")))
    with pytest.raises(DataError) as caught:
        load(settings)
    right = "data.validation keeps a share of train/ aside; move this folder away, or its pictures into those of train/"
    assert str(caught.value) == f"{tmp_path / 'mine' / 'val'}: train/ and test/ beside it are a split already; {right}"
    (tmp_path / "mine" / "val").rename(tmp_path / "val")
    assert load(settings).count(TEST) == 8


def test_a_fold_of_the_notebooks_one_image_is_refused():
    assert refused(DataSettings("notebook", fold=2)) == [
        "data.fold: has no effect with data=notebook, which has one image and nothing to test on; sweep over seed instead"
    ]


def test_beside_data_that_goes_by_them_a_path_and_a_fold_may_stand_as_long_as_no_point_is_shown_twice(tmp_path):
    pictures(tmp_path / "mine", "train", "test")
    mine = str(tmp_path / "mine")
    check_used([DataSettings("digits", mine), DataSettings("images", mine)])
    check_used([DataSettings("digits", fold=1), DataSettings("images", mine, fold=1)])
    mixed = [data for fold in range(2) for data in (DataSettings("digits", fold=fold), DataSettings("images", mine, fold=fold))]
    right = f"has no effect with data=images, {mine} has a test split of its own; sweep over seed instead"
    assert refused(*mixed) == [f"data.fold: {right}"]


def test_a_path_that_no_point_reads_is_refused_once(tmp_path, place):
    right = "which reads no file; add data=arrays (a .npz), data=images or data=idx (a folder)"
    for source in ("digits", "notebook"):
        line = f"data.path: must be null with data={source}, {right}"
        assert refused(*(DataSettings(source, name) for name in ("a.npz", "b.npz"))) == [line]
    with pytest.raises(SettingsError, match=r"data\.path: must be null with data=digits"):
        main([*place, "-m", "data.path=a.npz,b.npz"])


def test_what_an_earlier_version_trained_beside_a_path_is_still_compared(place, tmp_path):
    words = [*place, "name=before", "tracking=off", "training.iterations=1"]
    assert main(words) == 0
    path = tmp_path / "experiments" / "before" / "config.yaml"
    path.write_text(path.read_text().replace("path: null", "path: foo"))
    assert read_grid(path.parent).first.data.path == "foo"


def test_a_fold_of_what_is_not_there_is_left_to_its_reader(tmp_path):
    check_used([DataSettings(source, str(tmp_path / "none"), fold=1) for source in ("images", "idx", "fashion_mnist")])


def test_what_was_trained_on_such_a_fold_before_is_still_compared(place, tmp_path):
    pictures(tmp_path / "mine", "train", "test")
    words = [*place, "name=before", "tracking=off"]
    assert main([*words, "data=images", f"data.path={tmp_path / 'mine'}", "training.iterations=1"]) == 0
    path = tmp_path / "experiments" / "before" / "config.yaml"
    path.write_text(path.read_text().replace("fold: 0", "fold: 1"))
    assert read_grid(path.parent).first.data.fold == 1
    assert compare([words[0], "name=before"]) == 0
