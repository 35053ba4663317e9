"""The engine compiled for CPUs with narrower registers than this one, in processes that take turns.

python -m pipeline.benchmarks.targets IMAGES

prints a line a case: its name, and the nanoseconds of a filter and image.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np

from .commands import HOME, run
from .contests import ours
from .jobs import DIGITS_KERNEL_SIZE, Pictures, epoch, pictures
from .plan import Plan
from .timing import Row, Say, Sheet, take_turn

SECTION = "CPU targets"
HEADS = 10
# Filters and kernel sizes on Fashion-MNIST.
CASES = ((1, 3), (8, 3), (8, 5), (8, 7))
# By name: Numba's settings, and the share of the images that one turn sees.
TARGETS: Mapping[str, tuple[str, float]] = {
    "256 bits (haswell)": ("haswell", 0.5),
    "128 bits, no multiply-add (nehalem)": ("nehalem", 0.02),
}


def targets(plan: Plan, say: Say) -> list[Row]:
    """Nanoseconds of a filter and image, of this CPU's own code and of each narrower one's."""
    if not plan.target_rounds:
        return []
    say(SECTION)
    sheets: dict[str, Sheet] = {}
    with tempfile.TemporaryDirectory(prefix="ovrcnn-benchmark-") as folder:
        for _ in range(plan.target_rounds):
            for name, (environment, share) in contestants(folder).items():
                count = str(max(64, int(share * plan.peak_images)))
                for line in run([sys.executable, "-m", __name__, count], Path(folder), environment).lines:
                    case, nanoseconds = line.text.rsplit(": ", 1)
                    sheets.setdefault(case, Sheet(SECTION, case)).add(name, float(nanoseconds), "ns")
    rows = [row for sheet in sheets.values() for row in sheet.rows()]
    for row in rows:
        say(row.text())
    return rows


def contestants(folder: str) -> dict[str, tuple[dict[str, str], float]]:
    """Each one's environment and share; machine code goes to a folder of its own. Only x86-64 has narrower targets."""
    found: dict[str, tuple[dict[str, str], float]] = {f"this CPU ({llvm.get_host_cpu_name()})": ({}, 1.0)}
    if llvm.get_process_triple().startswith("x86_64"):
        settings = {name: ({"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": ""}, share) for name, (cpu, share) in TARGETS.items()}
        found |= settings
    kept = {"NUMBA_CACHE_DIR": str(Path(folder, "compiled")), "PYTHONPATH": str(HOME)}
    return {name: (environment | kept, share) for name, (environment, share) in found.items()}


def main(images: int) -> None:
    """Time every case on so many images, as often as a turn allows."""
    for source, cases in (("fashion_mnist", CASES), ("digits", ((1, DIGITS_KERNEL_SIZE),))):
        data = pictures(source)
        if not isinstance(data, Pictures):
            continue
        for filters, kernel_size in cases:
            job = epoch(data.some(images, 0), HEADS, filters, kernel_size, 32, "float32")
            work = ours(job)
            work()
            each = float(np.median(take_turn(work))) / job.seen / HEADS / filters
            shape, some = " x ".join(str(side) for side in data.images.shape[1:]), f"{filters} filter{'s' * (filters > 1)}"
            print(f"{shape}, {HEADS} heads, k = {kernel_size}, {some}: {1e9 * each:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
