"""Turns, shares and figures."""

import math

import pytest

from pipeline.benchmarks.timing import Contestant, Row, amount, compete, figure


def test_contestants_take_turns_and_shares_are_scaled(monkeypatch):
    clock, turns = [0.0], []
    monkeypatch.setattr("pipeline.benchmarks.timing.time.perf_counter", lambda: clock[0])
    monkeypatch.setattr("pipeline.benchmarks.timing.time.sleep", lambda _: None)

    def work(name: str, seconds: float):
        def call() -> None:
            turns.append(name)
            clock[0] += seconds

        return call

    rows = compete("s", "j", [Contestant("a", work("a", 1.0)), Contestant("b", work("b", 2.0), 0.25)], 3, lambda _: None)
    assert turns == ["a", "b"] * 3
    assert [row.median for row in rows] == [pytest.approx(1.0), pytest.approx(8.0)]
    assert all(len(row.values) == 3 for row in rows)


def test_a_row_without_values_says_why():
    row = Row("s", "j", "torch", "s", (), note="torch is not installed")
    assert math.isnan(row.median)
    assert "not measured: torch is not installed" in row.text()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0012345, "0.00123"), (0.5, "0.500"), (12.345, "12.3"), (999.6, "1,000"), (12345.0, "12,345"), (0, "0")],
)
def test_figures_have_three_digits(value, text):
    assert figure(value) == text


def test_short_times_are_in_milliseconds():
    assert (amount(0.0123, "s"), amount(2.0, "s"), amount(400.0, "MB")) == ("12.3 ms", "2.00 s", "400 MB")
