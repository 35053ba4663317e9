"""mlflow.sklearn.autolog and the bare estimator, as a scikit-learn user has them."""

import subprocess
import sys

import numpy as np
import pytest

from pipeline import OneVsRestCNN
from tests.helpers.commands import ROOT
from tests.helpers.tracking import EXPERIMENT

CODE = """
import sys, warnings
import mlflow, numpy as np
from sklearn.datasets import load_digits
from sklearn import model_selection
from pipeline import OneVsRestCNN

mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("digits")
images, labels = load_digits(return_X_y=True)
images = images[:200] / 16
labels = labels[:200]
model = OneVsRestCNN(iterations=20, engine="numpy")
model.fit(images, labels)
assert len(mlflow.search_runs()) == 0, "autologging is not on yet"
mlflow.sklearn.autolog()
model.fit(images, labels)
[run] = mlflow.search_runs(output_format="list")
assert run.data.metrics["training_score"] == model.score(images, labels)
print(run.info.status, run.data.params["iterations"], run.data.tags["estimator_name"])
print(sorted(run.data.metrics)[:3], run.data.tags["mlflow.autologging"])
[found] = mlflow.search_logged_models(output_format="list")
assert found.model_id == run.outputs.model_outputs[0].model_id and found.metrics[0].key == "training_score"
loaded = mlflow.pyfunc.load_model(f"models:/{found.model_id}")
answers = loaded.predict(images.reshape(-1, 8, 8))
assert list(answers["answer"]) == [str(label) for label in model.predict(images)]
with mlflow.start_run() as mine:
    model.fit(images, labels)
    assert mlflow.active_run() is not None
assert "training_score" in mlflow.get_run(mine.info.run_id).data.metrics
before = len(mlflow.search_runs())
model_selection.cross_val_score(model, images, labels, cv=2)
assert len(mlflow.search_runs()) == before, "a score's fits are nobody's runs"
mlflow.sklearn.autolog(log_models=False)
model_selection.GridSearchCV(model, {"alpha": [0.1, 0.2]}, cv=2).fit(images, labels)
runs = mlflow.search_runs(output_format="list")
names = sorted(run.data.tags.get("estimator_name", "-") for run in runs[: len(runs) - before])
print(names)
mlflow.sklearn.autolog(disable=True)
count = len(runs)
model.fit(images, labels)
assert len(mlflow.search_runs()) == count
"""


@pytest.mark.slow
def test_autologging_logs_the_bare_estimator_as_it_logs_scikit_learns_own(folder):
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    assert EXPERIMENT == "digits"
    ended = subprocess.run([sys.executable, "-c", CODE, uri], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    first, metrics, names = ended.stdout.splitlines()
    assert first == "FINISHED 20 OneVsRestCNN"
    assert metrics == "['loss/0', 'loss/1', 'loss/2'] sklearn"
    # The search and its two candidates; the fits inside are not runs of their own.
    assert names == "['GridSearchCV', 'OneVsRestCNN', 'OneVsRestCNN']"
    assert "is not logged" not in ended.stderr


def test_without_mlflow_a_fit_does_not_import_it():
    code = "import sys, numpy as np; from pipeline import OneVsRestCNN; x = np.eye(4)[:, :, None] * np.ones((1, 1, 4))\n"
    code += "OneVsRestCNN(iterations=1, engine='numpy').fit(x, [0, 1, 0, 1]); print('mlflow' in sys.modules)"
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.stdout == "False\n", ended.stderr


def test_what_goes_wrong_is_warned_of_and_stops_no_fit(monkeypatch, caplog):
    from pipeline.tracking import autolog

    monkeypatch.setitem(sys.modules, "mlflow.sklearn", sys)
    monkeypatch.setattr(autolog, "_is_on", lambda: True)
    monkeypatch.setattr(autolog, "_log", lambda *_: 1 / 0)
    model = OneVsRestCNN(iterations=1, batch_size="all", engine="numpy").fit(
        np.linspace(0, 1, 64).reshape(4, 4, 4), [0, 1, 0, 1]
    )
    assert model.n_iter_ == 1 and "the fit is not logged (division by zero)" in caplog.text
