"""Being stopped: by Ctrl-C, by SIGTERM, by a terminal that closes."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
# Where an exception from outside would be lost, or leave a lock held that other threads wait for: in the import system, in
# Python code that takes a lock, in a weak reference's callback, whose exceptions Python swallows.
FRAGILE_FILES = ("<frozen importlib._bootstrap>", "_weakrefset.py", "weakref.py")
FRAGILE_NAMES = ("__enter__", "__exit__", "__del__", "acquire", "release")
RETRY_SECONDS = 0.01


class Killed(SystemExit):
    """A signal that ends programs arrived; code: 128 + its number, as a shell has it."""

    code: int

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__(128 + number)


@contextmanager
def stops_as_exceptions() -> Iterator[None]:
    """Let the signals of STOPS unwind the stack as Killed or KeyboardInterrupt, so that nothing is left half done: at once, or
    as soon as what they interrupt can bear it. A signal that is ignored, as nohup has it, stays ignored."""
    asked = signal.SIGTERM

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = asked if number == signal.SIGALRM else signal.Signals(number)
        if is_fragile(frame):
            signal.setitimer(signal.ITIMER_REAL, RETRY_SECONDS)
            return
        raise KeyboardInterrupt if asked == signal.SIGINT else Killed(asked)

    heard = [number for number in STOPS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in (*heard, signal.SIGALRM)}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def is_fragile(frame: FrameType | None) -> bool:
    """Whether what this frame runs must not be interrupted."""
    return frame is not None and (
        frame.f_code.co_filename in FRAGILE_FILES
        or Path(frame.f_code.co_filename).name in FRAGILE_FILES
        or frame.f_code.co_name in FRAGILE_NAMES
    )
