"""The classifier is the pipeline: the same bits, its arguments, its answers and what it says of wrong input."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from pipeline import OneVsRestCNN
from pipeline.base.errors import NonFiniteError
from pipeline.classifier import estimator as classifier
from pipeline.data.dataset import TRAIN, build
from pipeline.heads.elementary import sigmoid
from pipeline.heads.metrics import log_ratio
from pipeline.settings import ComputeSettings, DataSettings, ModelSettings, Settings, TrainingSettings
from pipeline.training.block import Task, start, train_block
from tests.helpers.heads import same_array
from tests.helpers.heads import same_bits as same_heads

RANDOM = np.random.default_rng(0)
STORED = RANDOM.integers(0, 17, (30, 6, 5), np.uint8)
NAMES = np.array(["ant", "bee", "cat"])[np.arange(30) % 3]
IMAGES = STORED / 16.0
SMALL = {"iterations": 12, "batch_size": 4}


def small(**arguments):
    return OneVsRestCNN(**{**SMALL, **arguments})


def same_bits(a, b):
    """Whether two models agree in every bit."""
    return same_heads(a.heads_, b.heads_) and same_array(a.loss_curve_, b.loss_curve_)


def test_the_defaults_are_the_settings_but_for_the_iterations():
    given, settings = OneVsRestCNN().get_params(), Settings()
    for name, value in {**asdict(settings.model), **asdict(settings.training)}.items():
        assert given[name] == value or name == "iterations"
    assert (given["engine"], given["random_state"]) == (settings.compute.engine, settings.seed)


@pytest.mark.parametrize("stored", ["uint8", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize(("engine", "batch_size"), [("numba", 4), ("numpy", 4), ("numba", "all")])
def test_the_same_bits_as_a_trajectory_of_the_pipeline(monkeypatch, stored, dtype, schedule, engine, batch_size):
    """The pipeline's images are 8-bit with a scale; the classifier gets the pixels that its heads see."""
    monkeypatch.setattr(classifier, "BLOCK_IMAGES", 20)
    split = np.array([0, 0, 0, 1, 2], np.uint8)[np.arange(30) % 5]
    model = {"kernel_size": 3, "filters": 2, "init": "notebook", "gradient": "exact", "dtype": dtype}
    training = {"alpha": 0.5, "iterations": 40, "batch_size": batch_size, "loss": "binary_cross_entropy", "schedule": schedule}
    dataset = build("small", STORED, NAMES, split, 16.0)
    groups = DataSettings(), ModelSettings(**model), TrainingSettings(**training), ComputeSettings(engine=engine)
    settings = Settings("small", 3, *groups)
    theirs = train_block(Task(settings, start(settings, dataset), 0, 40, at_point=True), dataset)

    chosen = split == TRAIN
    pixels = STORED[chosen].astype(dtype) * np.dtype(dtype).type(1 / 16)
    if stored == "float64":
        pixels = pixels.astype(np.float64)
    found = OneVsRestCNN(random_state=3, engine=engine, **model, **training).fit(pixels, NAMES[chosen])
    assert found.n_iter_ == len(theirs.losses) == 40
    assert found.classes_.tolist() == list(dataset.classes)
    assert same_heads(found.heads_, theirs.heads) and same_array(found.loss_curve_, theirs.losses)


@pytest.mark.filterwarnings("ignore:X. pixels reach 16 and look unscaled", "ignore:dead heads")
def test_8_bit_images_are_taken_as_they_are_and_large_ones_are_not_copied(monkeypatch):
    seen = []
    real = classifier.one_vs_rest

    def spy(heads, block, workers):
        seen.append(block.images)
        return real(heads, block, workers)

    monkeypatch.setattr(classifier, "one_vs_rest", spy)
    arrays = [STORED, IMAGES.reshape(30, -1), IMAGES.astype(np.float32)]
    found = [small(dtype="float32", image_shape=(6, 5)).fit(array, NAMES) for array in arrays]
    assert all(np.shares_memory(images, array) for images, array in zip(seen, arrays, strict=True))
    assert same_bits(found[0], small(dtype="float32").fit(STORED.astype(np.int64), NAMES))
    assert found[0].predict(STORED).tolist() == found[0].predict(STORED.astype(float)).tolist()


