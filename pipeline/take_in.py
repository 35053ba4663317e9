"""Stage import: the records of a crate that somebody sent, held and taken in as if they had been trained here.

python -m pipeline.take_in digits.zip
python -m pipeline.take_in digits-crate paths.experiments=theirs
"""

import os
import sys

from tqdm import tqdm

from .base import console
from .base.arguments import new_parser
from .base.errors import SettingsError
from .base.project import expanded
from .crates.admitted import admit, told
from .crates.opened import opened
from .tracking.places import read_places

WHAT = """\
Take in a crate of `ovrcnn export`, a zip or a folder: its records and its grid, as if they had been trained here.

Every record is held against its checksums, its place, its settings and its provenance first; if one does not hold, nothing is
taken. What is there already stays: the same bytes are said, others refused. Then `ovrcnn verify` computes the records again,
`ovrcnn compare name=NAME` makes tables and figures, `ovrcnn track` tells MLflow.

paths.experiments=FOLDER takes it in elsewhere."""


def main(arguments: list[str]) -> int:
    """Take in and say what; 0. FileError, with nothing taken, for what does not hold."""
    parser = new_parser("ovrcnn import", WHAT, "CRATE")
    _, words = parser.parse_known_args(arguments)
    places, _, words = read_places(words)
    if len(words) != 1:
        raise SettingsError([f"command line: one zip or folder is needed, not {len(words)} words; --help says more"])
    with opened(expanded(words[0])) as crate:
        said = told(crate, places.experiments)
        hidden = not sys.stderr.isatty()
        with tqdm(total=len(said.places), unit=" points", leave=False, disable=hidden) as bar:
            new, known = admit(crate, said, bar.update)
    was = f", {known} were there" if known else ""
    place = os.path.relpath(said.folder)
    console.say(f"{place}: {new} points taken in{was}; `ovrcnn verify {place}` computes them again")
    return 0


if __name__ == "__main__":
    console.run(main)
