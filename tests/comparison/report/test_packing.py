"""Numbers that are packed read as they did."""

import gzip
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest

from pipeline.comparison.report.packing import letters_each, packed, rounded


def fixed(value, decimals):
    """As JavaScript's toFixed: the number itself is rounded, halves up."""
    return str(Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def read(value):
    """As the page writes a y-hat."""
    return fixed(value, 4) if value >= 0.001 else f"{value:.2e}"


def made(seed=0, rows=4000):
    """Sure and unsure heads, and numbers that lie a hair beside the middle of two readings."""
    random = np.random.default_rng(seed)
    sure = 1 / (1 + np.exp(-random.normal(scale=8, size=(rows, 5))))
    middles = (random.integers(0, 10_000, (rows, 5)) + 0.5) / 10_000 + random.choice([-1e-12, 1e-9, -1e-8, 3e-8], (rows, 5))
    small = 10.0 ** random.uniform(-40, -3, (rows, 5))
    return np.concatenate([sure, np.clip(middles, 0, 1), small])


def test_every_y_hat_reads_as_it_did_and_answers_stay():
    y_hat = made()
    kept = rounded(y_hat)
    assert kept.dtype == np.float32
    assert [*map(read, kept.ravel().tolist())] == [*map(read, y_hat.ravel().tolist())]
    assert (kept.argmax(axis=1) == y_hat.argmax(axis=1)).all()
    np.testing.assert_allclose(kept, y_hat, rtol=2e-4, atol=1e-7)
    for decimals in (2, 3, 6):
        assert [fixed(x, decimals) for x in kept.ravel().tolist()] == [fixed(x, decimals) for x in y_hat.ravel().tolist()]


def test_sure_heads_that_no_float_tells_apart_keep_their_order():
    y_hat = np.array([[1 - 1e-12, 1 - 1e-9, 1 - 1e-11], [1e-60, 1e-50, 0.0], [np.nan] * 3])
    kept = rounded(np.array([[*row] for row in y_hat[:, ::-1]]))
    assert kept[:2].argmax(axis=1).tolist() == [2, 1]
    assert np.isnan(kept[2]).all()
    np.testing.assert_allclose(kept[:2], y_hat[:2, ::-1], atol=1e-7)


def test_they_take_less_room_than_plain_ones():
    # As of ten heads that are as sure as trained ones: nine of them say no.
    y_hat = 1 / (1 + np.exp(np.random.default_rng(0).normal(6, 3, (4000, 10))))
    assert len(packed(rounded(y_hat))[0]) < 0.85 * len(packed(y_hat.astype(np.float32))[0])


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8"])
def test_an_array_is_its_bytes_shuffled_and_zipped(dtype):
    array = np.arange(700).reshape(20, 35).astype(dtype)
    content, shuffled = packed(array)
    plain = np.frombuffer(gzip.decompress(content), np.uint8)
    plain = plain.reshape(array.itemsize, -1).T if shuffled else plain
    assert (np.frombuffer(plain.tobytes(), dtype).reshape(20, 35) == array).all()
    assert content == packed(array)[0]
    assert letters_each(array) * array.size >= len(content) * 4 / 3
    large = np.random.default_rng(0).integers(0, 50, (30_000, 3)).astype(dtype)
    assert letters_each(large) * large.size == pytest.approx(len(packed(large)[0]) * 4 / 3, rel=0.05)
