"""Stage export: an experiment as an RO-Crate, a zip or a folder, that anybody can read and `ovrcnn import` takes in.

python -m pipeline.export digits
python -m pipeline.export digits digits-crate
"""

import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .base import console
from .base.arguments import new_parser
from .base.errors import SettingsError
from .base.project import expanded
from .comparison.select import Places, find_records
from .crates.citation import citation
from .crates.contents import GRID, contents
from .crates.metadata import metadata
from .crates.pack import ZIP, check_new, pack
from .tracking.places import NAMED, read_places

WHAT = """\
Write an experiment as an RO-Crate (Process Run Crate): records, grid, tables, figures, and what each point was made of.

EXPERIMENT is a name, or a folder. OUT is a new zip, else a new folder; without it EXPERIMENT.zip, here. The same records give
the same bytes. Data is named by its digest and does not come along. `ovrcnn import` takes a crate in."""


def main(arguments: list[str]) -> int:
    """Write the crate; 0. SettingsError or FileError, with nothing written, for an experiment that cannot be sent."""
    parser = new_parser("ovrcnn export", WHAT, "EXPERIMENT [OUT.zip|OUT/]")
    _, words = parser.parse_known_args(arguments)
    places, settings, words = read_places(words)
    if any(word.startswith(NAMED) for word in arguments):
        words = [settings.name, *words]
    if not 1 <= len(words) <= 2:
        raise SettingsError([f"command line: an experiment and at most one file are needed, not {len(words)} words; --help"])
    folder = folder_of(words[0], places)
    out = expanded(words[1]) if len(words) == 2 else Path(f"{folder.name}{ZIP}")
    check_new(out)
    records = find_records([str(folder)], places)
    with _bar(len(records), " points") as bar:
        held = contents(folder, records, bar.update)
    described = metadata(held, citation())
    with _bar(len(held.files) + 1, " files") as bar:
        pack(held, described, out, bar.update)
    size = sum(part.size for part in held.files) + len(described)
    console.say(f"{out}: {len(held.points)} points of {folder.name}, {len(held.files) + 1} files, {size} bytes; an RO-Crate")
    return 0


def folder_of(word: str, places: Places) -> Path:
    """An experiment by its name or its folder."""
    for folder in (places.experiments / word, expanded(word)):
        if (folder / GRID).is_file() or (folder / "points").is_dir():
            return folder.resolve()
    known = ", ".join(places.known()) or "none"
    raise SettingsError([f"{word:.80}: is no experiment and no experiment's folder; {places.experiments} has {known}"])


def _bar(total: int, unit: str) -> "tqdm[Any]":
    return tqdm(total=total, unit=unit, leave=False, disable=not sys.stderr.isatty())


if __name__ == "__main__":
    console.run(main)
