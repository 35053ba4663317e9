"""The heads as a scikit-learn classifier: from pipeline import OneVsRestCNN."""

from .estimator import OneVsRestCNN

__all__ = ["OneVsRestCNN"]
