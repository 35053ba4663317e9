"""The certification itself: it accepts what is right, and a wrong gradient of any kind does not pass."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.certify import gradients as certify
from pipeline.certify.gradients import KINDS, PARAMETERS, TOLERANCE, Case, Routing, random_draw
from pipeline.heads import engines, layers, numpy_engine
from pipeline.heads.choices import GRADIENTS, LOSSES

CASE = Case((5, 6), 3, 2)


def certified(case=CASE, engine="numpy", draws=2):
    return certify.certify(case, LOSSES, draws, 0, engine, 5)


def failed(certificate):
    return {row.parameter for row in certificate.rows if not row.passes}


SMALL = (Case((2, 2), 1, 1), Case((2, 3), 3, 3), CASE, Case((7, 4), 5, 1))
CASES = [(case, engine) for case in SMALL for engine in ("numpy", "numba")]
CASES += [(Case((7, 9), 7, 2), "numba"), (Case((9, 10), 9, 1), "numba")]


@pytest.mark.parametrize(("case", "engine"), CASES)
def test_every_gradient_is_certified(case, engine):
    found = certified(case, engine)
    assert [(row.loss, row.parameter) for row in found.rows] == [(loss, name) for loss in LOSSES for name in PARAMETERS]
    assert not failed(found)
    assert all(max(row.texture, row.background, row.held) < 1e-7 and row.engine < 1e-12 for row in found.rows)
    assert {(row.loss, row.kind) for row in found.notebook} == {(loss, kind) for loss in LOSSES for kind in KINDS[:2]}
    # Of 2 x 2 pixels the notebook may drop all.
    shown = [row for row in found.notebook if not np.isnan(row.cosine)]
    assert all(abs(row.cosine) < 1 + 1e-12 and 0 <= row.negative <= 1 for row in shown)
    assert len(shown) == len(found.notebook) or case.image_shape == (2, 2)


def test_the_same_seed_gives_the_same_certificate():
    assert certified() == certified()


@pytest.mark.parametrize("kind", KINDS)
def test_the_kinds_of_images_are_what_they_are_called(kind):
    for seed in range(5):
        draw = random_draw(np.random.default_rng(seed), Case((8, 8), 3, 1), kind)
        tied = certify.routing(certify.feature_map(draw.head, draw.images)).tied
        if kind == "texture":
            assert not tied.any()
        else:
            assert tied.mean() > 0.2
        if kind == "ties":
            assert set(np.unique(draw.images)) == {0, 1} and not draw.head.bias.any()
    with pytest.raises(ValueError, match="kind must be one of texture, background, ties"):
        random_draw(np.random.default_rng(0), CASE, "noise")


def test_across_kinks_the_losss_differences_are_another_branchs():
    """Otherwise the column for ties would say nothing that the others do not."""
    rows = certified(Case((8, 8), 3, 1)).rows
    assert all((row.kinks > 0.01) == (row.parameter in ("kernel", "bias")) for row in rows)


def test_two_routings_are_equal_if_the_same_values_get_through():
    winner, tied = np.array([0, 3, 2]), np.zeros(3, bool)
    one = Routing(winner, np.array([True, True, False]), tied)
    assert one == Routing(np.array([0, 3, 1]), np.array([True, True, False]), ~tied)
    assert one != Routing(np.array([1, 3, 2]), one.active, tied)
    assert one != Routing(winner, np.array([True, True, True]), tied)
    assert one != "routing"


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_wrong_gradient_of_one_parameter_fails_there_and_only_there(monkeypatch, name):
    real = numpy_engine.gradients

    def wrong(*arguments):
        arrays, loss = real(*arguments)
        changed = [array * (1 + 1e-5) if other == name else array for other, array in zip(PARAMETERS, arrays, strict=True)]
        return tuple(changed), loss

    monkeypatch.setattr(certify, "gradients", wrong)
    assert failed(certified()) == {name}


def test_a_pool_that_takes_the_last_of_equals_fails_on_ties_alone(monkeypatch):
    def last(feature_map):
        places = certify.windows(feature_map)
        winner = 3 - places[::-1].argmax(axis=0)
        return np.maximum(places.max(axis=0), 0), winner

    monkeypatch.setattr(layers, "pool", last)
    rows = [row for row in certified().rows if row.parameter == "kernel"]
    assert all(max(row.texture, row.background) <= TOLERANCE < row.held for row in rows)


def test_a_relu_with_another_derivative_at_0_fails_on_ties_alone(monkeypatch):
    real = layers.unpool

    def active_at_0(d_pooled, pooled, winner, shape):
        return real(d_pooled, np.where(pooled == 0, 1.0, pooled), winner, shape)

    monkeypatch.setattr(layers, "unpool", active_at_0)
    rows = [row for row in certified(Case((8, 8), 3, 1)).rows if row.parameter == "bias"]
    assert all(row.held > TOLERANCE for row in rows)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_an_engine_that_differs_fails(monkeypatch, gradient):
    real = engines.engine("numba")

    def advance(heads, block):
        (after,), losses = real.advance(heads, block)
        return (replace(after, kernel=after.kernel + 0.01) if block.gradient == gradient else after,), losses

    monkeypatch.setattr(certify, "engine", lambda _: SimpleNamespace(advance=advance))
    assert failed(certified(engine="numba")) == {"kernel"}


def test_numbers_that_are_none_fail():
    assert certify.relative_error(np.array([np.nan, 1.0]), np.array([1.0, 1.0])) == np.inf
    assert certify.relative_error(np.zeros(2), np.zeros(2)) == 0
    assert certify.relative_error(np.array([1.0, 4.0]), np.array([1.0, 3.0])) == 0.25


def test_steps_that_always_cross_a_kink_are_refused(monkeypatch):
    monkeypatch.setattr(certify, "is_smooth", lambda *_: False)
    with pytest.raises(ArithmeticError, match="5 x 6 pixels: every draw has a tie within a step of 1e-06"):
        certified()
