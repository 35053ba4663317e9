"""The compiled engine in processes of its own: the same bits on other CPU types, and one cache for all."""

import os
import subprocess
import sys

import llvmlite.binding as llvm
import pytest

from tests.helpers.digests import NARROW, ROOT, WIDE, digest, output, start_process

pytestmark = pytest.mark.slow

CPUS = {
    "haswell": ("haswell", ""),
    "skylake-avx512": ("skylake-avx512", "+avx512f,+avx512vl,+avx512bw,+avx512dq"),
    "generic": ("x86-64", "+fma,+avx"),
}


@pytest.mark.parametrize("cpu", CPUS)
def test_other_cpus_compute_the_same_bits(cpu, tmp_path):
    name, features = CPUS[cpu]
    here = llvm.get_host_cpu_features()
    if not all(here.get(feature.lstrip("+")) for feature in features.split(",") if feature):
        pytest.skip(f"this machine's CPU is no {name}: it lacks one of {features}")
    # Both precisions where it differs most from this machine; each takes seconds to compile.
    kinds = (NARROW, WIDE) if cpu == "generic" else (NARROW,)
    process = start_process(tmp_path, *kinds, NUMBA_CPU_NAME=name, NUMBA_CPU_FEATURES=features)
    # Code for this machine's own CPU is no use to another.
    assert output(process) == ["False", "True", digest(*kinds), "0", str(len(kinds))]


def test_what_setup_compiles_is_what_sweeps_need_also_when_one_compiles_beside_it(tmp_path):
    """Processes that start at once on an empty cache agree, and a later one compiles nothing, and knows it beforehand."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    beside = start_process(tmp_path, WIDE)
    subprocess.run([sys.executable, "-W", "error", "-m", "pipeline.heads.compiled"], env=environment, cwd=ROOT, check=True)
    assert output(beside)[1:3] == ["True", digest(WIDE)]
    assert output(start_process(tmp_path, NARROW, WIDE)) == ["True", "True", digest(NARROW, WIDE), "2", "0"]
    # Each in an index of its own, which no other process writes to at the same moment.
    assert len(list(tmp_path.rglob("*.nbi"))) == 2
