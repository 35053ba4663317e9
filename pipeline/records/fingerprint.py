"""A trajectory's name: everything that decides the numbers, the number of iterations aside."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from ..heads.choices import NUMERICS
from ..settings import Settings


def trajectory(settings: Settings, data_digest: str) -> str:
    """16 hex digits of the settings that decide the numbers, the data's digest and the engine's numerics.

    A run of 500 iterations passes through what a run of 100 computes, so both are points of one trajectory; with a schedule
    that ends with the last iteration they are not, and the iterations count.
    """
    text = json.dumps(deciding(settings, data_digest), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def deciding(settings: Settings, data_digest: str) -> dict[str, Any]:
    """What `trajectory` names, as plain values."""
    training = asdict(settings.training)
    if settings.training.schedule == "constant":
        del training["iterations"]
    return {
        "seed": settings.seed,
        "model": asdict(settings.model),
        "training": training,
        "data": data_digest,
        "numerics": NUMERICS[settings.compute.engine],
    }
