"""Stage gc: what no experiment wants, listed with its size; with --delete it is removed. Points in their places stay.

python -m pipeline.gc
python -m pipeline.gc name=digits --delete
"""

import os

from .base import console
from .base.errors import FileError, SettingsError
from .sweep.hydra import parse_arguments, read_command
from .sweep.leftovers import left_alone, leftovers, remove, wanted

HELP = """\
usage: ovrcnn gc [experiment=NAME|name=NAME] [--delete]

lists what no experiment wants, with its size: points on the shelf, damaged files, old logs, checkpoints of trajectories that no
grid has. Without a name it looks at all experiments. --delete removes what is listed; points in their places are never touched.

paths.experiments=FOLDER looks elsewhere."""


def main(arguments: list[str]) -> int:
    """List, and with --delete remove."""
    if {"-h", "--help"} & set(arguments):
        print(HELP)
        return 0
    words = [word for word in arguments if word != "--delete"]
    wrong = [word for word in words if not word.startswith(("experiment=", "name=", "paths.experiments="))]
    if wrong:
        raise SettingsError([f"gc: knows no {wrong[0]!r:.80}; ovrcnn gc --help says what it takes"])
    first = read_command(parse_arguments(words)).first
    folders = [first.folder]
    if not any(word.startswith(("experiment=", "name=")) for word in words):
        folders = sorted(path for path in first.folder.parent.glob("*") if path.is_dir() and not path.is_symlink())
    elif not first.folder.is_dir():
        raise FileError(f"{first.folder}: no such experiment")
    keep, delete, total = wanted(first.folder.parent), "--delete" in arguments, 0
    for folder in folders:
        with left_alone(folder) as alone:
            found = leftovers(folder, keep)
            if delete and not alone:
                continue
            total += sum(each.size for each in found)
            for each in found:
                print(f"{each.size:12d}  {os.path.relpath(each.path)}  {each.what}")
            if delete:
                remove(found)
    console.say(f"{total} bytes {'removed' if delete else 'that no experiment wants'}")
    return 0


if __name__ == "__main__":
    console.run(main)
