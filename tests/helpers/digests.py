"""What a process of its own prints about the compiled engine, for the tests of other CPUs and of the shared cache."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from pipeline.heads.compiled import engine
from tests.helpers.heads import alone, every_gradient, small_job

ROOT = Path(__file__).resolve().parents[2]
# (dtype, kernel size, image shape)
NARROW, WIDE = ("float32", 5, (28, 28)), ("float64", 3, (9, 8))


def digest(*kinds) -> str:
    """A digest of the bytes that small jobs of these kinds end with."""
    value = hashlib.sha256()
    for dtype, k, shape in kinds:
        head, job = small_job(shape, k, 2, dtype=dtype, steps=30)
        for block in every_gradient(job):
            after, losses = alone(engine, head, block)
            logits = engine.logits([after], block.images, block.scale)
            for array in (*after.arrays().values(), losses, logits):
                value.update(np.ascontiguousarray(array).tobytes())
    return value.hexdigest()


def report(*kinds) -> list[str]:
    """Whether all kinds are compiled before any is asked for, and after; the digest; and how often the code
    was loaded and compiled."""
    before, value, after = are_compiled(kinds), digest(*kinds), are_compiled(kinds)
    stats = [form.stats for form in forms(kinds)]
    hits = sum(sum(each.cache_hits.values()) for each in stats)
    misses = sum(sum(each.cache_misses.values()) for each in stats)
    return [str(before), str(after), value, str(hits), str(misses)]


def forms(kinds) -> set:
    """The compiled functions that jobs of these kinds run."""
    return {engine.compiled_for(engine.train_arguments(*engine.smallest(dtype, "uint8"))) for dtype, _, _ in kinds}


def are_compiled(kinds) -> bool:
    return all(engine.is_compiled(dtype, "uint8") for dtype, _, _ in kinds)


def start_process(cache: Path, *kinds, **environment: str) -> subprocess.Popen[str]:
    """A process that prints the report, with compiled code in a folder of its own."""
    variables = {name: text for name, text in os.environ.items() if not name.startswith("NUMBA_CPU")}
    code = f"from tests.helpers.digests import report; print(*report(*{kinds!r}))"
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        env={**variables, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> list[str]:
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return text.split()
