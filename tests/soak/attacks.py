"""Attacks on a sweep. Each does its worst to a place, lets the command run to its end, and gives how often it struck."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from tests.helpers.command_lines import ALONE, command_line, own_line
from tests.helpers.hostile_files import hostile_file

from .checks import answered, is_temporary, no_orphans
from .sweeps import NAME, Place, Straight, Sweep

MOST_KILLS = 12
# Mostly what no command can answer to; else what a terminal, a shell or a batch system sends.
SIGNALS = [signal.SIGKILL] * 5 + [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT]
CODES = {0, *(128 + number for number in SIGNALS), *(-number for number in SIGNALS)}
TRIES = 4

# (place, sweep, an undisturbed run, random numbers) to (strikes, complaints)
Attack = Callable[[Place, Sweep, Straight, random.Random], tuple[int, list[str]]]


def kills(place: Place, sweep: Sweep, expected: Straight, choice: random.Random) -> tuple[int, list[str]]:
    """Start and kill, again and again; a third of the kills wait for a file that is just being written."""
    struck, found = 0, []
    for _ in range(choice.randint(4, MOST_KILLS)):
        sent = choice.choice(SIGNALS)
        with place.started(sweep) as process:
            if choice.random() < 1 / 3:
                _wait_for_a_write(place, process, choice.uniform(0, expected.seconds))
            else:
                _wait(process, choice.uniform(0.1, 1.05 * expected.seconds))
            struck += process.poll() is None
            with suppress(ProcessLookupError):
                # As a terminal sends Ctrl-C: to all of its processes.
                (os.killpg if sent in (signal.SIGINT, signal.SIGQUIT) else os.kill)(process.pid, sent)
            code = place.finish(process)
        if code not in CODES:
            found.append(f"exit code {code} after signal {sent}: {place.said[-1].strip()[-200:]}")
        found += no_orphans(place)
    return struck, [*found, *_at_last(place, sweep)]


def flips(place: Place, sweep: Sweep, expected: Straight, choice: random.Random) -> tuple[int, list[str]]:
    """Damage what lies on the disk: a bit, an end, a block, a file in another's place."""
    struck, found = 0, []
    shutil.copytree(expected.place.experiment, place.experiment, dirs_exist_ok=True)
    for _ in range(choice.randint(2, 5)):
        files = [path for path in _files(place.experiment) if path.stat().st_size]
        damage = choice.choice([_flip, _flip, _flip, _cut, _blank, _swap])
        damage(choice.choice(files), files, choice)
        struck += 1
        found += _at_last(place, sweep)
    return struck, found


def stores(place: Place, sweep: Sweep, expected: Straight, choice: random.Random) -> tuple[int, list[str]]:
    """Do something to MLflow's database before or while the sweep runs; training must not notice."""
    struck, found = 0, []
    if choice.random() < 0.5:
        shutil.copytree(expected.place.folder, place.folder, dirs_exist_ok=True)
        shutil.rmtree(place.experiment)
    for _ in range(choice.randint(1, 3)):
        what = choice.choice([_lock, _garbage, _shorten, _remove, _folder])
        with place.started(sweep) as process:
            _wait(process, choice.choice([0.0, choice.uniform(0, expected.seconds)]))
            released = what(place.database, choice)
            struck += 1
            code = place.finish(process)
            released.set()
        if code != 0:
            found.append(f"exit code {code} with a store that {what.__name__.strip('_')} hit: {place.said[-1].strip()[-200:]}")
        if len(place.said[-1].splitlines()) > 6:
            found.append(f"{len(place.said[-1].splitlines())} lines of a store that {what.__name__.strip('_')} hit")
        # The next command has all to train again, and to tell.
        shutil.rmtree(place.experiment, ignore_errors=True)
    # As the message says: what cannot be used is moved away.
    found += _at_last(place, sweep)
    if place.said[-1]:
        shutil.rmtree(place.database, ignore_errors=True)
        place.database.unlink(missing_ok=True)
        found += _at_last(place, sweep)
    return struck, found


def full_disks(place: Place, sweep: Sweep, expected: Straight, choice: random.Random) -> tuple[int, list[str]]:
    """No file may grow beyond a size: what does not fit cannot be written."""
    struck, found = 0, []
    for _ in range(choice.randint(1, 3)):
        size = int(10 ** choice.uniform(2.5, 6.3))
        code = place.run(sweep, size)
        struck += 1
        if code not in (0, 1):
            found.append(f"exit code {code} with files of at most {size} bytes: {place.said[-1].strip()[-200:]}")
    return struck, [*found, *_at_last(place, sweep)]


def races(place: Place, sweep: Sweep, expected: Straight, choice: random.Random) -> tuple[int, list[str]]:
    """Two or three commands at once, of which one may be killed."""
    count, found = choice.randint(2, 3), []
    processes: list[subprocess.Popen[str]] = []

    def one(delay: float, killed: bool) -> None:
        time.sleep(delay)
        with place.started(sweep) as process:
            processes.append(process)
            if killed:
                _wait(process, choice.uniform(0.1, expected.seconds))
                process.kill()
            code = place.finish(process)
            if code != 0 and not killed:
                found.append(f"exit code {code} beside another command: {place.said[-1].strip()[-200:]}")

    victim = choice.choice([None, 0])
    plan = [(choice.uniform(0, 1), index == victim) for index in range(count)]
    threads = [threading.Thread(target=one, args=each) for each in plan]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count, [*found, *_at_last(place, sweep)]


