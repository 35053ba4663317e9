"""A point's heads as MLflow loads and serves them. Imported where a model is loaded, and nowhere else: MLflow takes a second.

A model is models from code: its folder holds a file that makes a `HeadsModel`, the weights as a checkpoint without pickles,
and `heads.json`. It needs this package where it is loaded.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel
from numpy.typing import NDArray

from ..data.input import Input, odd_range
from ..heads.elementary import sigmoid
from ..heads.one_vs_rest import Workers, all_logits
from ..records.checkpoint import read_checkpoint

ANSWER = "answer"


class Heads:
    """One-vs-rest heads of one point: what a model does. context: an mlflow.pyfunc.PythonModelContext."""

    def load_context(self, context: Any) -> None:
        """Read heads and what they take, and answer once, so that the first user does not wait for a compiler."""
        self.heads = read_checkpoint(Path(context.artifacts["checkpoint"])).heads
        known = json.loads(Path(context.artifacts["heads"]).read_bytes())
        self.classes, self.taken, self.pixels = known["classes"], Input.read(known["input"]), np.dtype(known["pixels"])
        self.predict(context, np.zeros((1, *self.taken.image_shape)))

    def predict(self, context: Any, model_input: NDArray[np.float64], params: Any = None) -> pd.DataFrame:
        """Columns answer and y_hat_<class>, a row an image, as in a record's y_hat.csv.

        model_input: (N, H, W), pixels as the data had them: they are scaled here as in training, and a warning tells of those
        on another scale. Of two y-hats that round to one number the logits say which is larger. MlflowException, which a
        server answers with 400, for pixels that are no finite numbers.
        """
        if not np.isfinite(model_input).all():
            raise MlflowException("the images have pixels that are nan or inf", INVALID_PARAMETER_VALUE)
        strange = odd_range(model_input, self.taken)
        if strange:
            warnings.warn(strange, stacklevel=2)
        logits = all_logits(self.heads, self._stored(model_input), self.taken.scale, Workers())
        if not np.isfinite(logits).all():
            raise MlflowException("the images have pixels that are too large", INVALID_PARAMETER_VALUE)
        answers = [self.classes[j] for j in logits.argmax(axis=1).tolist()]
        columns = {f"y_hat_{name}": column for name, column in zip(self.classes, sigmoid(logits).T, strict=True)}
        return pd.DataFrame({ANSWER: answers, **columns})

    def _stored(self, images: NDArray[np.float64]) -> NDArray[np.generic]:
        """In the type that the data has, if that loses nothing: the y-hats have the record's bits then."""
        with np.errstate(invalid="ignore"):
            stored = np.ascontiguousarray(images, self.pixels)
        return stored if np.array_equal(stored, images) else np.ascontiguousarray(images)


class HeadsModel(Heads, PythonModel):  # type: ignore[misc]  # MLflow's types are not looked at
    """The same for MLflow, which warns of every `predict` that a PythonModel has itself and that is not typed as it likes."""
