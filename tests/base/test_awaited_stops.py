"""A stop unwinds the stack, but never where a lock would be left held or the exception would be lost."""

import os
import signal
import weakref

import pytest

from pipeline.base.stops import Killed, stops_as_exceptions

SPIN = """
def {name}(number, log):
    os.kill(os.getpid(), number)
    for _ in range(100_000):
        pass
    log.append("whole")
"""
# Python code that holds locks: of the import system, of threading, of a weak reference's callback.
FRAGILE = [
    ("_get_module_lock", "<frozen importlib._bootstrap>"),
    ("__enter__", "threading.py"),
    ("_remove", "/lib/_weakrefset.py"),
]


def made(name: str, file: str):
    """A function that is stopped while it runs, and notes that it ran to its end."""
    space = {"os": os}
    exec(compile(SPIN.format(name=name), file, "exec"), space)
    return space[name]


@pytest.mark.parametrize(("name", "file"), FRAGILE)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_stop_waits_until_what_must_not_be_interrupted_is_over(name, file, number):
    log = []
    with pytest.raises((KeyboardInterrupt, Killed)) as stopped, stops_as_exceptions():
        made(name, file)(number, log)
        while True:
            pass
    assert log == ["whole"]
    assert stopped.type is KeyboardInterrupt if number == signal.SIGINT else stopped.value.code == 128 + number


def test_elsewhere_it_comes_at_once():
    log = []
    with pytest.raises(Killed), stops_as_exceptions():
        made("train", "driver.py")(signal.SIGTERM, log)
    assert log == []


def test_a_weak_references_callback_loses_no_stop():
    class Thing:
        pass

    log = []
    callback = made("cb", "<frozen importlib._bootstrap>")
    thing = Thing()
    _kept = weakref.ref(thing, lambda _: callback(signal.SIGTERM, log))
    with pytest.raises(Killed), stops_as_exceptions():
        del thing
        while True:
            pass
    assert log == ["whole"]


def test_what_was_ignored_stays_ignored_and_all_handlers_come_back():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)}
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stops_as_exceptions():
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, old)
    assert {number: signal.getsignal(number) for number in before} == before
