"""What a Dataset guarantees: its split, its classes, its scale, its digest; and every DataError of build."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.base.errors import DataError
from pipeline.data.dataset import TEST, TRAIN, VALIDATION, build, evenly, stratified_split

LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=60).map(np.array)
SEEDS = st.integers(0, 2**32 - 1)
FOLDS = st.integers(2, 7)
SHARES = st.floats(0, 0.99)


def law(max_examples):
    return settings(max_examples=max_examples, deadline=None, derandomize=True, database=None)


def classes_of(labels):
    return [labels == label for label in np.unique(labels)]


@law(80)
@given(LABELS, SEEDS, FOLDS, SHARES)
def test_folds_are_disjoint_and_cover_everything(labels, seed, folds, validation):
    tests = [stratified_split(labels, seed, folds, fold, validation) == TEST for fold in range(folds)]
    assert (np.sum(tests, axis=0) == 1).all()


@law(80)
@given(LABELS, SEEDS, FOLDS, SHARES)
def test_test_and_validation_share_out_each_class_to_within_one_image(labels, seed, folds, validation):
    for fold in range(folds):
        split = stratified_split(labels, seed, folds, fold, validation)
        rest = split != TEST
        share = (split == VALIDATION).sum() / max(rest.sum(), 1)
        for members in classes_of(labels):
            assert abs((members & ~rest).sum() - members.sum() / folds) < 1
            assert abs((members & (split == VALIDATION)).sum() - share * (members & rest).sum()) < 1 + 1e-9


@law(80)
@given(LABELS, SEEDS, FOLDS, SHARES)
def test_the_validation_split_has_its_share_of_all_images(labels, seed, folds, validation):
    split = stratified_split(labels, seed, folds, 0, validation)
    assert (split == VALIDATION).sum() == min(round(validation * len(labels)), (split != TEST).sum())
    assert split.dtype == np.uint8 and split.shape == labels.shape


def test_a_split_is_decided_by_its_seed():
    labels = np.repeat(np.arange(5), 20)
    first = stratified_split(labels, 1, 5, 0, 0.2)
    assert stratified_split(labels, 1, 5, 0, 0.2).tolist() == first.tolist()
    assert stratified_split(labels, 2, 5, 0, 0.2).tolist() != first.tolist()
    assert np.bincount(first).tolist() == [60, 20, 20]
    names = np.array(["ant", "bee", "cat", "dog", "eel"])[labels]
    assert stratified_split(names, 1, 5, 0, 0.2).tolist() == first.tolist()
    assert first[:20].tolist() == PINNED


PINNED = [0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 2, 2, 1, 1, 0, 0, 2]


@law(60)
@given(st.integers(0, 40), st.integers(0, 50))
def test_evenly_takes_distinct_entries_from_end_to_end(size, count):
    taken = evenly(np.arange(size), count)
    assert len(taken) == min(size, count)
    gaps = np.diff(taken)
    assert (gaps > 0).all() and (len(gaps) == 0 or gaps.max() - gaps.min() <= 1)


IMAGES = np.arange(5 * 3 * 4).reshape(5, 3, 4).astype(np.uint8)
SPLIT = np.array([0, 0, 0, 1, 2], np.uint8)


def made(images=IMAGES, labels=(0, 1, 0, 1, 1), split=SPLIT, scale=None, name="d.npz"):
    return build(name, images, np.array(labels), split, scale)


def test_classes_are_the_sorted_labels_whatever_they_are():
    dataset = made(labels=["bee", "ant", "bee", "cat", "ant"])
    assert dataset.classes == ("ant", "bee", "cat")
    assert dataset.labels.tolist() == [1, 0, 1, 2, 0]
    assert dataset.labels.dtype == np.int64
    numbers = made(labels=[10, -2, 10, 9, 9])
    assert (numbers.classes, numbers.labels.tolist()) == (("-2", "9", "10"), [2, 0, 2, 1, 1])
    assert dataset.image_shape == (3, 4)


def test_parts_are_the_images_of_each_split():
    dataset = made()
    assert [dataset.count(part) for part in (TRAIN, VALIDATION, TEST)] == [3, 1, 1]
    images, labels = dataset.part(VALIDATION)
    assert images.tolist() == IMAGES[3:4].tolist() and labels.tolist() == [1]
    whole = made(split=np.zeros(5, np.uint8))
    assert whole.part(TRAIN)[0] is whole.images


@pytest.mark.parametrize(
    ("pixels", "scale"),
    [([0.0, 0.25, 1.0, 9.0], 1.0), ([-1.0, 0.5, 0.5, 9.0], 1.0), ([0.0, 3.0, 2.0, 9.0], 3.0), ([-4.0, 3.0, 2.0, 9.0], 4.0)],
)
def test_scale_is_1_within_the_unit_else_the_largest_absolute_pixel_of_training(pixels, scale):
    images = np.ones((4, 2, 2)) * np.array(pixels)[:, None, None]
    split = np.array([0, 0, 0, 2], np.uint8)
    assert build("d", images, np.arange(4) % 2, split, None).scale == scale
    assert build("d", images, np.arange(4) % 2, split, 7.5).scale == 7.5


def with_pictures(dataset, **changed):
    return replace(dataset, pictures=replace(dataset.pictures, **changed))


def test_digest_changes_with_all_that_reaches_the_numbers_and_with_nothing_else():
    dataset = made()
    images, labels, split = dataset.images.copy(), dataset.labels.copy(), dataset.split.copy()
    images[4, 2, 3] += 1
    labels[0] = 1
    split[0] = 2
    others = [
        with_pictures(dataset, images=images),
        with_pictures(dataset, images=dataset.images.astype(np.int64)),
        with_pictures(dataset, images=dataset.images.reshape(5, 4, 3)),
        with_pictures(dataset, labels=labels),
        replace(dataset, split=split),
        replace(dataset, scale=dataset.scale + 1),
        with_pictures(dataset, classes=("0", "one")),
        with_pictures(dataset, classes=("0", "1", "2")),
    ]
    assert len({dataset.digest, *(other.digest for other in others)}) == 1 + len(others)
    assert replace(dataset, name="elsewhere").digest == dataset.digest
    assert with_pictures(dataset, images=np.asfortranarray(dataset.images)).digest == dataset.digest
    assert made().digest == dataset.digest == PINNED_DIGEST


PINNED_DIGEST = "0e8a705b7af4b652acc5453779148ae52af8574c4d6133a9085183e76f9fda18"


@pytest.mark.parametrize("dtype", ["uint8", "<f4", "<f8", ">f8", ">i4"])
@pytest.mark.parametrize("size", [2, 400])
def test_every_dtype_that_is_accepted_has_a_digest_large_or_small(dtype, size):
    images = (np.arange(2 * size * size) % 200).reshape(2, size, size).astype(dtype)
    assert len(made(images.repeat(4, axis=0)[:5], scale=1.0).digest) == 64


NOT_FINITE = np.ones((5, 2, 2))
NOT_FINITE[3, 1, 0] = np.nan
INFINITE = np.ones((5, 2, 2), np.float32)
INFINITE[2, 0, 0] = -np.inf
FAULTS = {
    "images must be (N, H, W), not (5, 4)": {"images": np.ones((5, 4))},
    "images must be (N, H, W), not (5, 2, 2, 3)": {"images": np.ones((5, 2, 2, 3))},
    "there is no image in it; images are (0, 2, 2)": {"images": np.ones((0, 2, 2)), "labels": np.ones(0, int)},
    "images must be (N, H, W), not (5, 0, 2)": {"images": np.ones((5, 0, 2))},
    "at least 2 x 2 pixels, not 1 x 8": {"images": np.ones((5, 1, 8))},
    "at least 2 x 2 pixels, not 8 x 1": {"images": np.ones((5, 8, 1))},
    "images must be integers or floats, not bool": {"images": np.ones((5, 2, 2), bool)},
    "images must be integers or floats, not complex128": {"images": np.ones((5, 2, 2), complex)},
    "labels must be (N,), not (5, 1)": {"labels": np.ones((5, 1), int)},
    "labels must be integers or strings, not float64": {"labels": np.arange(5) / 2},
    "labels must be integers or strings, not bool": {"labels": np.arange(5) > 2},
    "there are 5 images and 4 labels": {"labels": [0, 1, 0, 1]},
    "image 3 has a pixel that is nan or inf": {"images": NOT_FINITE},
    "image 2 has a pixel that is nan or inf": {"images": INFINITE},
    "all labels are '7'; one-vs-rest needs at least two classes": {"labels": [7] * 5},
}


@pytest.mark.parametrize("message", FAULTS)
def test_what_cannot_be_trained_on_is_refused_in_one_line_that_names_the_data(message):
    with pytest.raises(DataError) as caught:
        made(**FAULTS[message])
    assert str(caught.value).startswith("d.npz: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_half_a_pair_of_surrogates_is_shown_by_its_number_and_no_two_classes_become_one():
    names = ["\ud800", "\\ud800", "\\\\ud800", "\udcff", "b"]
    labels = np.array(names)[np.arange(20) % 5]
    dataset = build("made", np.zeros((20, 4, 4)), labels, np.zeros(20, np.uint8), None)
    "".join(dataset.classes).encode()
    by_class = {name: dataset.classes[dataset.labels[names.index(name)]] for name in names}
    assert len(set(by_class.values())) == 5
    assert all(by_class[name] == name for name in names if name.isprintable())
    assert by_class["\udcff"] == "\\udcff" and by_class["\ud800"].endswith("\\ud800")
