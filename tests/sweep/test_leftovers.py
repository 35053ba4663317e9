"""ovrcnn gc: what no experiment wants is listed, and goes when it is told to; points and wanted checkpoints stay."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from filelock import FileLock

from pipeline import gc
from pipeline.base.files import held, is_held
from pipeline.sweep.grid import Grid, write_grid
from pipeline.sweep.leftovers import leftovers
from pipeline.sweep.logs import RUNNING, clean_logs, marked
from pipeline.train import main
from tests.helpers.commands import contents, until
from tests.helpers.records import Recorder, small_data, small_settings, train


def test_what_no_experiment_wants_is_listed_and_removed(tmp_path, capsys):
    folder = tmp_path / "small"
    train(small_settings(tmp_path), small_data())
    wanted = next((folder / "work").glob("*.npz"))
    kept = f"work/shelf/{wanted.stem}/3/x"
    gone = ["work/shelf/0123456789abcdef/7/x", "work/damaged/y", "logs/1/train.log", "work/fedcba9876543210.npz"]
    for name in (*gone, kept, "logs/2/train.log"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"1234567")
    # logs/2 is no older than a running command's may be, and logs/3 the newest.
    for name in ("logs/1", "logs/3"):
        (folder / name).mkdir(exist_ok=True)
        os.utime(folder / name, (0, 0))
    before = contents(folder)
    place = f"paths.experiments={tmp_path}"
    assert gc.main([place, "tracking=off"]) == 0
    listed = capsys.readouterr().out
    for name in ("shelf/0123456789abcdef/7 ", "damaged/y ", "logs/1 ", "fedcba9876543210.npz "):
        assert name in listed
    assert "28 bytes" in listed and "logs/2" not in listed and wanted.stem not in listed and "/points/" not in listed
    with FileLock(folder / "work" / "sweep.lock"):
        assert gc.main([place, "tracking=off", "name=small"]) == 0
        assert "28 bytes" in (said := capsys.readouterr()).out and not said.err
        assert gc.main([place, "tracking=off", "name=small", "--delete"]) == 0
        assert "is running" in capsys.readouterr().err
        assert {*before} <= {*contents(folder)}
    assert gc.main([place, "tracking=off", "name=small", "--delete"]) == 0
    left = {name: held for name, held in contents(folder).items() if name in before}
    assert left == {name: held for name, held in before.items() if name not in gone}


def test_checkpoints_of_a_trajectory_that_is_trained_are_no_leftovers(tmp_path, eager):
    """Nor is what has no trajectory's name."""
    folder, seen = tmp_path / "small", []
    (folder / "work").mkdir(parents=True)
    (folder / "work" / "notes.npz").touch()

    def look(_):
        seen.append((len(list(folder.glob("work/*.npz"))), leftovers(folder, set())))

    train(small_settings(tmp_path), small_data(), observer=Recorder(look))
    assert max(number for number, _ in seen) == 2 and not any(found for _, found in seen)
    [found] = leftovers(folder, set())
    assert found.path == next(folder.glob("work/*[0-9a-f].npz"))


def test_nothing_of_scratch_goes_while_a_sweep_of_it_runs(tmp_path, capsys):
    """It may have yet to begin a trajectory, and its grid may be gone."""
    left, mark = tmp_path / "scratch" / "work" / "fedcba9876543210.npz", tmp_path / "scratch" / "logs" / "1" / RUNNING
    for path in (left, mark):
        path.parent.mkdir(parents=True)
        path.touch()
    words = [f"paths.experiments={tmp_path}", "tracking=off", "name=scratch", "--delete"]
    with held(lambda: str(mark)):
        assert gc.main(words) == 0
        assert "a sweep of scratch is running" in capsys.readouterr().err and left.exists()
    assert gc.main(words) == 0
    assert capsys.readouterr().err == "" and not left.exists()


def test_a_grid_whose_data_is_gone_keeps_what_may_be_its_own(tmp_path, capsys):
    train(small_settings(tmp_path), small_data())
    folder = tmp_path / "small"
    (folder / "work" / "fedcba9876543210.npz").write_bytes(b"1")
    (folder / "work" / "shelf" / "fedcba9876543210" / "7").mkdir(parents=True)
    write_grid(Grid.of([small_settings(tmp_path)]))
    # As a clone has it: a grid, and nothing that was trained.
    write_grid(Grid.of([replace(small_settings(tmp_path), name="cloned")]))
    place = f"paths.experiments={tmp_path}"
    assert gc.main([place, "--delete", "tracking=off"]) == 0
    said = capsys.readouterr()
    assert "0 bytes removed" in said.out and said.err.startswith("small: ") and "may be this grid's" in said.err
    assert (folder / "work" / "fedcba9876543210.npz").exists()


def test_what_killed_commands_logged_goes_with_the_next_and_other_logs_stay(tmp_path):
    """Of three that were killed, one at work, one that ended, and one whose folder a person chose."""
    place = [f"paths.experiments={tmp_path}", "tracking=off", "name=small", "training.iterations=2"]
    logs = tmp_path / "small" / "logs"
    for name in ("killed-1", "killed-2", "killed-3", "at work", "ended"):
        (logs / name).mkdir(parents=True)
        (logs / name / "train.log").touch()
        if name != "ended":
            (logs / name / RUNNING).touch()
    with held(lambda: str(logs / "at work" / RUNNING)):
        assert main([*place, f"hydra.run.dir={tmp_path / 'chosen'}"]) == 0
        assert {path.name for path in logs.iterdir()} == {"at work", "ended"}
    assert {path.name for path in (tmp_path / "chosen").iterdir()} == {"train.log"}
    assert main(place) == 0
    assert not (logs / "at work").exists() and len(list(logs.iterdir())) == 2 and not list(logs.glob(f"*/{RUNNING}"))


def test_a_folder_is_marked_while_others_clean_up(tmp_path):
    """Commands that begin while others look for killed ones' folders keep theirs."""
    experiment = tmp_path / "small"
    done = threading.Event()

    def clean():
        while not done.is_set():
            clean_logs(experiment)

    with ThreadPoolExecutor(3) as threads:
        cleaning = [threads.submit(clean) for _ in range(2)]
        try:
            for number in range(300):
                output = experiment / "logs" / str(number)
                with marked(output, experiment):
                    (output / "train.log").touch()
                    time.sleep(0.001)
                    assert sorted(path.name for path in output.iterdir()) == [RUNNING, "train.log"]
        finally:
            done.set()
    assert [each.result() for each in cleaning] == [None, None]
    assert len(list((experiment / "logs").iterdir())) == 300


def test_a_killed_commands_folder_says_so(start, tmp_path):
    process = start("train", "training.iterations=90000000", f"paths.experiments={tmp_path}", "tracking=off")
    [mark] = until(lambda: list(tmp_path.glob(f"scratch/logs/*/{RUNNING}")), process=process)
    until(lambda: is_held(mark), process=process)
    process.kill()
    process.communicate()
    clean_logs(tmp_path / "scratch")
    assert list((tmp_path / "scratch" / "logs").iterdir()) == []
