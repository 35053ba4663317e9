"""Stage track: tells an MLflow store of every recorded point that it lacks, and of the sweeps' comparisons and champions.

python -m pipeline.track
python -m pipeline.track name=digits tracking.uri=http://127.0.0.1:5000
"""

from pathlib import Path

from .base import console
from .base.errors import FileError, MendableError, SettingsError
from .sweep.hydra import parse_arguments, read_command
from .tracking.known import has_records
from .tracking.refill import refill
from .tracking.store import check_store, store_uri
from .tracking.trouble import shown

HELP = """\
usage: ovrcnn track [experiment=NAME|name=NAME] [tracking.uri=http://HOST:PORT | tracking.uri=sqlite:////PATH.db]

tells an MLflow store of every recorded point that it lacks, once each, with the times when they were trained; and of each
experiment's sweeps with their tables, of the last one with figures, report and champion, too. Without a name it looks at all
experiments. Records are only read.

paths.experiments=FOLDER looks elsewhere."""
WORDS = ("experiment=", "name=", "paths.experiments=", "tracking=", "tracking.uri=")


def main(arguments: list[str]) -> int:
    """Log what is missing; its exit code: 0, or 1 when something could not be logged."""
    if {"-h", "--help"} & set(arguments):
        console.answer(HELP + "\n")
        return 0
    wrong = [word for word in arguments if not word.startswith(WORDS)]
    if wrong:
        raise SettingsError([f"track: knows no {wrong[0]!r:.80}; ovrcnn track --help says what it takes"])
    first = read_command(parse_arguments(arguments)).first
    if first.tracking.store == "off":
        raise SettingsError(["tracking: is off, so there is no store to tell; choose tracking=sqlite or tracking=server"])
    check_store(first.tracking)
    named = any(word.startswith(("experiment=", "name=")) for word in arguments)
    folders = [first.folder] if named else _experiments(first.folder.parent)
    if named and not first.folder.is_dir():
        raise FileError(f"{first.folder}: no such experiment")
    uri = store_uri(first.tracking)
    code, uri = 0, uri if uri.startswith("sqlite:") else shown(uri)
    # Those of a fresh clone have none yet; in a store they would be sweeps of no points.
    recorded = [folder for folder in folders if has_records(folder)]
    if not recorded:
        console.say(f"{first.folder if named else first.folder.parent}: there are no records")
    for folder in recorded:
        try:
            logged, there = refill(folder, first.tracking)
        except MendableError as error:
            console.say(f"{folder.name}: {console.explain_error(error)}", error=True)
            code = 1
            continue
        console.say(f"{folder.name}: {logged} of {there} points logged now, the others were there; {uri}")
    return code


def _experiments(experiments: Path) -> list[Path]:
    """Those that have a grid."""
    found = (path.parent for path in experiments.glob("*/config.yaml"))
    return sorted(folder for folder in found if not folder.is_symlink())


if __name__ == "__main__":
    console.run(main)
