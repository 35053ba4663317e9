"""Being stopped: by Ctrl-C, by SIGTERM, by a terminal that closes."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Killed(SystemExit):
    """A signal that ends programs arrived; code: 128 + its number, as a shell has it."""

    code: int

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__(128 + number)


@contextmanager
def stops_as_exceptions() -> Iterator[None]:
    """Let the signals of STOPS unwind the stack as Killed, so that runs are closed and nothing is left half done."""

    def kill(number: int, _frame: FrameType | None) -> None:
        raise Killed(number)

    before = {number: signal.signal(number, kill) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
