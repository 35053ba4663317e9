"""scikit-learn's own checks, and the tools that people use with a classifier."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from pipeline import OneVsRestCNN
from tests.helpers.commands import ROOT

ARRAY_API = """
import os, sys, warnings
os.environ["SCIPY_ARRAY_API"] = "1"
from sklearn.utils.estimator_checks import check_estimator
from pipeline import OneVsRestCNN
results = check_estimator(OneVsRestCNN())
assert len(results) > 50
assert {result["status"] for result in results} == {"passed"}, results
"""


@pytest.fixture(scope="module")
def digits():
    pixels, labels = load_digits(return_X_y=True)
    return train_test_split(pixels / 16, labels, random_state=0)


# The checks' data are small and of any range.
@pytest.mark.filterwarnings("ignore:X. pixels reach", "ignore:batch_size. ", "ignore:dead heads")
# No check is expected to fail. 1000 iterations, because one check wants an accuracy; the defaults are checked below.
@parametrize_with_checks([OneVsRestCNN(iterations=1000), OneVsRestCNN(iterations=1000, dtype="float32", filters=2)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_the_defaults_pass_all_checks_and_none_is_skipped():
    """In a process of its own: the check of the array API is skipped unless SciPy was told before it is imported."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", ARRAY_API], env=environment, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert len(list(estimator_checks_generator(OneVsRestCNN()))) > 50


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_defaults_learn_the_digits(digits, dtype):
    pixels, pixels_test, labels, labels_test = digits
    assert OneVsRestCNN(dtype=dtype).fit(pixels, labels).score(pixels_test, labels_test) > 0.9


def test_in_a_pipeline(digits):
    pixels, pixels_test, labels, labels_test = digits
    assert make_pipeline(StandardScaler(), OneVsRestCNN()).fit(pixels, labels).score(pixels_test, labels_test) > 0.85


@pytest.mark.filterwarnings("ignore:dead heads")
def test_in_a_cross_validation_and_a_grid_search_with_numpys_numbers(digits):
    pixels, _, labels, _ = digits
    pixels, labels = pixels[:300], labels[:300]
    scores = cross_val_score(OneVsRestCNN(iterations=2000, loss="binary_cross_entropy"), pixels, labels, cv=3)
    assert (scores > 0.6).all()
    grid = {"kernel_size": np.array([3, 5]), "alpha": np.logspace(-3, 0, 2), "batch_size": ["all", 16]}
    with parallel_config("threading"):
        search = GridSearchCV(OneVsRestCNN(iterations=50), grid, cv=2, n_jobs=2).fit(pixels, labels)
    again = GridSearchCV(OneVsRestCNN(iterations=50, n_jobs=2), grid, cv=2).fit(pixels, labels)
    assert search.best_params_["alpha"] == 1.0
    assert search.cv_results_["mean_test_score"].tolist() == again.cv_results_["mean_test_score"].tolist()


def test_clones_and_pickles(digits):
    pixels, pixels_test, labels, _ = digits
    model = OneVsRestCNN(iterations=20, alpha=0.25, image_shape=(8, 8), random_state=7, init="notebook").fit(pixels, labels)
    copy = clone(model)
    assert copy.get_params() == model.get_params() and not hasattr(copy, "heads_")
    logits = model.decision_function(pixels_test)
    assert copy.fit(pixels, labels).decision_function(pixels_test).tobytes() == logits.tobytes()
    assert pickle.loads(pickle.dumps(model)).decision_function(pixels_test).tobytes() == logits.tobytes()


@pytest.mark.slow
def test_the_package_does_not_import_scikit_learn_until_it_is_asked_for_the_classifier():
    code = """
import sys, pipeline
assert not {"sklearn", "numpy", "omegaconf"} & set(sys.modules)
assert pipeline.OneVsRestCNN is __import__("pipeline.classifier", fromlist=["_"]).OneVsRestCNN
try:
    pipeline.nosuch
except AttributeError as error:
    assert "nosuch" in str(error)
else:
    raise AssertionError
from pipeline.base import console
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
