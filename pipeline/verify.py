"""Stage verify: records proved. Checksums and data first, then training computes them again; it writes nothing.

python -m pipeline.verify digits
python -m pipeline.verify digits --segments 20
"""

import json
import os
import secrets
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from .base import console
from .base.errors import FileError, SettingsError
from .base.text import cut, printable
from .certify.against import against
from .certify.differ import Difference
from .certify.recompute import proved, stretches, whole
from .certify.trail import Claim, by_trajectory, claim
from .comparison.select import Places, find_records
from .predict import new_parser
from .records.record import Record
from .tracking.places import read_point_words

MOST_SEGMENTS = 100_000
WHAT = """\
Prove records: their checksums, their data, then every byte of their losses, checkpoints, results and y-hat computed again.

POINTS are those of ovrcnn compare: experiments, folders of records, trajectories, MLflow run ids, and filters.
The last line is the verdict with what it covers; the exit code is 0 when all holds, else 1. Nothing is written."""


@dataclass(frozen=True)
class Verdict:
    """covered: what was held against what. faults: by record's folder, those that have any. notes: the same for what is no
    fault."""

    records: int
    covered: str
    faults: dict[str, list[Difference]]
    notes: Mapping[str, tuple[str, ...]]

    @property
    def words(self) -> str:
        right = self.records - len(self.faults)
        return f"verdict: {right} of {self.records} records hold{'' if right == self.records else ', NOT ALL'}; {self.covered}"


def main(arguments: list[str]) -> int:
    """Print the verdict; 0 when all records hold, else 1. SettingsError or FileError for words that name nothing."""
    parser = new_parser("ovrcnn verify", "POINTS ...", WHAT)
    parser.add_argument("--segments", metavar="N", help="N random stretches between checkpoints instead of all iterations")
    parser.add_argument("--seed", metavar="S", help="of the random stretches; it is printed")
    parser.add_argument("--against", metavar="FOLDER", help="compare with another machine's records; nothing is computed")
    parser.add_argument("--json", action="store_true", help="the verdict for programs")
    args, words = parser.parse_known_args(arguments)
    if args.against is not None and args.segments is not None:
        parser.error("--against computes nothing, so it has no --segments")
    if args.seed is not None and args.segments is None:
        parser.error("--seed is that of --segments")
    segments = _whole("--segments", args.segments, 1, MOST_SEGMENTS)
    seed = _whole("--seed", args.seed, 0, 2**32 - 1)
    places, words = read_point_words(words)
    records = find_records(words, places)
    if args.against is not None:
        verdict = held_against(records, args.against, places)
    else:
        verdict = prove(records, segments, secrets.randbelow(2**32) if seed is None else seed)
    console.answer(json.dumps(plain(verdict), indent=1) + "\n" if args.json else "\n".join(lines(verdict)) + "\n")
    return 1 if verdict.faults else 0


def prove(records: Sequence[Record], segments: int | None, seed: int) -> Verdict:
    """Checksums, settings and data of all records; then all iterations, or random stretches, of those that hold."""
    faults: dict[str, list[Difference]] = {}
    claims: list[Claim] = []
    for record in records:
        try:
            claims.append(claim(record))
        except FileError as error:
            faults[_name(record)] = [Difference("not computed", str(error).replace(f"{record.folder}{os.sep}", ""))]
    notes = {_name(each.record): each.notes for each in claims if each.notes}
    groups = by_trajectory(claims)
    engines = " and ".join(sorted({each.settings.compute.engine for each in claims})) or "none"
    if segments is None:
        total = sum(group[-1].record.result.iterations for group in groups)
        with _bar(total) as bar:
            for group in groups:
                for each, found in zip(group, whole(group, bar.update), strict=True):
                    faults |= {_name(each.record): found} if found else {}
        covered = f"all {total} iterations of {len(groups)} trajectories computed again, engine {engines}"
        return Verdict(len(records), covered, faults, notes)
    every = [stretch for group in groups for stretch in stretches(group)]
    order = np.random.default_rng(seed).permutation(len(every))[:segments]
    chosen = [every[number] for number in order.tolist()]
    total = sum(stretch.last - stretch.first for stretch in chosen)
    with _bar(total) as bar:
        for stretch in chosen:
            for record, differ in proved(stretch, bar.update):
                faults.setdefault(_name(record), []).append(differ)
    covered = f"checksums of all, {len(chosen)} of {len(every)} stretches ({total} iterations) computed again, engine {engines}"
    return Verdict(len(records), f"{covered}, seed {seed}", faults, notes)


def held_against(records: Sequence[Record], folder: str, places: Places) -> Verdict:
    """Records beside those of another machine. FileError when no point is in both."""
    others = find_records([folder], places)
    found = {_name(record): against(record, others) for record in records}
    common = sum(differ is not None for differ in found.values())
    if not common:
        raise FileError(f"{folder}: has no point of these {len(records)} records: other settings, data or numerics")
    notes = {name: ("the other folder has no record of this point",) for name, differ in found.items() if differ is None}
    covered = f"bytes of {common} points compared with {folder}, which has {len(others)}; nothing was computed"
    return Verdict(common, covered, {name: differ for name, differ in found.items() if differ}, notes)


def lines(verdict: Verdict) -> list[str]:
    """What is wrong, record by record; notes, each once; the verdict last."""
    found = []
    for name, differ in verdict.faults.items():
        found += [f"WRONG  {printable(name)}", *(cut(f"    {printable(str(each))}") for each in differ)]
    said = Counter(note for notes in verdict.notes.values() for note in notes)
    found += [f"note: {count} records: {note}" for note, count in said.items()]
    return [*found, verdict.words]


def plain(verdict: Verdict) -> dict[str, Any]:
    """For JSON."""
    faults = {name: [asdict(each) for each in differ] for name, differ in verdict.faults.items()}
    holds = {"holds": not verdict.faults, "verdict": verdict.words, "records": verdict.records, "covered": verdict.covered}
    return {**holds, "faults": faults, "notes": verdict.notes}


def _name(record: Record) -> str:
    return os.path.relpath(record.folder)


def _bar(total: int) -> "tqdm[Any]":
    return tqdm(total=total, unit=" iterations", unit_scale=True, leave=False, disable=not sys.stderr.isatty())


def _whole(flag: str, text: str | None, least: int, most: int) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 12 and least <= int(text) <= most):
        raise SettingsError([f"{flag}: must be a whole number from {least} to {most}, not {text!r:.80}"])
    return int(text)


if __name__ == "__main__":
    console.run(main)
