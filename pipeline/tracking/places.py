"""Where a command looks for points: the experiments' folder, and MLflow for run ids and registered models.

Of a run whose record lies on this machine nothing is fetched. Any other's comes from MLflow's artifacts once, is held against
its SHA256SUMS, and stays in the cache.
"""

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from ..base.errors import FileError, SettingsError
from ..base.folders import write_folder
from ..comparison.select import Places
from ..records.provenance import PROVENANCE
from ..records.record import FILES, PLACE, is_finished, read_record
from ..settings import Settings, TrackingSettings
from ..sweep.hydra import parse_arguments, read_command
from .address import database_of, fit_any_path, settle
from .mend import fault_of
from .runs import PAGE, POINT, SWEEP
from .store import load_mlflow, store_uri
from .sweeps import mark
from .trouble import explain, is_missing

# Words of a command line that say where things are, not which points are meant; and Hydra's flags that have a value.
SETTING = re.compile(r"[+~]*(experiment|name|paths|tracking|hydra)([./@][\w./@]*)?=.*", re.S)
VALUED = ("--config-dir", "-cd", "--config-name", "-cn")
NAMED = ("experiment=", "name=")
RUN = re.compile(r"[0-9a-f]{32}")
MODEL = re.compile(r"models:/([^/@]+)(?:@([^/]+)|/([0-9]+))")


def read_places(words: Sequence[str]) -> tuple[Places, Settings, list[str]]:
    """Places, the settings that Hydra's words make (experiment=, name=, paths.*, tracking.*, flags), and the other words of a
    command line, those that mean points."""
    hydras, ours = _parted(words)
    settings = read_command(parse_arguments(hydras)).first
    experiments = settings.folder.parent
    return Places(experiments, partial(fetch, settings.tracking, experiments)), settings, ours


def read_point_words(words: Sequence[str]) -> tuple[Places, list[str]]:
    """Places, and the words that mean points; experiment=NAME and name=NAME mean the experiment."""
    places, settings, ours = read_places(words)
    return places, [settings.name, *ours] if any(word.startswith(NAMED) for word in words) else ours


def _parted(words: Sequence[str]) -> tuple[list[str], list[str]]:
    hydras: list[str] = []
    ours: list[str] = []
    for word in words:
        is_value = bool(hydras) and hydras[-1] in VALUED
        (hydras if is_value or word.startswith("-") or SETTING.fullmatch(word) else ours).append(word)
    return hydras, ours


def fetch(tracking: TrackingSettings, experiments: Path, name: str) -> list[Path]:
    """The folders of a run's record, or of all points of a sweep's run. FileError when MLflow has no such run, when the run
    has no whole record, and when MLflow does not answer."""
    if tracking.store == "off":
        raise SettingsError([f"{name}: is an MLflow run; with tracking=off there are none"])
    uri = store_uri(tracking)
    database = database_of(uri)
    with _explained(uri, name):
        load_mlflow()
        if uri.startswith("sqlite:"):
            if fault := fault_of(database, 1):
                raise FileError(f"{name}: the store {uri} {fault.what}")
            if is_missing(database):
                raise FileError(f"{name}: there is no store {uri}")
        from mlflow import MlflowClient

        if uri.startswith("sqlite:"):
            fit_any_path()
            settle(database)
        client = MlflowClient(uri)
        return [_folder(client, run, experiments) for run in _runs(client, name)]


def _runs(client: Any, name: str) -> list[Any]:
    """The run of a point; of a sweep's run those of all its points; of a registered model the run it came from."""
    model = MODEL.fullmatch(name)
    if model is not None:
        title, alias, version = model.groups()
        found = client.get_model_version_by_alias(title, alias) if alias else client.get_model_version(title, version)
        return [client.get_run(found.run_id)]
    run = client.get_run(name.removeprefix("runs:/").partition("/")[0])
    if SWEEP not in run.data.tags or POINT in run.data.tags:
        return [run]
    condition, runs, token = f"tags.`{mark(run.data.tags[SWEEP])}` = 'yes'", [], None
    while True:
        page = client.search_runs([run.info.experiment_id], condition, max_results=PAGE, page_token=token)
        runs += page
        token = page.token
        if not token:
            return sorted(runs, key=lambda each: str(each.info.run_name))


def _folder(client: Any, run: Any, experiments: Path) -> Path:
    key = run.data.tags.get(POINT)
    # Both become parts of a path, and a server may say anything.
    if not RUN.fullmatch(str(run.info.run_id)) or not PLACE.fullmatch(str(key)):
        raise FileError(f"{run.info.run_id!s:.40}: is no point of this project's, its run has no tag {POINT!r} of a point")
    here = experiments / str(client.get_experiment(run.info.experiment_id).name) / "points" / str(key)
    if is_finished(here):
        return here
    kept = cache() / str(run.info.run_id) / str(key)
    if not is_finished(kept):
        _download(client, run.info.run_id, kept, str(key))
    return kept


def _download(client: Any, run_id: str, folder: Path, key: str) -> None:
    """The record of a run, that of the point `key`; it appears whole and checked, or not at all."""
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache()) as work:
        held = {Path(entry.path).name for entry in client.list_artifacts(run_id, "record")}
        missing = [name for name in FILES if name not in held]
        if missing:
            raise FileError(f"{run_id}: has no record in MLflow, it lacks {', '.join(missing)}")
        got = Path(str(client.download_artifacts(run_id, "record", work)))
        try:
            read_record(got).check(key.partition("/")[0], int(key.partition("/")[2]))
        except (FileError, ValueError) as error:
            said = str(error).partition(";")[0]
            raise FileError(f"{run_id}: in MLflow, {said.removeprefix(f'{got}/').removeprefix(f'{got}: ')}") from None
        files = [*FILES, *([PROVENANCE] if (got / PROVENANCE).is_file() else [])]
        write_folder(folder, {name: (got / name).read_bytes() for name in files}, cache() / "work")


def cache() -> Path:
    """Where fetched records stay."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ovrcnn" / "records"


@contextmanager
def _explained(uri: str, name: str) -> Iterator[None]:
    try:
        yield
    except (FileError, SettingsError):
        raise
    except Exception as error:
        # MLflow raises a dozen kinds of errors; to the person they are one line.
        if "RESOURCE_DOES_NOT_EXIST" in str(getattr(error, "error_code", "")):
            raise FileError(f"{name}: there is no such run or model in {uri}") from None
        raise FileError(f"{name}: {explain(error, uri).what}") from None
