"""A model card: what a registered model is, what it was trained on, how good it is, how to load it, and where it ends."""

from ..base.text import in_markdown, quoted_if_blank
from ..data.dataset import SPLITS
from ..records.record import Record
from ..sweep.point import Point
from .datasets import split_of
from .keys import clean

# A registry keeps at most 5000 letters.
LONGEST = 4900
CLASSES = 1000

LOAD = """## How to load it
In the environment of the project ovrcnn, with `MLFLOW_TRACKING_URI` set to the store's address:

```python
import mlflow

model = mlflow.pyfunc.load_model("models:/{name}@champion")
# (N, {height}, {width}) floats, pixels as the data has them
model.predict(images)
```

```bash
mlflow models serve -m "models:/{name}@champion" --env-manager local --port 5001
curl http://127.0.0.1:5001/invocations \\
  -H 'Content-Type: application/json' -d '{{"inputs": [IMAGE]}}'
```
"""

LIMITS = """## Limits
- Images must be {height} x {width} pixels of one channel, prepared as the data's were; of another scale a warning tells.
- It always answers with one of its classes, also for an image of none of them.
- A y-hat is each head's own: they need not add up to 1, and nothing calibrates them.
- It was chosen by {criterion}, which flatters it; the test split was not used for that.
- It is a small network for study, one layer of kernels a class, not a state of the art.
- It needs the code of ovrcnn where it is loaded; its weights are plain arrays without pickles.
"""


def card(name: str, point: Point, record: Record, points: int) -> str:
    """In Markdown. name: of the registered model. points: of how many it is the best, 0 for a search."""
    height, width = point.dataset.image_shape
    criterion, value = record.result.criterion
    places = {"name": name, "height": height, "width": width, "criterion": criterion.replace("_", " ")}
    among = f"{points} points" if points else "a search"
    parts = [
        f"The best of {among} by {places['criterion']} ({value:.4f}): {in_markdown(point.name or point.key)}.\n",
        f"## What\n{_what(point, record)}\n",
        f"## Data\n{_data(point, record)}\n",
        f"## Metrics\n{_metrics(record)}\n",
        LOAD.format(**places),
        LIMITS.format(**places),
    ]
    return clean("\n".join(parts))[:LONGEST]


def _what(point: Point, record: Record) -> str:
    model, training = point.settings.model, point.settings.training
    size = record.kernels[0].shape[-1]
    return (
        f"{len(record.classes)} one-vs-rest heads, one a class; each has {model.filters} kernel(s) of {size} x {size}, ReLU, "
        f"2 x 2 max-pool and one sigmoid. The largest y-hat is the answer. Trained for {training.iterations} iterations with "
        f"alpha {training.alpha} on {training.loss.replace('_', ' ')}, {model.gradient} gradient, seed {point.settings.seed}."
    )


def _data(point: Point, record: Record) -> str:
    data, counts = point.dataset, record.result.images
    height, width = data.image_shape
    classes = ", ".join(map(quoted_if_blank, record.classes))
    classes = classes if len(classes) <= CLASSES else f"{classes[:CLASSES]}..."
    split = ", ".join(f"{counts[split]} {split}" for split in SPLITS if counts.get(split))
    return (
        f"{in_markdown(data.name)}: {height} x {width} images of {data.images.dtype}, divided by {data.scale:g} inside the "
        f"model. Images: {split}. Classes: {in_markdown(classes)}."
    )


def _metrics(record: Record) -> str:
    metrics = record.result.metrics
    measured = [(split, key.removeprefix(f"{split}_")) for key in metrics if (split := split_of(key))]
    splits = [split for split in SPLITS if split in dict(measured)]
    lines = ["| | " + " | ".join(splits) + " |", "|---" * (len(splits) + 1) + "|"]
    for kind in dict.fromkeys(kind for _, kind in measured):
        cells = [f"{metrics[key]:.4f}" if (key := f"{split}_{kind}") in metrics else "" for split in splits]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
