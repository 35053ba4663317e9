"""Losses, accuracy, recalls and margin of logits whose answers are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.heads import metrics
from pipeline.heads.choices import LOSSES
from pipeline.heads.losses import loss_derivative, loss_value
from tests.helpers.heads import law

LOGITS = st.integers(2, 4).flatmap(
    lambda heads: st.lists(
        st.tuples(st.lists(st.floats(-800, 800), min_size=heads, max_size=heads), st.integers(0, heads - 1)),
        min_size=1, max_size=6,
    )
)  # fmt: skip


def arrays(rows):
    return np.array([z for z, _ in rows]), np.array([label for _, label in rows])


def test_of_equal_logits_the_first_head_wins():
    logits = np.zeros((3, 3))
    assert metrics.accuracy(logits, np.array([0, 1, 2])) == 1 / 3
    assert metrics.recalls(logits, np.array([0, 1, 2])) == [1.0, 0.0, 0.0]


def test_recall_of_a_class_without_images_is_none():
    logits = np.array([[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [2.0, 1.0, 0.0]])
    assert metrics.recalls(logits, np.array([0, 1, 1])) == [1.0, 0.5, None]
    assert metrics.accuracy(logits, np.array([0, 1, 1])) == 2 / 3


def test_margin_is_the_mean_lead_of_the_right_head_over_the_best_other():
    logits = np.array([[0.0, -800.0, -math.log(3)], [0.0, -math.log(3), -800.0]])
    assert metrics.margin(logits, np.array([0, 0])) == pytest.approx(0.25)
    assert metrics.margin(logits, np.array([0, 1])) == pytest.approx(0.0)
    assert metrics.margin(logits, np.array([1, 2])) == pytest.approx(-0.5)
    assert metrics.margin(np.array([[800.0, -800.0]]), np.array([0])) == 1.0
    assert metrics.margin(np.array([[800.0, -800.0]]), np.array([1])) == -1.0


@law(100)
@given(LOGITS)
def test_bounds_and_the_same_answer_in_any_order(rows):
    logits, labels = arrays(rows)
    assert -1 <= metrics.margin(logits, labels) <= 1
    assert 0 <= metrics.accuracy(logits, labels) <= 1
    assert metrics.accuracy(logits[::-1], labels[::-1]) == metrics.accuracy(logits, labels)
    assert metrics.margin(logits[::-1], labels[::-1]) == pytest.approx(metrics.margin(logits, labels), abs=1e-12)
    before = logits.copy()
    logits.flags.writeable = False
    metrics.margin(logits, labels)
    assert (logits == before).all()


@law(100)
@given(LOGITS)
def test_accuracy_is_the_mean_of_recalls_weighted_by_class(rows):
    logits, labels = arrays(rows)
    recalls = metrics.recalls(logits, labels)
    counts = np.bincount(labels, minlength=logits.shape[1])
    assert [recall is None for recall in recalls] == (counts == 0).tolist()
    weighted = sum(recall * count for recall, count in zip(recalls, counts, strict=True) if recall is not None)
    assert weighted / len(labels) == pytest.approx(metrics.accuracy(logits, labels))


@law(60)
@given(LOGITS, st.sampled_from(LOSSES))
def test_head_losses_are_the_mean_over_images_of_one_against_the_rest(rows, loss):
    logits, labels = arrays(rows)
    for j, found in enumerate(metrics.head_losses(logits, labels, loss)):
        expected = np.mean([loss_value(loss, z[j], np.float64(label == j)) for z, label in rows])
        assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_losses_are_their_formulas(target):
    z = np.linspace(-6, 6, 25)
    y_hat = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(loss_value(LOSSES[0], z, np.full(25, target)), (y_hat - target) ** 2 / 2, rtol=1e-12)
    given_to_target = y_hat if target else 1 - y_hat
    np.testing.assert_allclose(loss_value(LOSSES[1], z, np.full(25, target)), -np.log(given_to_target), rtol=1e-10)
    for loss in LOSSES:
        h = 1e-5
        slope = (loss_value(loss, z + h, np.full(25, target)) - loss_value(loss, z - h, np.full(25, target))) / (2 * h)
        np.testing.assert_allclose(loss_derivative(loss, z, np.full(25, target)), slope, rtol=1e-6, atol=1e-10)


def test_cross_entropy_grows_with_a_wrong_logit_and_does_not_overflow():
    logits = np.array([1e4, -1e4, 1e4, -1e4])
    assert loss_value(LOSSES[1], logits, np.array([0.0, 1.0, 1.0, 0.0]))[:2].tolist() == [1e4, 1e4]
    assert (loss_value(LOSSES[1], logits, np.array([0.0, 1.0, 1.0, 0.0]))[2:] < 1e-300).all()


@pytest.mark.parametrize("function", [loss_value, loss_derivative])
def test_unknown_losses_and_unequal_shapes_are_refused(function):
    with pytest.raises(ValueError, match="loss must be one of"):
        function("hinge", np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match="must have one shape"):
        function(LOSSES[0], np.zeros(2), np.zeros(1))
