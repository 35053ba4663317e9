"""`mlflow.sklearn.autolog()` and OneVsRestCNN. MLflow watches the estimators of scikit-learn's own package and no others, so
this one tells MLflow itself, when autologging is on: parameters, training score, loss curves and a model.
"""

import logging
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..base.npz import npz_bytes
from ..data.input import Input
from ..records.checkpoint import Checkpoint
from .curves import curve_rows
from .keys import clean
from .log import attach
from .models import CHECKPOINT, KIND, Parts, files

if TYPE_CHECKING:
    from ..heads.head import Head

FLAVOR = "sklearn"
logger = logging.getLogger(__name__)


def log_fit(estimator: Any, X: ArrayLike, y: ArrayLike) -> None:  # noqa: N803  scikit-learn's name for the images
    """Log a fitted OneVsRestCNN, if mlflow.sklearn.autolog is on and no other estimator's fit is being logged, of which this
    one is a part. What goes wrong is warned of and stops nobody, as with MLflow's own."""
    # Whoever switched it on has imported it; nobody else waits for that.
    if f"mlflow.{FLAVOR}" not in sys.modules or not _is_on():
        return
    try:
        _log(estimator, X, y)
    except Exception as error:
        logger.warning("mlflow.sklearn.autolog: the fit is not logged (%s)", str(error).strip() or type(error).__name__)


def _is_on() -> bool:
    import mlflow
    from mlflow.sklearn import _SklearnTrainingSession
    from mlflow.utils import autologging_utils as autologging

    if autologging.autologging_is_disabled(FLAVOR) or getattr(autologging, "_AUTOLOGGING_GLOBALLY_DISABLED", False):
        return False
    exclusive = autologging.get_autologging_config(FLAVOR, "exclusive", False) and mlflow.active_run() is not None
    return not exclusive and not _SklearnTrainingSession.is_active()


def _log(estimator: Any, X: ArrayLike, y: ArrayLike) -> None:  # noqa: N803  as above
    import mlflow
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.utils.autologging_utils import get_autologging_config

    score = float(estimator.score(X, y))
    begun = mlflow.active_run() is None
    run = mlflow.start_run() if begun else mlflow.active_run()
    run_id, began, client = run.info.run_id, run.info.start_time, mlflow.MlflowClient()
    params = {key: clean(value) for key, value in estimator.get_params().items()}
    names = {"estimator_name": type(estimator).__name__, "estimator_class": f"{type(estimator).__module__}.OneVsRestCNN"}
    try:
        model = None
        if get_autologging_config(FLAVOR, "log_models", True):
            model = _log_model(client, run, estimator, (X, params))
        classes = [str(name) for name in estimator.classes_]
        curves = curve_rows(estimator.loss_curve_, classes, estimator.n_iter_)
        rows = [Metric(key, value, began + step, step) for key, value, step in curves]
        rows.append(Metric("training_score", score, began, 0, model_id=model, run_id=run_id))
        tags = [RunTag(key, value) for key, value in {**names, "mlflow.autologging": FLAVOR}.items()]
        client.log_batch(run_id, rows, [Param(key, value) for key, value in params.items()], tags)
    finally:
        if begun:
            mlflow.end_run()


def _log_model(client: Any, run: Any, estimator: Any, given: tuple[Any, dict[str, str]]) -> str:
    """The id of the model. given: the images, of which the first is the example, and the parameters."""
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    images, params = given
    heads: tuple[Head, ...] = estimator.heads_
    example = np.zeros((1, *estimator.image_shape_))
    example.reshape(-1)[: estimator.n_features_in_] = np.asarray(images[:1], np.float64).reshape(-1)
    taken = Input(estimator.image_shape_, estimator.scale_, estimator.largest_)
    parts = Parts(tuple(str(name) for name in estimator.classes_), taken, heads[0].dtype.name, example)
    run_id, options = run.info.run_id, {"params": params, "model_type": KIND}
    model = client.create_logged_model(run.info.experiment_id, "model", run_id, **options)
    contents = files(parts, model.model_id, run_id)
    contents[CHECKPOINT] = npz_bytes(Checkpoint(heads, estimator.n_iter_).arrays())
    attach("", lambda folder: client.log_model_artifacts(model.model_id, folder), {}, contents)
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, estimator.n_iter_)])
    return str(model.model_id)
