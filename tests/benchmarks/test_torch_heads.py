"""torch's heads do the engine's job, where torch is installed; and jobs that it cannot do are refused."""

import pytest

from pipeline.benchmarks import torch_heads
from pipeline.benchmarks.contests import check
from tests.helpers.jobs import small_job

pytestmark = pytest.mark.skipif(bool(torch_heads.missing()), reason="torch is not installed")


@pytest.mark.parametrize("make", [torch_heads.together, torch_heads.one_by_one])
@pytest.mark.parametrize(("filters", "kernel_size"), [(1, 3), (2, 5)])
def test_they_agree_with_the_engine(make, filters, kernel_size):
    check("torch", make, small_job(filters, kernel_size, "exact"))


def test_the_notebooks_gradient_is_refused():
    with pytest.raises(ValueError, match="exact gradient"):
        torch_heads.together(small_job(1, 3, "notebook"))
