"""The runs of a store that no experiment wants: of points on no wanted trajectory, and of sweeps that have no other points.

They go to MLflow's own trash, from where they can be taken back until `mlflow gc` empties it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..settings import TrackingSettings
from .address import database_of
from .mend import fault_of
from .runs import PAGE, POINT, RUNNING, SWEEP
from .store import LOCKED_SECONDS, Store, open_store, store_uri
from .sweeps import MARK
from .trouble import REPLACE, StoreError, Trouble


@dataclass(frozen=True)
class UnwantedRun:
    """A run that may go. what: why. folder: its files, if they are on this disk."""

    run_id: str
    name: str
    what: str
    folder: Path | None


def existing_store(tracking: TrackingSettings) -> Store | None:
    """The database that the settings name, unless there is none; a server's runs may be those of others, whose experiments
    are not here. MLflow's own errors or StoreError when it cannot be used: who only looks sets nothing aside."""
    uri = "" if tracking.store == "off" else store_uri(tracking)
    if not uri.startswith("sqlite:") or not database_of(uri).exists():
        return None
    fault = fault_of(database_of(uri), LOCKED_SECONDS, thorough=True)
    if fault is not None and not fault.older:
        raise StoreError(Trouble(f"the store {uri} {fault.what}", REPLACE))
    return open_store(tracking, None)


def unwanted_runs(store: Store, experiment: str, keep: set[str]) -> list[UnwantedRun]:
    """Those of one experiment. keep: the trajectories that are wanted. What runs, or is a registered model, stays."""
    found = store.client.get_experiment_by_name(experiment)
    if found is None:
        return []
    runs = _all(store.client.search_runs, [found.experiment_id])
    registered = {version.run_id for version in _all(store.client.search_model_versions, f"name = '{experiment}'")}
    sweeps: set[str] = set()
    gone = []
    for run in runs:
        tags = run.data.tags
        wanted = tags.get(POINT, "").partition("/")[0] in keep or run.info.run_id in registered or run.info.status == RUNNING
        if POINT in tags and wanted:
            sweeps |= {tag.removeprefix(MARK) for tag in tags if tag.startswith(MARK)}
        elif POINT in tags:
            gone.append(_unwanted(run, "a run of a point that no grid has"))
    parents = [run for run in runs if SWEEP in run.data.tags and POINT not in run.data.tags and run.info.status != RUNNING]
    empty = [run for run in parents if run.data.tags[SWEEP] not in sweeps]
    return [*gone, *(_unwanted(run, "a sweep's run, of no point that is wanted") for run in empty)]


def discard(store: Store, runs: list[UnwantedRun]) -> None:
    """Put runs, and the models that they logged, into MLflow's trash."""
    for each in runs:
        outputs = store.client.get_run(each.run_id).outputs
        for model in outputs.model_outputs if outputs else []:
            store.client.delete_logged_model(model.model_id)
        store.client.delete_run(each.run_id)


def _unwanted(run: Any, what: str) -> UnwantedRun:
    parts = urlsplit(run.info.artifact_uri)
    folder = Path(unquote(parts.path)).parent if parts.scheme in ("", "file") else None
    return UnwantedRun(run.info.run_id, run.info.run_name, what, folder)


def _all(search: Any, where: Any) -> list[Any]:
    """What a search of MLflow's gives, on all of its pages."""
    found: list[Any] = []
    token = None
    while True:
        page = search(where, max_results=PAGE, page_token=token)
        found += page
        token = page.token
        if not token:
            return found
