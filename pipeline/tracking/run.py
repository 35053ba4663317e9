"""A run as the store has it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Run:
    """A run as the store has it. began: in milliseconds. artifacts: the address of its files. params and metrics: what it had
    when it was read. model: the id of the point's model. fresh: whether it was made just now, and nobody else knows it."""

    run_id: str
    name: str
    status: str
    began: int
    artifacts: str
    tags: dict[str, str] = field(default_factory=dict)
    params: frozenset[str] = frozenset()
    metrics: dict[str, float] = field(default_factory=dict)
    model: str | None = None
    fresh: bool = False

    @staticmethod
    def read(entry: Any) -> "Run":
        """An mlflow.entities.Run."""
        info, data = entry.info, entry.data
        outputs = entry.outputs.model_outputs if entry.outputs else []
        values = dict(data.tags), frozenset(data.params), dict(data.metrics), outputs[0].model_id if outputs else None
        return Run(info.run_id, info.run_name, info.status, info.start_time, info.artifact_uri, *values)