def test_images_may_be_flat_lists_frames_or_in_fortrans_order():
    expected = small().fit(IMAGES, NAMES)
    flat = IMAGES.reshape(30, -1)
    assert (expected.image_shape_, expected.n_features_in_) == ((6, 5), 30)
    for given in (flat, np.asfortranarray(flat), flat.tolist()):
        found = small(image_shape=(6, 5)).fit(given, NAMES)
        assert same_bits(found, expected)
        np.testing.assert_array_equal(found.predict_proba(IMAGES), expected.predict_proba(given))
    framed = small(image_shape=np.array([6, 5])).fit(pd.DataFrame(flat).rename(columns=str), pd.Series(NAMES))
    assert same_bits(framed, expected) and framed.feature_names_in_[3] == "3"
    assert same_bits(small().fit(IMAGES.tolist(), NAMES.tolist()), expected)


@pytest.mark.parametrize(("features", "side"), [(1, 2), (3, 2), (4, 2), (5, 3), (9, 3), (13, 4), (16, 4), (17, 5), (64, 8)])
def test_flat_features_fill_the_smallest_square(features, side):
    flat = IMAGES.reshape(-1)[: 12 * features].reshape(12, features)
    found = small(kernel_size=5).fit(flat, NAMES[:12])
    square = np.zeros((12, side * side))
    square[:, :features] = flat
    assert found.image_shape_ == (side, side) and found.n_features_in_ == features
    if side >= 5:
        assert same_bits(found, small(kernel_size=5).fit(square.reshape(12, side, side), NAMES[:12]))
    assert found.predict(flat).shape == (12,)


@pytest.mark.filterwarnings("ignore:dead heads")
def test_labels_come_back_as_they_were_given():
    for labels in (
        NAMES,
        NAMES.astype(object),
        np.arange(30) % 3 - 5,
        np.arange(30) % 2 == 0,
        (np.arange(30) % 3) * 0.5 // 0.5,
    ):
        found = small(iterations=300, alpha=2.0).fit(IMAGES, labels)
        assert found.classes_.tolist() == sorted(set(labels.tolist()))
        assert found.predict(IMAGES).dtype == labels.dtype
        assert found.score(IMAGES, labels) == np.mean(found.predict(IMAGES) == labels)


