"""MLflow's own server, as a team runs it, in a process of its own."""

import ast
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from .tracking import wait_for

# One worker, no schedulers: it starts in half the time.
QUICKLY = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, words: Sequence[str], port: int) -> Iterator[str]:
    """The address of `mlflow server WORDS` on a port of this machine, ready; at the end it is killed, which takes no time."""
    command = [sys.executable, "-m", "mlflow", "server", *words, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (folder / "server.log").open("a") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=folder, env={**os.environ, **QUICKLY}, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(lambda: _is_well(process, address, folder / "server.log"), 180)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
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


def together(count: int, code: str, *words: str) -> list[str]:
    """What `count` processes answer that do the same at once, as `begin` starts them."""
    return ended(begin(count, code, *words))


def begin(count: int, code: str, *words: str) -> subprocess.Popen[str]:
    """Processes that do the same at once, forked from one that has imported what takes long.

    code: defines `work(number, words)`, which returns a process's answer; `barrier` is one of all of them.
    """
    script = f"""
import multiprocessing, sys
from pathlib import Path
from tests.helpers.tracking import *
from pipeline.tracking.store import load_mlflow
load_mlflow()
import matplotlib.figure, pandas
context = multiprocessing.get_context("fork")
barrier, answers = context.Barrier({count}), context.SimpleQueue()
{code}

def answer(number):
    try:
        answers.put(str(work(number, sys.argv[1:])))
    except BaseException as error:
        answers.put(repr(error))
        raise

processes = [context.Process(target=answer, args=(number,)) for number in range({count})]
for process in processes:
    process.start()
for process in processes:
    print(repr(answers.get()), flush=True)
for process in processes:
    process.join()
"""
    root = Path(__file__).resolve().parents[2]
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    return subprocess.Popen([sys.executable, "-c", script, *words], cwd=root, **options)


def ended(process: subprocess.Popen[str]) -> list[str]:
    """The answers of processes that `begin` started."""
    try:
        said, trouble = process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    assert (process.returncode, trouble) == (0, ""), trouble
    return [str(ast.literal_eval(line)) for line in said.splitlines()]
