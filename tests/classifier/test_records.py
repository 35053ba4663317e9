"""From a record to a fitted classifier, what it explains, and what the classifier warns of."""

import json

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier
from sklearn.exceptions import ConvergenceWarning

from pipeline import OneVsRestCNN
from pipeline.base.errors import FileError
from pipeline.base.files import sha256_sums
from pipeline.heads.elementary import sigmoid
from pipeline.records.record import read_record
from tests.helpers.heads import same_array, same_bits
from tests.helpers.records import point_of, small_data, small_settings, train

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.random((40, 6, 5))
NAMES = np.array(["ant", "bee"])[np.arange(40) % 2]
SMALL = {"iterations": 12, "batch_size": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A record of 5 x 4 images of 8 bits, whose scale was learnt."""
    return train(small_settings(tmp_path_factory.mktemp("experiments")), small_data())


def test_a_record_comes_back_as_the_classifier_that_gave_it(folder):
    record, dataset = read_record(folder), small_data()
    model = OneVsRestCNN.from_record(str(folder))
    assert same_bits(model.heads_, record.heads) and same_array(model.loss_curve_, np.array(record.losses))
    assert model.classes_.tolist() == list(dataset.classes) and model.n_iter_ == 40 and model.scale_ == dataset.scale == 16
    logits = model.decision_function(dataset.images)
    vectors = record.y_hat
    assert sigmoid(logits[vectors["image"]]).tobytes() == vectors.iloc[:, 2:].to_numpy().tobytes()
    assert model.predict(dataset.images.reshape(15, -1)).tolist() == model.predict(dataset.images).tolist()


def test_it_goes_on_and_starts_anew_as_the_pipeline_does(folder):
    dataset, settings = small_data(), small_settings(folder.parents[3])
    further = read_record(train(small_settings(folder.parents[3], 60), dataset))
    model, chosen = OneVsRestCNN.from_record(folder), dataset.split == 0
    images, labels = dataset.images[chosen], np.array(dataset.classes)[dataset.labels[chosen]]
    assert same_bits(model.set_params(iterations=20).partial_fit(images, labels).heads_, further.heads)
    assert same_bits(model.set_params(iterations=60).fit(images, labels).heads_, further.heads)
    assert model.get_params()["alpha"] == settings.training.alpha


def test_classes_that_are_whole_numbers_come_back_as_such(tmp_path):
    model = OneVsRestCNN.from_record(train(small_settings(tmp_path), small_data(names=("10", "-2", "0"))))
    assert model.predict(small_data().images[:3]).dtype == np.int64 and model.classes_.tolist() == [-2, 0, 10]
    other = OneVsRestCNN.from_record(train(small_settings(tmp_path / "other"), small_data(names=("01", "2"))))
    assert other.classes_.tolist() == ["01", "2"]


def as_earlier(folder):
    """The record as before it said what its heads take."""
    result = json.loads((folder / "result.json").read_text())
    assert result.pop("input") == {"image_shape": [5, 4], "scale": 16.0, "largest": 16.0}
    (folder / "result.json").write_text(json.dumps(result))
    held = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "SHA256SUMS"}
    (folder / "SHA256SUMS").write_bytes(sha256_sums(held))


def test_an_earlier_record_asks_its_data(tmp_path):
    point = point_of(small_settings(tmp_path), small_data())
    folder = train(point.settings, small_data())
    expected = OneVsRestCNN.from_record(folder)
    as_earlier(folder)
    found = OneVsRestCNN.from_record(folder)
    assert (found.scale_, found.image_shape_, found.largest_) == (16, (5, 4), 16) and same_bits(found.heads_, expected.heads_)
    point.data.unlink()
    with pytest.raises(FileError, match=r"the data of this point is not here \(that of digits is other data now\)"):
        OneVsRestCNN.from_record(folder)
    with pytest.raises(FileError, match="is not a finished point"):
        OneVsRestCNN.from_record(tmp_path)


def test_an_explanation_is_the_decision_step_by_step(folder):
    model, images = OneVsRestCNN.from_record(folder), small_data().images
    for given in (images[3], images[3][..., None], images[3].reshape(-1)):
        shown = model.explain(given)
        np.testing.assert_allclose(shown.logits, model.decision_function(images[3:4])[0], rtol=1e-5)
        assert shown.classes[shown.answer] == model.predict(images[3:4])[0]
    arrays = shown.arrays()
    assert set(arrays) >= {"image", "scale", "classes", "head0/kernel", "head2/winner", "head2/contributions", "head2/logit"}
    added = [arrays[f"head{j}/contributions"].sum() + arrays[f"head{j}/bias_flat"] for j in range(3)]
    np.testing.assert_allclose(added, shown.logits, rtol=1e-5)
    assert shown._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="X: must have images of 5 x 4 pixels, not 6 x 5"):
        model.explain(IMAGES[0])


def test_unscaled_pixels_are_warned_of_and_scale_mends_them():
    stored = (IMAGES * 255).astype(np.uint8)
    stored[0, 0, 0] = 255
    with pytest.warns(UserWarning, match=r"^X: pixels reach 255 and look unscaled; scale=255 brings them to \[0, 1\]$"):
        OneVsRestCNN(**SMALL, alpha=1e-5).fit(stored, NAMES)
    expected = OneVsRestCNN(**SMALL).fit(stored * np.float32(1 / 255), NAMES)
    for scale in (255, None):
        assert same_bits(OneVsRestCNN(**SMALL, scale=scale).fit(stored, NAMES).heads_, expected.heads_)
    with pytest.warns(UserWarning, match="^X: pixels reach 255, those of training 1; bring them to one scale$"):
        expected.predict(stored)
    with pytest.raises(ValueError, match=r"^scale: must be positive and finite, or None, not 0"):
        OneVsRestCNN(scale=0).fit(stored, NAMES)
    OneVsRestCNN(**SMALL).fit((IMAGES - IMAGES.mean()) * 40, NAMES)


def test_dead_heads_are_warned_of():
    """All pixels negative and kernels of positive sum: no feature is active."""
    with pytest.warns(ConvergenceWarning, match="^dead heads, of ant, bee: no pooled feature is active on any image; another "):
        OneVsRestCNN(**SMALL).fit(-1 - np.zeros((4, 6, 5)), NAMES[:4])


def test_colour_is_told_how_to_become_grey_and_one_channel_is_grey():
    with pytest.raises(
        ValueError, match=r"^X: must be grey, \(N, H, W\), not three colours a pixel, \(40, 6, 5, 3\); the mean"
    ):
        OneVsRestCNN(**SMALL).fit(np.zeros((40, 6, 5, 3)), NAMES)
    expected = OneVsRestCNN(**SMALL).fit(IMAGES, NAMES)
    found = OneVsRestCNN(**SMALL).fit(IMAGES[..., None], NAMES)
    assert found.image_shape_ == (6, 5) and same_bits(found.heads_, expected.heads_)
    assert found.predict(IMAGES[..., None].tolist()).tolist() == expected.predict(IMAGES).tolist()


def test_sample_weight_is_refused_as_scikit_learn_does():
    with pytest.raises(TypeError, match="unexpected keyword argument 'sample_weight'"):
        OneVsRestCNN().fit(IMAGES, NAMES, sample_weight=np.ones(40))
    with pytest.raises(ValueError, match="OneVsRestCNN doesn't support sample_weight"):
        AdaBoostClassifier(OneVsRestCNN(**SMALL)).fit(IMAGES.reshape(40, -1), NAMES)
    assert "No sample_weight" in OneVsRestCNN.__doc__
