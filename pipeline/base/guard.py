"""A process that outlives this one by a moment, to end the joblib workers that it leaves behind.

They are not ours to start, so nothing of ours runs in them before their first job; idle, or cut off in the middle of one, they
would live on for minutes, or for good.
"""

import contextlib
import os
import signal
import sys
import time
import uuid
from pathlib import Path

MARK = "OVRCNN_GUARD"
# How a joblib worker, and their tracker of semaphores, is called.
KIND = b"loky"


def guard_workers() -> None:
    """From now on, joblib workers that this process starts end with it, however it ends."""
    if not Path("/proc/self").is_dir():
        return
    mark, (ends, held) = uuid.uuid4().hex, os.pipe()
    # In a session of its own it hears no Ctrl-C. Nobody ever writes into its pipe: the system closes that with this process.
    words = [sys.executable, "-I", "-S", __file__, mark]
    actions = [(os.POSIX_SPAWN_DUP2, ends, 0)]
    os.posix_spawn(sys.executable, words, dict(os.environ), file_actions=actions, setsid=True)
    os.close(ends)
    os.set_inheritable(held, False)
    os.environ[MARK] = mark


def watch(mark: str) -> None:
    """Wait for the end of the process at the other end of the pipe, then kill its workers."""
    os.read(0, 1)
    # Once more a little later: one may just have been starting another.
    for _ in range(3):
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                marks = (process / "environ").read_bytes().split(b"\0")
                if KIND in (process / "cmdline").read_bytes() and f"{MARK}={mark}".encode() in marks:
                    os.kill(int(process.name), signal.SIGKILL)
        time.sleep(0.1)


if __name__ == "__main__":
    watch(sys.argv[1])
