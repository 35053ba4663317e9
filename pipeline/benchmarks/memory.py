"""Peak memory of whole trainings on Fashion-MNIST, each a process of its own: imports, data, training, record."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence

from .plan import Plan
from .timing import Row, Say, load

SECTION = "memory"
# A process inherits its parent's peak across fork and exec, so a small one stands between it and this one, which is large.
# ru_maxrss is in KiB, on macOS in bytes.
BETWEEN = """
import resource, subprocess, sys
ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
sys.stderr.write(ended.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
sys.exit(ended.returncode)
"""
IMPORTS = [sys.executable, "-c", "import pipeline.train"]


class MemoryRunError(RuntimeError):
    """A training whose memory was to be measured failed; the message is its own last line."""


def peak_bytes(command: Sequence[str]) -> int:
    """The largest resident set of a command's process. MemoryRunError when it fails."""
    ended = subprocess.run([sys.executable, "-c", BETWEEN, *command], capture_output=True, text=True)
    if ended.returncode:
        last = (ended.stderr.strip() or "it says nothing").splitlines()[-1]
        raise MemoryRunError(last)
    return int(ended.stdout)


def peaks(plan: Plan, say: Say) -> list[Row]:
    """Megabytes (of 10^6 bytes) that training takes with each number of workers; and what the imports alone take."""
    job = f"train data=fashion_mnist, {plan.memory_iterations} iterations, threads"
    say(f"{SECTION}: {job}")
    found: dict[str, list[float]] = {}
    loads = []
    try:
        for _ in range(plan.memory_rounds):
            found.setdefault("imports alone", []).append(peak_bytes(IMPORTS) / 1e6)
            for n_jobs in plan.memory:
                with tempfile.TemporaryDirectory(prefix="ovrcnn-benchmark-") as folder:
                    megabytes = peak_bytes(_training(plan, n_jobs, folder)) / 1e6
                found.setdefault(f"n_jobs = {n_jobs}", []).append(megabytes)
            loads.append(load())
        rows = [Row(SECTION, job, name, "MB", tuple(v), sum(loads) / len(loads)) for name, v in found.items()]
    except MemoryRunError as error:
        rows = [Row(SECTION, job, "ovrcnn train", "MB", (), note=str(error))]
    for row in rows:
        say(row.text())
    return rows


def _training(plan: Plan, n_jobs: int, folder: str) -> list[str]:
    """From the four files to the record, as a person would start it."""
    settings = f"iterations={plan.memory_iterations}", "batch_size=32"
    return [
        *(sys.executable, "-m", "pipeline.train", "data=fashion_mnist", "tracking=off", "compute=threads"),
        *(f"training.{setting}" for setting in settings),
        f"compute.n_jobs={n_jobs}",
        f"paths.experiments='{folder}'",
    ]
