"""Attack the real command for some minutes: python -m tests.soak --help. Its exit code is 1 if anything fell."""

import argparse
import csv
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from .attacks import ATTACKS, WEIGHTS
from .checks import everything
from .sweeps import SWEEPS, Place, Straight, Sweep, straight

# Kinds of sweeps, by how often they are chosen: the last two take long to start.
SHARES = (5, 5, 3, 1, 1)


@dataclass
class Score:
    """By attack: rounds, strikes and rounds with complaints."""

    rounds: Counter[str] = field(default_factory=Counter)
    strikes: Counter[str] = field(default_factory=Counter)
    fallen: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> int:
    """Attack until the time is over; 1 when anything fell."""
    args = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="soak."))
    print(f"seed {args.seed}, {args.minutes:g} minutes; in {folder}", flush=True)
    known = {sweep.name: straight(sweep, folder / f"straight {number}") for number, sweep in enumerate(SWEEPS)}
    score, end, numbers = Score(), time.monotonic() + 60 * args.minutes, iter(range(sys.maxsize))
    bar = tqdm(total=round(60 * args.minutes), unit="s", disable=None)

    if args.round:
        _round(args.round, folder / args.round, known, args.only, score)
        end = 0.0

    def go_on() -> None:
        while time.monotonic() < end and (args.kills is None or score.strikes["kills"] < args.kills):
            with score.lock:
                number = next(numbers)
            _round(f"{args.seed}.{number}", folder / f"{number}", known, args.only, score)
            bar.update(round(60 * args.minutes - max(0.0, end - time.monotonic())) - bar.n)

    with ThreadPoolExecutor(args.jobs) as streams:
        for stream in [streams.submit(go_on) for _ in range(args.jobs)]:
            stream.result()
    bar.close()
    _report(score, args.out)
    if not score.fallen:
        shutil.rmtree(folder)
    return int(bool(score.fallen))


def _round(seed: str, folder: Path, known: dict[str, Straight], only: str | None, score: Score) -> None:
    """One attack on one sweep; its seed gives both."""
    choice = random.Random(seed)
    sweep: Sweep = choice.choices(SWEEPS, SHARES)[0]
    attack = only or choice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    place, expected = Place(folder), known[sweep.name]
    try:
        strikes, found = ATTACKS[attack](place, sweep, expected, choice)
        found += everything(place, sweep, expected)
    except Exception as error:
        strikes, found = 0, [f"{type(error).__name__}: {error}"]
    with score.lock:
        score.rounds[attack] += 1
        score.strikes[attack] += strikes
        for line in found:
            tqdm.write(f"FELL round {seed} ({attack} on {sweep.name}), in {folder}: {line}")
        if found:
            score.fallen[attack] += 1
            (folder / "said.txt").write_text("\n-- the next command --\n".join(place.said))
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _report(score: Score, out: Path | None) -> None:
    header = ("attack", "rounds", "strikes", "rounds_that_fell")
    rows = [(name, score.rounds[name], score.strikes[name], score.fallen[name]) for name in ATTACKS if score.rounds[name]]
    for row in (header, *rows):
        print("  ".join(str(value).rjust(16) for value in row))
    if out:
        with out.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description="attack the real command, and check what it leaves")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--jobs", type=int, default=2, help="rounds at a time")
    parser.add_argument("--kills", type=int, help="end after so many kills")
    parser.add_argument("--round", metavar="SEED.NUMBER", help="one round again, as it was named when it fell")
    parser.add_argument("--only", choices=list(ATTACKS), help="one kind of attack")
    parser.add_argument("--out", type=Path, help="a csv for the counts")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
