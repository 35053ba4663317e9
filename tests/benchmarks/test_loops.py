"""The plain loops compute what the NumPy engine computes; so the benchmark's ratios are those of one job."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.benchmarks import loops
from pipeline.benchmarks.contests import DisagreementError, check, ours, plain_loops
from pipeline.benchmarks.jobs import notebook_job
from tests.helpers.jobs import small_job


@pytest.mark.parametrize("gradient", ["exact", "notebook"])
@pytest.mark.parametrize(("filters", "kernel_size"), [(1, 1), (1, 3), (2, 5)])
def test_they_agree_with_the_numpy_engine(filters, kernel_size, gradient):
    job = small_job(filters, kernel_size, gradient)
    expected = ours(job, engine="numpy")()
    assert expected[0].max() > 1.01 * expected[-1].max() or expected[0].min() != expected[-1].min()
    np.testing.assert_allclose(loops.train(job), expected, rtol=1e-9)


def test_they_agree_on_the_notebooks_image():
    job = notebook_job(3).first(3)
    np.testing.assert_allclose(loops.train(job), ours(job, engine="numpy")(), rtol=1e-9)


def test_they_know_one_loss_only():
    with pytest.raises(ValueError, match="half_squared_error"):
        job = small_job(1, 3, "exact")
        loops.train(replace(job, block=replace(job.block, loss="binary_cross_entropy")))


def faster(job):
    return replace(job, block=replace(job.block, alphas=job.block.alphas * 1.01))


def test_a_contestant_that_does_another_job_is_found():
    job = small_job(1, 3, "exact")
    check("plain loops", plain_loops, job)
    with pytest.raises(DisagreementError, match="cheat"):
        check("cheat", lambda job: plain_loops(faster(job)), job)
