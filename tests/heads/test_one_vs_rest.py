"""One-vs-rest: the same bits whoever computes and however training is cut; and what is said when numbers break."""

import pickle
import threading
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import delayed

from pipeline.heads import block as block_module
from pipeline.heads.batches import batches
from pipeline.heads.block import Block
from pipeline.heads.choices import ENGINES, LOSSES
from pipeline.heads.engines import engine
from pipeline.heads.one_vs_rest import BrokenHeadError, Workers, all_logits, one_vs_rest, shares_of
from tests.helpers.heads import alone, frozen, law, random_head, same_array, same_bits

ITERATIONS = 9
RANDOM = np.random.default_rng(0)
IMAGES, LABELS = frozen(RANDOM.integers(0, 17, (12, 6, 5), np.uint8), RANDOM.integers(0, 3, 12))
HEADS = [random_head(RANDOM, 2, 3, (6, 5)) for _ in range(3)]
BLOCK = Block(IMAGES, 16.0, LABELS, batches(1, 12, 5, 0, ITERATIONS), np.full(ITERATIONS, 0.5), LOSSES[0])


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("n_jobs", [1, 2, 4, -1])
def test_the_number_of_workers_does_not_change_a_bit(name, n_jobs):
    heads, losses = one_vs_rest(HEADS, BLOCK, Workers(name))
    found, found_losses = one_vs_rest(HEADS, BLOCK, Workers(name, n_jobs))
    assert same_bits(found, heads) and same_array(found_losses, losses)
    logits = all_logits(heads, IMAGES, 16.0, Workers(name))
    assert same_array(all_logits(heads, IMAGES, 16.0, Workers(name, n_jobs)), logits)
    assert logits.shape == (12, 3) and losses.shape == (ITERATIONS, 3)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_heads_of_different_kernels_keep_their_places(name, n_jobs):
    mixed = [HEADS[0], random_head(np.random.default_rng(1), 2, 5, (6, 5)), HEADS[2]]
    shares = shares_of(mixed, Workers(name, n_jobs))
    assert sorted(j for share in shares for j in share) == [0, 1, 2]
    assert all(len({mixed[j].kernel.shape for j in share}) == 1 for share in shares)
    found, losses = one_vs_rest(mixed, BLOCK, Workers(name, n_jobs))
    logits = all_logits(found, IMAGES, 16.0, Workers(name, n_jobs))
    for j, head in enumerate(mixed):
        after, own = alone(engine(name), head, BLOCK.of_heads([j]))
        assert same_bits(found[j], after) and own.tobytes() == losses[:, j].tobytes()
        assert logits[:, j].tobytes() == engine(name).logits([after], IMAGES, 16.0).tobytes()


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_no_more_threads_than_workers_compute_and_results_keep_their_order(n_jobs):
    lock, now, most = threading.Lock(), 0, 0

    def call(number):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return number

    assert Workers(n_jobs=n_jobs).run(delayed(call)(number) for number in range(7)) == list(range(7))
    assert most == n_jobs


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_in_a_thread_is_raised(n_jobs):
    def call(number):
        if number == 2:
            raise BrokenHeadError(2, 7, 0.5)

    with pytest.raises(BrokenHeadError, match=r"^head 2: nan or inf at the block's iteration 7 with alpha 0\.5$"):
        Workers(n_jobs=n_jobs).run(delayed(call)(number) for number in range(4))


@law(20)
@given(st.sets(st.integers(1, ITERATIONS - 1)))
@pytest.mark.parametrize("name", ENGINES)
def test_blocks_of_any_length_give_the_same_bits(name, cuts):
    whole, losses = one_vs_rest(HEADS, BLOCK, Workers(name))
    heads, parts, ends = HEADS, [], sorted({0, ITERATIONS, *cuts})
    for first, last in pairwise(ends):
        heads, part = one_vs_rest(heads, BLOCK.iterations(first, last), Workers(name))
        parts.append(part)
    assert same_bits(heads, whole) and same_array(np.concatenate(parts), losses)


def test_each_head_learns_its_own_label_and_knows_nothing_of_the_others():
    together, losses = one_vs_rest(HEADS, BLOCK, Workers())
    for j, head in enumerate(HEADS):
        own_label = replace(BLOCK, labels=np.where(j == LABELS, 0, 1))
        after, own = alone(engine(Workers().engine), head, own_label)
        assert same_bits(after, together[j]) and own.tobytes() == losses[:, j].tobytes()


