"""The registered model of an experiment: a version for each point that was the best of a sweep, the latest called champion."""

import json
from typing import Any

from .store import Store

CHAMPION, VERSIONS = "champion", "mlflow.modelVersions"
ABOUT = "Versions are points that were the best of a sweep of the experiment {name}; champion is that of its latest sweep."


def crown(store: Store, name: str, run_id: str, model_id: str, card: str) -> None:
    """Make the model of a run the champion of experiment `name`: a version of its registered model, once, with its card.
    MlflowException if another command has just deleted that model and kept another of the run: it is told again then."""
    client = store.client
    # Not models:/ID: in a database MLflow looks that up in whichever store is the process's default.
    model = client.get_logged_model(model_id)
    source = model.artifact_location
    aliases = _aliases(client, name)
    version = _kept(client, name, source, run_id)
    if version is not None:
        if version.description != card:
            client.update_model_version(name, version.version, card)
    else:
        # No need to wait: in a database a version is ready at once.
        options: dict[str, Any] = {"model_id": model_id, "description": card, "await_creation_for": None}
        made = client.create_model_version(name, source, run_id, **options)
        version = _kept(client, name, source, run_id) or made
    # The pages link a model to its versions by this tag.
    versions, this = json.loads(model.tags.get(VERSIONS, "[]")), {"name": name, "version": str(version.version)}
    if this not in versions:
        client.set_logged_model_tags(model_id, {VERSIONS: json.dumps([*versions, this])})
    if str(aliases.get(CHAMPION)) != str(version.version):
        client.set_registered_model_alias(name, CHAMPION, version.version)


def has_others(store: Store, name: str, run_id: str, model_id: str) -> bool:
    """Whether a run has versions that commands left which made theirs at once: more than one, or that of another model."""
    source = store.client.get_logged_model(model_id).artifact_location
    found = _versions(store.client, name, run_id)
    return len(found) > 1 or any(version.source != source for version in found)


def _kept(client: Any, name: str, source: str, run_id: str) -> Any:
    """The version that a run's model has, if any. Of several, which commands made at once, the first stays (see twins.py), and
    none of another model of the run: a run has one."""
    found = _versions(client, name, run_id)
    found.sort(key=lambda version: (version.source != source, int(version.version)))
    first = found[0] if found and found[0].source == source else None
    for version in found:
        if version is not first:
            _delete(client, name, version.version)
    return first


def _versions(client: Any, name: str, run_id: str) -> list[Any]:
    return [version for version in client.search_model_versions(f"name = '{name}'") if version.run_id == run_id]


def _delete(client: Any, name: str, version: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.delete_model_version(name, version)
    except MlflowException as error:
        # Another command deleted it just now; the next one may be left to us.
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def _aliases(client: Any, name: str) -> dict[str, Any]:
    """The versions of a registered model that have a name; it is made unless it is there."""
    from mlflow.exceptions import MlflowException

    try:
        return dict(client.get_registered_model(name).aliases)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
    try:
        client.create_registered_model(name, description=ABOUT.format(name=name))
    except MlflowException as error:
        # Another process made it just now.
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return {}
