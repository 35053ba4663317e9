"""Being stopped: by Ctrl-C, by SIGTERM, and not in the middle of what must be whole."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Killed(SystemExit):
    """SIGTERM arrived."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


@contextmanager
def terminated_as_exception() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Killed, so that runs are closed and nothing is left half done."""

    def kill(_signal: int, _frame: FrameType | None) -> None:
        raise Killed

    before = signal.signal(signal.SIGTERM, kill)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until the block is done. Raised inside a database's code they would leave it locked."""
    held: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)

    before = {number: signal.signal(number, hold) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if held:
        signal.raise_signal(held[0])
