"""Stage gc: what no experiment wants, listed with its size; with --delete it is removed. Points in their places stay.

python -m pipeline.gc
python -m pipeline.gc name=digits --delete
"""

import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from .base import console
from .base.errors import FileError, MendableError, SettingsError
from .settings import TrackingSettings
from .sweep.hydra import parse_arguments, read_command
from .sweep.leftovers import Leftover, left_alone, leftovers, remove, size, wanted
from .tracking.address import database_of
from .tracking.mend import aside
from .tracking.store import Store, store_uri
from .tracking.trouble import explain
from .tracking.unwanted import UnwantedRun, discard, existing_store, unwanted_runs

HELP = """\
usage: ovrcnn gc [experiment=NAME|name=NAME] [--delete]

lists what no experiment wants, with its size: of trajectories that no grid has, points on the shelf, checkpoints and MLflow's
runs; damaged files; databases that were set aside; old logs. Without a name it looks at all experiments. --delete removes what
is listed; points in their places are never touched, and runs go to MLflow's trash: mlflow gc empties it.

paths.experiments=FOLDER looks elsewhere, and at no runs unless tracking.uri names its database. A server's runs are left alone:
others' experiments may want them. tracking=off looks at no runs."""
WORDS = ("experiment=", "name=", "paths.experiments=", "tracking=", "tracking.uri=")


def main(arguments: list[str]) -> int:
    """List, and with --delete remove; its exit code: 0, or 1 when MLflow's store could not be looked at."""
    if {"-h", "--help"} & set(arguments):
        console.answer(HELP + "\n")
        return 0
    words = [word for word in arguments if word != "--delete"]
    wrong = [word for word in words if not word.startswith(WORDS)]
    if wrong:
        raise SettingsError([f"gc: knows no {wrong[0]!r:.80}; ovrcnn gc --help says what it takes"])
    first = read_command(parse_arguments(words)).first
    folders, named = [first.folder], any(word.startswith(("experiment=", "name=")) for word in words)
    if not named:
        folders = sorted(path for path in first.folder.parent.glob("*") if path.is_dir() and not path.is_symlink())
    elif not first.folder.is_dir():
        raise FileError(f"{first.folder}: no such experiment")
    keep, delete = wanted(first.folder.parent), "--delete" in arguments
    total = sum(_files(folder, keep, delete) for folder in folders)
    total += 0 if named else _stores(first.tracking, delete)
    console.say(f"{total} bytes {'removed' if delete else 'that no experiment wants'}")
    # The project's own database may hold another folder's runs of experiments that are called alike.
    astray = any(word.startswith("paths.experiments=") for word in words) and first.tracking.uri is None
    return 0 if keep is None or astray else _runs([folder.name for folder in folders], keep, first.tracking, delete)


def _files(folder: Path, keep: set[str] | None, delete: bool) -> int:
    """List, and remove, those of one experiment; their bytes."""
    with left_alone(folder) if delete else nullcontext(True) as alone:
        if not alone:
            return 0
        found = leftovers(folder, keep)
        for each in found:
            _show(each)
        if delete:
            remove(found)
    return sum(each.size for each in found)


def _stores(tracking: TrackingSettings, delete: bool) -> int:
    """The same of what was set aside because it could not be the store."""
    uri = "" if tracking.store == "off" else store_uri(tracking)
    kept = sorted(aside(database_of(uri)).glob("*")) if uri.startswith("sqlite:") else []
    found = [Leftover(path, "set aside, since it could not be the store", size(path)) for path in kept]
    for each in found:
        _show(each)
    if delete:
        remove(found)
    return sum(each.size for each in found)


def _runs(experiments: Sequence[str], keep: set[str], tracking: TrackingSettings, delete: bool) -> int:
    """The same of MLflow's store. A sweep that runs has its points' runs open, and those stay."""
    try:
        store = existing_store(tracking)
        found = [run for name in experiments for run in unwanted_runs(store, name, keep)] if store else []
        for run in found:
            _show(Leftover(run.folder or Path(run.run_id), f"{run.what}: {run.name}", size(run.folder) if run.folder else 0))
        if found and store:
            _conclude(store, found, delete)
    except MendableError:
        raise
    except Exception as error:
        # MLflow raises a dozen kinds of errors; to the person they are one line.
        trouble = explain(error, store_uri(tracking))
        console.say(f"MLflow: {trouble.what}; its runs were not looked at", error=True)
        return 1
    return 0


def _conclude(store: Store, found: list[UnwantedRun], delete: bool) -> None:
    if not delete:
        console.say(f"{len(found)} runs that no experiment wants")
        return
    discard(store, found)
    console.say(f"{len(found)} runs moved to MLflow's trash; mlflow gc --backend-store-uri {store.uri} removes them for good")


def _show(each: Leftover) -> None:
    place = os.path.relpath(each.path) if each.path.is_absolute() else str(each.path)
    console.say(f"{each.size:12d}  {place}  {each.what}")


if __name__ == "__main__":
    console.run(main)