@pytest.mark.parametrize("loss", LOSSES)
def test_training_learns(loss):
    labels = np.arange(12) % 3
    images = np.zeros((12, 6, 6), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label : 2 * label + 2] = 1
    heads = [random_head(np.random.default_rng(j), 1, 3, (6, 6)) for j in range(3)]
    block = Block(images, 1.0, labels, batches(0, 12, 6, 0, 300), np.full(300, 0.5), loss)
    trained, losses = one_vs_rest(heads, block, Workers())
    assert (losses[-20:].mean(axis=0) < 0.1 * losses[0]).all()
    assert all_logits(trained, images, 1.0, Workers()).argmax(axis=1).tolist() == labels.tolist()


@pytest.mark.parametrize("name", ENGINES)
def test_a_loss_that_has_a_name_and_no_formulas_is_refused(name, monkeypatch):
    monkeypatch.setattr(block_module, "LOSSES", (*LOSSES, "hinge"))
    with pytest.raises(ValueError, match="loss must be one of half_squared_error, binary_cross_entropy, not 'hinge'"):
        one_vs_rest(HEADS, replace(BLOCK, loss="hinge"), Workers(name))


def broken_by(heads, block, workers=None):
    with pytest.raises(BrokenHeadError) as caught:
        one_vs_rest(heads, block, workers or Workers())
    return caught.value


def steps_of(alpha):
    return np.full(ITERATIONS, alpha)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_that_break_are_reported_with_head_iteration_and_alpha(loss, dtype):
    heads = [head.astype(dtype) for head in HEADS]
    error = broken_by(heads, replace(BLOCK, alphas=steps_of(1e308), loss=loss))
    assert isinstance(error, ArithmeticError) and error.alpha == 1e308
    assert error.head in range(3) and error.iteration in range(ITERATIONS)
    # Up to that iteration all is well.
    if error.iteration:
        one_vs_rest(heads, replace(BLOCK, alphas=steps_of(1e308), loss=loss).iterations(0, error.iteration), Workers())


def test_the_alpha_that_is_named_is_that_of_the_iteration():
    alphas = steps_of(0.5)
    alphas[4:] = 1e308
    error = broken_by(HEADS, replace(BLOCK, alphas=alphas, loss=LOSSES[1]))
    assert error.iteration >= 4 and error.alpha == 1e308


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(("loss", "scale"), [(LOSSES[0], 16.0), (LOSSES[1], 16.0), (LOSSES[1], 0.01)])
def test_what_is_named_does_not_depend_on_the_blocks_or_the_workers(loss, scale, name):
    """A block's length follows the clock: what is said must not. With scale 0.01 the first update itself overflows."""
    whole = replace(BLOCK, alphas=steps_of(1e38), loss=loss, scale=scale)
    said = set()
    for length, n_jobs in ((1, 1), (2, 2), (3, 1), (ITERATIONS, 2), (ITERATIONS, 1)):
        heads = [head.astype("float32") for head in HEADS]
        with pytest.raises(BrokenHeadError) as caught:
            for first in range(0, ITERATIONS, length):
                heads, _ = one_vs_rest(heads, whole.iterations(first, first + length), Workers(name, n_jobs))
        said.add((caught.value.head, first + caught.value.iteration, caught.value.alpha))
    assert len(said) == 1, said


def test_of_heads_that_break_at_once_the_first_is_named_and_else_the_earliest():
    later, sooner = (random_head(np.random.default_rng(0), 2, 3, (6, 5)) for _ in range(2))
    sooner.bias[0] = np.nan
    assert broken_by([HEADS[0], sooner, sooner], BLOCK).head == 1
    # Head 0 sees no overflow before its first update, head 1 is broken from the start.
    error = broken_by([later, sooner], replace(BLOCK, alphas=np.append(steps_of(0.5)[1:], 1e308)))
    assert (error.head, error.iteration) == (1, 0)


def test_a_head_that_starts_broken_is_named_with_the_first_iteration_of_its_block():
    broken = [*HEADS[:2], random_head(np.random.default_rng(0), 1, 3, (6, 5))]
    broken[2].bias[0] = np.nan
    error = broken_by(broken, BLOCK.iterations(4, ITERATIONS))
    assert (error.head, error.iteration, error.alpha) == (2, 0, 0.5)


def test_the_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(BrokenHeadError(2, 5, 0.5)))
    assert (error.head, error.iteration, error.alpha) == (2, 5, 0.5)
    assert str(error) == "head 2: nan or inf at the block's iteration 5 with alpha 0.5"


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="weights"):
        one_vs_rest(HEADS, replace(BLOCK, images=IMAGES[:, :4]), Workers())
    with pytest.raises(ValueError, match="engine must be"):
        one_vs_rest(HEADS, BLOCK, Workers("abacus"))