def nonsense(place: Place, sweep: Sweep, expected: Straight, choice: random.Random) -> tuple[int, list[str]]:
    """Command lines that nobody can mean, and data made to harm, beside an experiment that none of it may change."""
    shutil.copytree(expected.place.folder, place.folder, dirs_exist_ok=True)
    count, found = choice.randint(4, 12), []
    for number in range(count):
        before = set(place.folder.rglob("*"))
        if choice.random() < 0.7:
            line = choice.choice([command_line, own_line])(choice.randrange(2**32))
            words = [NAME if word == "scratch" else word for word in line]
        else:
            data = place.folder / f"data {number}"
            data.mkdir()
            words = [choice.choice(["prepare", "train", "plan"]), "name=hostile", *hostile_file(data, choice)]
            before |= set(data.rglob("*")) | {data}
        # What trains is little, and stays here.
        more = ("paths.experiments=experiments", "training.iterations=1", "tracking=off")
        own = [word for word in more if word.partition("=")[0] not in str(words) and words[0] not in ALONE]
        found += answered(place, place.answer([*words, *own]), set(place.folder.rglob("*")) - before)
    return count, [*found, *_at_last(place, sweep)]


ATTACKS: dict[str, Attack] = {
    "kills": kills, "flips": flips, "stores": stores, "full disks": full_disks, "races": races, "nonsense": nonsense
}  # fmt: skip
# How often each is chosen.
WEIGHTS = {"kills": 6, "flips": 3, "stores": 2, "full disks": 1, "races": 2, "nonsense": 2}


def _at_last(place: Place, sweep: Sweep) -> list[str]:
    """The command once more, undisturbed: it must come to its end."""
    code = place.run(sweep)
    return [] if code == 0 else [f"exit code {code} of an undisturbed command: {place.said[-1].strip()[-300:]}"]


def _wait(process: subprocess.Popen[str], seconds: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _wait_for_a_write(place: Place, process: subprocess.Popen[str], after: float) -> None:
    """Until something is being written, after some seconds, or the command is over."""
    _wait(process, after)
    folders = [place.experiment, place.experiment / "work", place.experiment / "data", place.folder]
    while process.poll() is None:
        for folder in folders:
            with suppress(OSError):
                if any(is_temporary(Path(entry.path)) for entry in os.scandir(folder)):
                    return


def _files(folder: Path) -> list[Path]:
    """What a sweep wrote and reads again."""
    kept = ("points", "data", "work")
    return sorted(path for name in kept for path in (folder / name).rglob("*") if path.is_file() and path.suffix != ".lock")


def _flip(path: Path, _: list[Path], choice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[choice.randrange(len(content))] ^= 1 << choice.randrange(8)
    path.write_bytes(content)


def _cut(path: Path, _: list[Path], choice: random.Random) -> None:
    os.truncate(path, choice.randrange(path.stat().st_size))


def _blank(path: Path, _: list[Path], choice: random.Random) -> None:
    content = bytearray(path.read_bytes())
    first = choice.randrange(len(content))
    content[first : first + 512] = bytes(len(content[first : first + 512]))
    path.write_bytes(content)


def _swap(path: Path, files: list[Path], choice: random.Random) -> None:
    other = choice.choice([entry for entry in files if entry.name == path.name or entry.suffix == path.suffix])
    mine, its = path.read_bytes(), other.read_bytes()
    path.write_bytes(its)
    other.write_bytes(mine)


def _lock(database: Path, choice: random.Random) -> threading.Event:
    """Hold the database as another program does, until the event or some seconds are over."""
    released, seconds = threading.Event(), choice.uniform(1, 30)

    def hold() -> None:
        with suppress(sqlite3.Error), closing(sqlite3.connect(database, isolation_level=None, timeout=1)) as store:
            store.execute("BEGIN EXCLUSIVE")
            released.wait(seconds)

    if database.is_file():
        threading.Thread(target=hold, daemon=True).start()
    return released


def _garbage(database: Path, choice: random.Random) -> threading.Event:
    if not database.is_dir():
        database.write_bytes(choice.randbytes(20_000))
    return threading.Event()


def _shorten(database: Path, choice: random.Random) -> threading.Event:
    if database.is_file() and database.stat().st_size:
        os.truncate(database, choice.randrange(database.stat().st_size))
    return threading.Event()


def _remove(database: Path, _: random.Random) -> threading.Event:
    if database.is_file():
        database.unlink(missing_ok=True)
    return threading.Event()


def _folder(database: Path, choice: random.Random) -> threading.Event:
    _remove(database, choice)
    database.mkdir(exist_ok=True)
    return threading.Event()
