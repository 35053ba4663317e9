"""The data of a point as MLflow knows it: a dataset for each split, so that a metric says what it was measured on."""

import json
from typing import Any

from ..data.dataset import SPLITS
from ..records.record import Record
from ..settings import Settings

# MLflow's words for what a dataset is used for.
CONTEXTS = dict(zip(SPLITS, ("training", "validation", "test"), strict=True))
# Hex digits of the data's digest; the split is written behind them.
DIGITS = 16


def datasets(settings: Settings, record: Record) -> dict[str, Any]:
    """An mlflow.entities.Dataset for each split that has images, by the split's name. All of one data set have one name."""
    from mlflow.entities import Dataset

    result, data = record.result, settings.data
    source = json.dumps({"source": data.source, "path": data.path})
    found = {}
    for split in SPLITS:
        if result.images.get(split):
            profile = json.dumps({"images": result.images[split], "classes": len(record.classes)})
            digest = f"{result.data[:DIGITS]}-{split}"
            found[split] = Dataset(data.source, digest, "local", source, profile=profile)
    return found


def inputs(settings: Settings, record: Record) -> list[Any]:
    """The same as inputs of a run."""
    from mlflow.entities import DatasetInput, InputTag

    found = datasets(settings, record)
    return [DatasetInput(found[split], [InputTag("mlflow.data.context", CONTEXTS[split])]) for split in found]


def split_of(metric: str) -> str | None:
    """The split that a metric of a result was measured on; None for one that is of none, or of several."""
    split = metric.partition("_")[0]
    return split if split in SPLITS else None
