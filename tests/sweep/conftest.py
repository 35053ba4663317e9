"""How the driver is made to show every step."""

import os

import pytest

from pipeline.sweep import driver, underway


@pytest.fixture
def eager(monkeypatch):
    """Blocks of one iteration or few, each followed by a checkpoint, which need not wait for the disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(driver, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(underway, "FIRST_BLOCK", 3)
    monkeypatch.setattr(underway, "GROWTH", 1)
