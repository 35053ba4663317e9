"""What a head sees of an image: every step held against the formulas, and against the engine's logit."""

import numpy as np
from hypothesis import given

from pipeline.heads import layers, numpy_engine
from pipeline.heads.elementary import sigmoid
from pipeline.heads.forward import forward
from tests.helpers.heads import cases, law, random_head


@law(60)
@given(cases())
def test_every_step_is_its_formula(case):
    head, images, _, _ = case
    image, scale = images[0] * 7, 7.0
    seen = forward(head, image, scale)
    pixels = image * (1 / scale)
    half, (filters, height, width) = head.kernel_size // 2, seen.feature_map.shape
    padded = np.pad(pixels, half)
    for f, i, j in np.ndindex(filters, height, width):
        around = padded[i : i + head.kernel_size, j : j + head.kernel_size]
        np.testing.assert_allclose(seen.feature_map[f, i, j], (around * head.kernel[f]).sum() + head.bias[f], atol=1e-12)
    for f, p, q in np.ndindex(*seen.pooled.shape):
        window = seen.feature_map[f, 2 * p : 2 * p + 2, 2 * q : 2 * q + 2]
        i, j = layers.WINDOW[seen.winner[f, p, q]]
        assert window[i, j] == window.max() and seen.pooled[f, p, q] == max(0.0, window.max())
        assert seen.winners[f, 2 * p : 2 * p + 2, 2 * q : 2 * q + 2].tolist() == [
            [(r, c) == (i, j) for c in (0, 1)] for r in (0, 1)
        ]
        assert seen.contributions[f, p, q] == head.weights[f, p, q] * seen.pooled[f, p, q]
    assert seen.winners.sum() == seen.winner.size
    np.testing.assert_allclose(seen.logit, seen.contributions.sum() + head.bias_flat, atol=1e-12)
    assert seen.logit == numpy_engine.logits([head], image[None], scale)[0, 0] and seen.y_hat == sigmoid(seen.logit)


def test_all_arrays_are_there_by_name():
    seen = forward(random_head(np.random.default_rng(0), 2, 3, (5, 4)), np.ones((5, 4)), 1.0)
    shapes = {name: np.shape(array) for name, array in seen.arrays().items()}
    pooled = (2, 2, 2)
    assert shapes == {
        "feature_map": (2, 5, 4), "winner": pooled, "pooled": pooled, "contributions": pooled, "logit": (), "y_hat": (),
    }  # fmt: skip
