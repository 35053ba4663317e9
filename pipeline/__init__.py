"""A research pipeline for one-vs-rest convolutional heads."""

from typing import TYPE_CHECKING, Any

from .base.home import settle

if TYPE_CHECKING:
    from .classifier import OneVsRestCNN

__all__ = ["OneVsRestCNN"]
# Before anything imports Numba, matplotlib or MLflow, in workers too.
settle()


def __getattr__(name: str) -> Any:
    """Import the classifier when it is asked for: scikit-learn takes a second, which the command line need not wait."""
    if name == "OneVsRestCNN":
        from .classifier import OneVsRestCNN

        return OneVsRestCNN
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
