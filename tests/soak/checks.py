"""What must hold after every attack, however it went. Each check gives its complaints, one line each."""

import sqlite3
import time
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from pipeline.base.files import UNFINISHED
from tests.helpers.commands import contents

from .sweeps import Place, Straight, Sweep, tables

# Workers of a killed command end by themselves, so soon.
ORPHAN_SECONDS = 5.0
LONGEST_LINE = 300


def same_bytes(place: Place, expected: Straight) -> list[str]:
    """Points and tables are those of an undisturbed run."""
    found = []
    for what, there, right in (
        ("points", contents(place.experiment / "points"), expected.points),
        ("tables", tables(place.experiment), expected.tables),
    ):
        wrong = sorted(name for name in right.keys() | there.keys() if right.get(name) != there.get(name))
        if wrong:
            found.append(f"{what}: {len(wrong)} files differ from an undisturbed run, first {wrong[0]}")
    return found


def words(place: Place) -> list[str]:
    """No command said more than a person can read."""
    found = []
    for text in place.said:
        if "Traceback" in text:
            found.append(f"a traceback: {text.strip().splitlines()[-1][:200]}")
        long = [line for line in text.replace("\r", "\n").splitlines() if len(line) > LONGEST_LINE]
        if long:
            found.append(f"a line of {len(long[0])} letters: {long[0][:120]}")
        if not text.replace("\n", "").replace("\r", "").isprintable():
            found.append(f"letters that move the cursor: {text.strip()[:120]!r}")
    return found


def answered(place: Place, code: int, wrote: Collection[Path]) -> list[str]:
    """What the last command made of words or data that nobody can mean: done, or refused with a reason and nothing written."""
    found = [] if code in (0, 1) else [f"exit code {code} of a command line: {place.said[-1].strip()[-200:]}"]
    found += ["exit code 1 without a word"] if code == 1 and not place.said[-1].strip() else []
    return found + ([f"refused, and wrote {min(wrote)}"] if code == 1 and wrote else [])


def no_orphans(place: Place) -> list[str]:
    """Every process of a killed command is gone, soon."""
    end = time.monotonic() + ORPHAN_SECONDS
    while left := place.processes():
        if time.monotonic() > end:
            for process in left:
                process.kill()
            return [f"{len(left)} processes outlive their command by {ORPHAN_SECONDS:.0f} s"]
        time.sleep(0.05)
    return []


def no_leftovers(place: Place) -> list[str]:
    """No temporary file or half a folder stays."""
    left = [path for path in place.folder.rglob("*") if is_temporary(path)]
    return [f"{len(left)} temporary files stay, first {left[0].relative_to(place.folder)}"] if left else []


def is_temporary(path: Path) -> bool:
    """Whether a path is something that is being written."""
    return path.name.endswith(UNFINISHED)


def each_once(place: Place, sweep: Sweep, expected: Straight) -> list[str]:
    """MLflow has each point once, finished, and nothing that seems to run."""
    if not sweep.tracked:
        return []
    try:
        with closing(sqlite3.connect(f"{place.database.as_uri()}?mode=ro", uri=True)) as store:
            rows = store.execute(
                "SELECT t.value, r.status FROM runs r LEFT JOIN tags t ON t.run_uuid = r.run_uuid AND t.key = 'point' "
                "WHERE r.lifecycle_stage = 'active'"
            ).fetchall()
    except sqlite3.Error as error:
        return [f"MLflow's store cannot be read: {error}"]
    running = [key for key, status in rows if status == "RUNNING"]
    kept = sorted(key for key, status in rows if key is not None and status == "FINISHED")
    wanted = sorted({"/".join(Path(name).parts[:2]) for name in expected.points})
    found = [f"{len(running)} runs seem to run"] if running else []
    if kept != wanted:
        twice = len(kept) - len(set(kept))
        found.append(f"MLflow has {len(kept)} finished points, {twice} of them twice, of {len(wanted)}")
    return found


def everything(place: Place, sweep: Sweep, expected: Straight) -> list[str]:
    """All complaints about a round that has come to its end."""
    return [
        *same_bytes(place, expected),
        *each_once(place, sweep, expected),
        *no_leftovers(place),
        *no_orphans(place),
        *words(place),
    ]