def test_predict_predict_proba_and_decision_function_are_of_one_mind():
    model = small(iterations=100).fit(IMAGES, NAMES)
    logits, shares = model.decision_function(IMAGES), model.predict_proba(IMAGES)
    assert logits.shape == shares.shape == (30, 3) and model.loss_curve_.shape == (100, 3)
    np.testing.assert_allclose(shares, sigmoid(logits) / sigmoid(logits).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    for numbers in (logits, shares):
        assert (model.classes_[numbers.argmax(axis=1)] == model.predict(IMAGES)).all()


def test_two_classes_have_two_heads_and_one_decision():
    labels = np.where(NAMES == "ant", "ant", "other")
    model = small(iterations=100).fit(IMAGES, labels)
    decision, shares = model.decision_function(IMAGES), model.predict_proba(IMAGES)
    assert len(model.heads_) == 2 and decision.shape == (30,)
    np.testing.assert_allclose(decision, np.log(shares[:, 1] / shares[:, 0]), atol=1e-12)
    assert (model.predict(IMAGES) == model.classes_[(decision > 0).astype(int)]).all()


def test_the_decision_of_two_heads_keeps_its_sign_where_numbers_round():
    logits = np.array(
        [[800.0, 900.0], [900.0, 800.0], [40.0, 41.0], [-900.0, -800.0], [3.0, 3.0], [0.0, 5e-324], [1e300, -1e300]]
    )
    assert np.sign(log_ratio(logits)).tolist() == [1, -1, 1, 1, 0, 1, -1]
    many = np.random.default_rng(0).normal(size=(1000, 2)) * 30
    assert (np.sign(log_ratio(many)) == np.sign(many[:, 1] - many[:, 0])).all()


@pytest.mark.parametrize("going_on", ["partial_fit", "warm_start"])
def test_going_on_is_training_longer(going_on):
    whole = small(iterations=36).fit(IMAGES, NAMES)
    model = small(warm_start=going_on == "warm_start")
    for call in range(3):
        if going_on == "warm_start":
            model.fit(IMAGES, NAMES)
        else:
            model.partial_fit(IMAGES, NAMES, classes=["cat", "bee", "ant"] if call == 0 else None)
        assert model.n_iter_ == 12 * (call + 1) == len(model.loss_curve_)
    assert same_bits(model, whole)
    assert not same_bits(model.set_params(warm_start=False).fit(IMAGES, NAMES), whole)


def test_partial_fit_takes_parts_that_lack_classes_and_images():
    model = small().partial_fit(IMAGES[:2], NAMES[:2], classes=np.unique(NAMES))
    model.partial_fit(IMAGES[2:], NAMES[2:])
    assert model.n_iter_ == 24 and set(model.predict(IMAGES)) <= set(NAMES)


def test_batches_larger_than_the_data_are_all_of_it():
    with pytest.warns(UserWarning, match=r"^batch_size: 1000 is more than the 30 images for training; a batch is all of them$"):
        found = small(batch_size=1000).fit(IMAGES, NAMES)
    assert same_bits(found, small(batch_size=30).fit(IMAGES, NAMES))


def test_random_state():
    assert small(random_state=np.int64(5)).fit(IMAGES, NAMES).seed_ == 5
    drawn = [small(random_state=np.random.RandomState(1)).fit(IMAGES, NAMES) for _ in range(2)]
    assert same_bits(*drawn) and same_bits(drawn[0], small(random_state=drawn[0].seed_).fit(IMAGES, NAMES))
    np.random.seed(0)
    assert small(random_state=None).fit(IMAGES, NAMES).seed_ != small(random_state=None).fit(IMAGES, NAMES).seed_


WRONG = {
    "kernel_size: must be an odd number from 1, not 4": {"kernel_size": 4},
    "kernel_size: must be an odd number from 1, not None": {"kernel_size": None},
    "kernel_size: must be at most 5 for 6 x 5 images, not 7": {"kernel_size": 7},
    "alpha: must be positive and finite, not -1.0": {"alpha": -1.0},
    "iterations: must be a whole number, not '1.5'": {"iterations": 1.5},
    "batch_size: must be at least 1, or all, not 0": {"batch_size": 0},
    "loss: must be half_squared_error or binary_cross_entropy, not 'hinge'": {"loss": "hinge"},
    "schedule: must be constant or cosine, not 'step'": {"schedule": "step"},
    "init: notebook_draws is for `ovrcnn train data=notebook`; he and notebook fit any data": {"init": "notebook_draws"},
    "scale: must be positive and finite, or None, not 0.0": {"scale": 0},
    "n_jobs: must be a number of workers, -1 for one a core, or None for 1, not 0": {"n_jobs": 0},
    "n_jobs: must be a number of workers, -1 for one a core, or None for 1, not 'all'": {"n_jobs": "all"},
    "dtype: must be float32 or float64, not 'float16'": {"dtype": "float16"},
    "engine: must be numba or numpy, not 'abacus'": {"engine": "abacus"},
    "random_state: must be from 0 to 4294967295, not -1": {"random_state": -1},
    "image_shape: 5 x 6 does not fit X with 6 x 5 pixels": {"image_shape": (5, 6)},
    "image_shape: must be (H, W), each at least 2, not (30,)": {"image_shape": 30},
    "image_shape: must be (H, W), each at least 2, not (1, 30)": {"image_shape": (1, 30)},
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_argument_is_named_and_the_constructor_takes_it(message):
    with pytest.raises(ValueError) as caught:
        small(**WRONG[message]).fit(IMAGES, NAMES)
    assert str(caught.value).startswith(message)


def test_several_wrong_arguments_are_listed():
    with pytest.raises(ValueError, match=r"^alpha: .*\nfilters: |^filters: .*\nalpha: "):
        small(alpha=0.0, filters=0).fit(IMAGES, NAMES)


@pytest.mark.filterwarnings("ignore:X. pixels reach 1e")
def test_wrong_data_is_named():
    model = small().fit(IMAGES, NAMES)
    with pytest.raises(ValueError, match=r"y: holds 1 class, \['ant'\]"):
        small().fit(IMAGES, ["ant"] * 30)
    with pytest.raises(ValueError, match="X: must have images of 6 x 5 pixels, not 5 x 6"):
        model.predict(IMAGES.transpose(0, 2, 1))
    with pytest.raises(ValueError, match="image_shape: 4 x 4 does not fit X with 30 pixels"):
        small(image_shape=(4, 4)).fit(IMAGES.reshape(30, 30), NAMES)
    with pytest.raises(ValueError, match=r"y: holds \['asp'\], which are not among the classes \['ant', "):
        model.partial_fit(IMAGES, np.where(NAMES == "ant", "asp", NAMES))
    with pytest.raises(ValueError, match="classes: must be those of the first call"):
        model.partial_fit(IMAGES, NAMES, classes=["ant", "asp"])
    with pytest.raises(ValueError, match="classes: must be given at the first call"):
        small().partial_fit(IMAGES, NAMES)
    with pytest.raises(ValueError, match="y: must be of one type, not of int, str"):
        small().fit(IMAGES, np.array(["ant", 1] * 15, dtype=object))
    with pytest.raises(ValueError, match="X: must have images of at least 2 x 2 pixels, not 8 x 0"):
        small().fit(np.empty((30, 8, 0)), NAMES)
    with pytest.raises(ValueError, match="path: must be the folder of a record, not None"):
        OneVsRestCNN.from_record(None)
    with pytest.raises(ValueError, match="kernel_size, filters and dtype must stay"):
        small(kernel_size=5).fit(IMAGES, NAMES).set_params(kernel_size=3).partial_fit(IMAGES, NAMES)
    with pytest.raises(ValueError, match="pixels that are too large for float32"):
        small(dtype="float32").fit(IMAGES, NAMES).predict(IMAGES * 1e300)
    with pytest.raises(ValueError, match="dim 4"):
        small().fit(IMAGES[None], NAMES)


def test_training_that_breaks_says_so_and_keeps_what_was_trained_before():
    model = small().fit(IMAGES, NAMES)
    before = model.heads_
    with pytest.raises(NonFiniteError, match=r"head (ant|bee|cat): nan or inf at iteration 1[3-9] with alpha 1e\+308"):
        model.set_params(alpha=1e308).partial_fit(IMAGES, NAMES)
    assert model.heads_ is before and model.n_iter_ == 12
    with pytest.raises(NonFiniteError, match="; a smaller alpha keeps the numbers finite"):
        model.partial_fit(IMAGES, NAMES)
    with pytest.raises(NonFiniteError):
        model.fit(IMAGES, NAMES)
    assert not hasattr(model, "heads_")


@pytest.mark.filterwarnings("ignore:X. pixels reach inf")
def test_pixels_that_are_at_fault_are_named_and_not_alpha():
    with pytest.raises(NonFiniteError, match="; pixels reach inf, divided by scale=1e-320; one that brings them to "):
        small(scale=1e-320).fit(IMAGES, NAMES)
