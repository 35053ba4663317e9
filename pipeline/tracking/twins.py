"""Of several runs of one thing, all but one go.

A server has no lock of ours: two commands that look for a point's run at once find none, and both make one. So everybody
keeps the run that began first, of two the one with the smaller id. Nothing that happens to runs changes that order, so all
agree without talking, and what anybody keeps nobody deletes. Whoever makes a run looks right after that, and whoever ends
looks once more: the last one to look sees all there are. What went into a run that others deleted is told again, to the kept
one.
"""

import re
from collections.abc import Sequence
from typing import Any

from .run import Run
from .store import Store

# What MLflow answers to whoever writes into a run that was deleted.
GONE = re.compile(r"The run \w+ must be in the 'active' state")


def is_gone(error: BaseException) -> bool:
    """Whether an error says that the run was deleted."""
    return GONE.search(str(error)) is not None


def keep_one(store: Store, runs: Sequence[Run]) -> Run | None:
    """The run that counts among those of one point, or of one sweep; the others are deleted. None of none.

    A database has a lock, and nothing to delete: of what older versions left in it the finished one counts.
    """
    if store.is_local:
        return min(runs, key=lambda run: (run.status != "FINISHED", run.began, run.run_id), default=None)
    kept = min(runs, key=lambda run: (run.began, run.run_id), default=None)
    for run in runs:
        if run is kept:
            continue
        store.client.delete_run(run.run_id)
        drop_models(store, run.run_id)
    return kept


def drop_models(store: Store, run_id: str) -> None:
    """Delete the models of a run that is no more."""
    for model in models_of(store, run_id):
        store.client.delete_logged_model(model.model_id)


def keep_one_model(store: Store, run_id: str) -> Any:
    """The model that counts among those of a run, the first that was made; the others are deleted. None of none."""
    first, *others = models_of(store, run_id) or [None]
    for model in others:
        store.client.delete_logged_model(model.model_id)
    return first


def models_of(store: Store, run_id: str) -> list[Any]:
    """The models of a run, in the order in which they were made."""
    found = store.client.search_logged_models([store.experiment_id], filter_string=f"source_run_id = '{run_id}'")
    return sorted(found, key=lambda model: (model.creation_timestamp, model.model_id))
