"""One-vs-rest: the same bits whoever computes and however training is cut; and what is said when numbers break."""

from itertools import pairwise

import numpy as np
import pytest
from head_cases import LOSSES, frozen, law, random_head, same_array, same_bits
from hypothesis import given
from hypothesis import strategies as st

from pipeline.heads.batches import alphas, batches
from pipeline.heads.engines import engine
from pipeline.heads.one_vs_rest import NonFiniteError, Workers, all_logits, one_vs_rest
from pipeline.settings import ENGINES

CLASSES = ("ant", "bee", "cat")
ITERATIONS = 9
RANDOM = np.random.default_rng(0)
IMAGES, LABELS = frozen(RANDOM.integers(0, 17, (12, 6, 5), np.uint8), RANDOM.integers(0, 3, 12))
HEADS = [random_head(RANDOM, 2, 3, (6, 5)) for _ in CLASSES]


def train(heads, first, last, workers=None, alpha=0.5, loss=LOSSES[0], scale=16.0):
    rows, steps = batches(1, 12, 5, first, last), alphas(alpha, "constant", ITERATIONS, first, last)
    return one_vs_rest(heads, IMAGES, scale, LABELS, rows, steps, loss, "exact", workers or Workers(), CLASSES, first)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("backend", ["threads", "processes"])
@pytest.mark.parametrize("n_jobs", [1, 2, 4])
def test_number_and_kind_of_workers_do_not_change_a_bit(name, backend, n_jobs):
    heads, losses = train(HEADS, 0, ITERATIONS, Workers(name))
    found, found_losses = train(HEADS, 0, ITERATIONS, Workers(name, n_jobs, backend))
    assert same_bits(found, heads) and same_array(found_losses, losses)
    logits = all_logits(heads, IMAGES, 16.0, Workers(name))
    assert same_array(all_logits(heads, IMAGES, 16.0, Workers(name, n_jobs, backend)), logits)
    assert logits.shape == (12, 3) and losses.shape == (ITERATIONS, 3)


@law(20)
@given(st.sets(st.integers(1, ITERATIONS - 1)))
@pytest.mark.parametrize("name", ENGINES)
def test_blocks_of_any_length_give_the_same_bits(name, cuts):
    whole, losses = train(HEADS, 0, ITERATIONS, Workers(name))
    heads, parts, ends = HEADS, [], sorted({0, ITERATIONS, *cuts})
    for first, last in pairwise(ends):
        heads, part = train(heads, first, last, Workers(name))
        parts.append(part)
    assert same_bits(heads, whole) and same_array(np.concatenate(parts), losses)


def test_each_head_learns_its_own_label_and_knows_nothing_of_the_others():
    together, losses = train(HEADS, 0, ITERATIONS)
    rows, steps = batches(1, 12, 5, 0, ITERATIONS), np.full(ITERATIONS, 0.5)
    for j, head in enumerate(HEADS):
        alone, own = engine(Workers().engine).advance(head, IMAGES, 16.0, j == LABELS, rows, steps, LOSSES[0], "exact")
        assert same_bits(alone, together[j]) and same_array(own, np.ascontiguousarray(losses[:, j]))


@pytest.mark.parametrize("loss", LOSSES)
def test_training_learns(loss):
    labels = np.arange(12) % 3
    images = np.zeros((12, 6, 6))
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 2] = 1
    heads = [random_head(np.random.default_rng(j), 1, 3, (6, 6)) for j in range(3)]
    rows, steps = batches(0, 12, 6, 0, 300), np.full(300, 0.5)
    trained, losses = one_vs_rest(heads, images, 1.0, labels, rows, steps, loss, "exact", Workers(), CLASSES)
    assert (losses[-20:].mean(axis=0) < 0.1 * losses[0]).all()
    assert all_logits(trained, images, 1.0, Workers()).argmax(axis=1).tolist() == labels.tolist()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_that_break_are_reported_with_head_iteration_and_alpha(loss, dtype):
    with pytest.raises(NonFiniteError, match=r"^head (ant|bee|cat): nan or inf at iteration \d+ with alpha 1e\+308; "):
        train([head.astype(dtype) for head in HEADS], 0, ITERATIONS, alpha=1e308, loss=loss)


@pytest.mark.parametrize(("loss", "scale"), [(LOSSES[0], 16.0), (LOSSES[1], 16.0), (LOSSES[1], 0.01)])
def test_the_iteration_that_is_named_does_not_depend_on_the_blocks(loss, scale):
    """A block's length follows the clock: what is said must not. With scale 0.01 the first update itself overflows."""
    said = set()
    for length in (1, 2, 3, ITERATIONS):
        heads = [head.astype("float32") for head in HEADS]
        with pytest.raises(NonFiniteError) as caught:
            for first in range(0, ITERATIONS, length):
                heads, _ = train(heads, first, min(first + length, ITERATIONS), alpha=1e38, loss=loss, scale=scale)
        said.add(str(caught.value))
    assert len(said) == 1, said


def test_a_head_that_starts_broken_is_named_with_the_first_iteration_of_its_block():
    broken = [*HEADS[:2], random_head(np.random.default_rng(0), 1, 3, (6, 5))]
    broken[2].bias[0] = np.nan
    with pytest.raises(NonFiniteError, match=r"head cat: nan or inf at iteration 5 with alpha 0\.5;"):
        train(broken, 4, ITERATIONS)


def test_what_does_not_fit_is_refused():
    rows, steps = batches(1, 12, 5, 0, 3), np.full(3, 0.5)
    with pytest.raises(ValueError, match="3 batches need as many alphas"):
        one_vs_rest(HEADS, IMAGES, 16.0, LABELS, rows, steps[:2], LOSSES[0], "exact", Workers(), CLASSES)
    with pytest.raises(ValueError, match="12 images as many targets"):
        one_vs_rest(HEADS, IMAGES, 16.0, LABELS[:11], rows, steps, LOSSES[0], "exact", Workers(), CLASSES)
    with pytest.raises(ValueError, match="weights"):
        one_vs_rest(HEADS, IMAGES[:, :4], 16.0, LABELS, rows, steps, LOSSES[0], "exact", Workers(), CLASSES)
    with pytest.raises(ValueError, match="engine must be"):
        train(HEADS, 0, 1, Workers("abacus"))
