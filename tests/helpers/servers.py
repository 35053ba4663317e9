"""MLflow's own server, as a team runs it, in a process of its own."""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from .tracking import wait_for

# One worker, no schedulers: it starts in half the time.
QUICKLY = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, words: Sequence[str], port: int) -> Iterator[str]:
    """The address of `mlflow server WORDS` on a port of this machine, ready; it is stopped at the end."""
    command = [sys.executable, "-m", "mlflow", "server", *words, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (folder / "server.log").open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env={**os.environ, **QUICKLY})
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(lambda: _is_well(process, address, folder / "server.log"), 180)
        yield address
    finally:
        process.terminate()
        process.wait()


def _is_well(process: subprocess.Popen[bytes], address: str, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def embedded(folder: Path) -> list[str]:
    """What makes a server keep its runs in `mlflow.db` of a folder and its files in `far`."""
    return ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}", "--artifacts-destination", str(folder / "far")]


def together(folder: Path, count: int, code: str, *words: str) -> list[str]:
    """What `count` processes print that do the same at once: they are forked from one that has imported what takes long.

    code: defines `work(number, words)`, which returns the text to print.
    """
    script = f"""
import multiprocessing, sys
from pathlib import Path
from tests.helpers.tracking import *
from pipeline.tracking.store import load_mlflow
load_mlflow()
import mlflow, matplotlib.figure, pandas
context = multiprocessing.get_context("fork")
barrier, answers = context.Barrier({count}), context.SimpleQueue()
{code}
processes = [context.Process(target=lambda n=n: answers.put(str(work(n, sys.argv[1:])))) for n in range({count})]
for process in processes:
    process.start()
for process in processes:
    print(repr(answers.get()))
for process in processes:
    process.join()
"""
    root = Path(__file__).resolve().parents[2]
    ended = subprocess.run([sys.executable, "-c", script, *words], cwd=root, capture_output=True, text=True, timeout=300)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stderr
    return [str(eval(line)) for line in ended.stdout.splitlines()]
