"""Stage verify: records proved. Checksums and data first, then training computes them again; it writes nothing.

python -m pipeline.verify digits
python -m pipeline.verify digits --segments 20
"""

import json
import secrets
from pathlib import Path

from .base import console
from .base.arguments import new_parser, whole_number
from .base.errors import SettingsError
from .certify.committed import parted, prove_table, read_table, some
from .certify.prove import held_against, prove
from .certify.verdict import Verdict, lines, plain
from .comparison.filters import is_filter, read_filter
from .comparison.select import Places, find_records
from .tracking.places import read_point_words

MOST_SEGMENTS = 100_000
WHAT = """\
Prove records: their checksums, their data, then every byte of their losses, checkpoints, results and y-hat computed again.

POINTS are those of ovrcnn compare: experiments, folders of records, trajectories, MLflow run ids, and filters. Of an experiment
whose records are not here, as in a fresh clone, the points are trained anew, and the committed tables are held against them.
The last line is the verdict with what it covers; the exit code is 0 when all holds, else 1. Nothing is written."""


def main(arguments: list[str]) -> int:
    """Print the verdict; 0 when all records hold, else 1. SettingsError or FileError for words that name nothing."""
    parser = new_parser("ovrcnn verify", WHAT, "POINTS ...")
    parser.add_argument(
        "--segments", metavar="N", help="N random stretches between checkpoints instead of all iterations; of a table, N points"
    )
    parser.add_argument("--seed", metavar="S", help="of the random stretches; it is printed")
    parser.add_argument("--against", metavar="FOLDER", help="compare with another machine's records; nothing is computed")
    parser.add_argument("--json", action="store_true", help="the verdict for programs")
    args, words = parser.parse_known_args(arguments)
    if args.against is not None and args.segments is not None:
        parser.error("--against computes nothing, so it has no --segments")
    if args.seed is not None and args.segments is None:
        parser.error("--seed is that of --segments")
    faults: list[str] = []
    segments = whole_number("--segments", args.segments, 1, MOST_SEGMENTS, faults)
    seed = whole_number("--seed", args.seed, 0, 2**32 - 1, faults)
    if faults:
        raise SettingsError(faults)
    places, words = read_point_words(words)
    if args.against is not None:
        verdict = held_against(find_records(words, places), args.against, places)
    else:
        verdict = verify(words, places, segments, secrets.randbelow(2**32) if seed is None else seed)
    console.answer(json.dumps(plain(verdict), indent=1) + "\n" if args.json else "\n".join(lines(verdict)) + "\n")
    return 0 if verdict.holds else 1


def verify(words: list[str], places: Places, segments: int | None, seed: int) -> Verdict:
    """The proof of what these words mean: records, and the tables of committed experiments that have none here."""
    folders, rest = parted(words, places)
    filters = [word for word in rest if is_filter(word) and not Path(word).is_dir()]
    tables = [read_table(folder, [read_filter(word) for word in filters]) for folder in folders]
    if segments is not None:
        tables = some(tables, segments, seed)
    verdicts = [prove(find_records(rest, places), segments, seed)] if len(rest) > len(filters) or not folders else []
    verdicts += map(prove_table, tables)
    found = verdicts[0]
    for each in verdicts[1:]:
        found = found.and_also(each)
    return found


if __name__ == "__main__":
    console.run(main)
