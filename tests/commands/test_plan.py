"""What plan says, against what train then does: recorded, going on, new, why, how much."""

import json
import shutil

import numpy as np
import pytest

from pipeline.base.errors import SettingsError
from pipeline.plan import main
from pipeline.records.provenance import PROVENANCE
from pipeline.sweep.rates import FILE
from pipeline.train import main as train
from tests.helpers.commands import SMALL_SWEEP, contents
from tests.helpers.records import counted

ALPHA = ["training.alpha=0.1", "training.batch_size=8"]


@pytest.fixture
def plan(place, capsys):
    """The plan of a command line, as JSON."""

    def of(*words):
        capsys.readouterr()
        assert main([*place, *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return of


def whats(found):
    return [(point["what"], point["from"], point["left"]) for point in found["points"]]


def why(found):
    return [[(each["what"], each["then"], each["now"]) for each in point["differs"]] for point in found["points"]]


def test_it_writes_nothing_and_what_it_says_is_what_train_does(plan, place, tmp_path, monkeypatch, capsys):
    found = plan(*SMALL_SWEEP)
    assert whats(found) == [("new", 0, 6), ("new", 0, 6)] * 2 and found["seconds"] is None
    assert {point["why"] for point in found["points"]} == {"nothing is recorded here yet"}
    assert list(tmp_path.iterdir()) == []
    assert train([*place, *SMALL_SWEEP]) == 0
    assert capsys.readouterr().out.startswith("4 points: 4 new; 24 iterations, how long was not measured yet, ")
    there = contents(tmp_path)
    larger = [*SMALL_SWEEP[:1], "model.kernel_size=3,7", "training.iterations=6,20", "training.batch_size=8"]
    found = plan(*larger)
    recorded, going_on = ("recorded", 6, 0), ("going on", 12, 8)
    assert whats(found) == [recorded, going_on, ("new", 0, 6), ("new", 0, 14)]
    assert [each[0][0::2] for each in why(found)[2:]] == [("model.kernel_size", "7")] * 2
    assert contents(tmp_path) == there
    calls = counted(monkeypatch)
    assert train([*place, *larger]) == 0
    assert sum(calls) == 10 * sum(point["left"] for point in found["points"])
    assert capsys.readouterr().out.startswith("4 points: 1 recorded, 1 going on, 2 new; 28 iterations, how long was not ")
    found = plan(*larger)
    assert found["what"] == {"recorded": 4} and (found["left"], found["bytes"], found["seconds"]) == (0, 0, 0)


def test_what_is_kept_between_two_missing_points_is_not_computed_again(plan, place, tmp_path, monkeypatch):
    words = [*ALPHA, "-m", "seed=0,1"]
    assert train([*place, *words, "training.iterations=6,12"]) == 0
    for path in (tmp_path / "experiments" / "scratch" / "work").glob("*.npz"):
        path.unlink()
    more = [*words, "training.iterations=3,6,9,20,25"]
    found = plan(*more)
    # 3 anew; 9 from the record of 6; 20 from that of 12, which this sweep does not want; 25 from 20.
    assert whats(found) == [("new", 0, 3), ("recorded", 6, 0), ("going on", 6, 3), ("going on", 12, 8), ("going on", 12, 5)] * 2
    calls = counted(monkeypatch)
    assert train([*place, *more]) == 0
    assert sum(calls) == 10 * found["left"] == 10 * 2 * (3 + 3 + 8 + 5)
    ours = contents(tmp_path / "experiments" / "scratch" / "points")
    assert train([f"paths.experiments={tmp_path / 'straight'}", "tracking=off", *more]) == 0
    assert contents(tmp_path / "straight" / "scratch" / "points").items() <= ours.items()


def test_a_stop_in_a_trajectory_is_where_it_goes_on(plan, place, monkeypatch):
    from pipeline.sweep import driver, underway

    monkeypatch.setattr(underway, "FIRST_BLOCK", 10)
    monkeypatch.setattr(underway, "GROWTH", 1)
    words = [*ALPHA, "training.iterations=35"]

    class Stopped(driver.Driver):
        def _keep(self, training, trained):
            super()._keep(training, trained)
            if training.iteration == 20:
                raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(driver, "Driver", Stopped)
        with pytest.raises(KeyboardInterrupt):
            train([*place, *words])
    found = plan(*words)
    assert whats(found) == [("going on", 20, 15)]
    assert found["points"][0]["why"] == "its trajectory has reached 20"
    assert found["seconds"] > 0


def test_why_names_setting_data_file_and_arithmetic(plan, place, tmp_path):
    file, random = tmp_path / "mine.npz", np.random.default_rng(0)
    images, labels = random.random((30, 6, 6)), np.arange(30) % 3
    np.savez(file, images=images, labels=labels)
    words = [*ALPHA, "data=arrays", f"data.path={file}", "training.iterations=4"]
    assert train([*place, *words]) == 0
    name = plan(*words)["points"][0]["record"].partition("/")[0]
    assert why(plan(*words, "model.dtype=float64", "seed=4")) == [[("model.dtype", "float32", "float64"), ("seed", "0", "4")]]
    assert why(plan(*words, "data.fold=1")) == [[("data.fold", "0", "1")]]
    assert why(plan(*words, "compute.engine=numpy")) == [[("numerics", "numba-3", "numpy-1")]]
    copy = tmp_path / "copy.npz"
    shutil.copy(file, copy)
    assert whats(plan(*words, f"data.path={copy}")) == [("recorded", 4, 0)]
    np.savez(file, images=images[::-1], labels=labels)
    [point] = plan(*words)["points"]
    assert [each["what"] for each in point["differs"]] == [f"data: {file}"] and point["why"].endswith(f"(nearest: {name})")
    np.savez(file, images=images, labels=labels)
    [record] = (tmp_path / "experiments" / "scratch" / "points").glob("*/*")
    (record / "losses.npy").unlink()
    [point] = plan(*words)["points"]
    assert (point["what"], point["why"]) == ("going on", "its record lacks losses.npy")


def test_why_names_the_numerics_of_records_of_other_versions(plan, place, tmp_path):
    assert train([*place, *ALPHA, "training.iterations=4"]) == 0
    [folder] = (tmp_path / "experiments" / "scratch" / "points").glob("*/*")
    provenance = folder / PROVENANCE
    text = provenance.read_text()
    provenance.unlink()
    # A record that does not say its numerics: the name of its trajectory does.
    words = [*ALPHA, "training.iterations=4"]
    assert why(plan(*words, "seed=1", "compute.engine=numpy")) == [[("seed", "0", "1"), ("numerics", "numba-3", "numpy-1")]]
    shutil.rmtree(tmp_path / "experiments" / "scratch" / "work")
    folder = folder.parent.rename(folder.parent.with_name("0" * 16)) / "4"
    assert why(plan(*words)) == [[("numerics", "of another version", "numba-3")]]
    (folder / PROVENANCE).write_text(text.replace("numba-3", "numba-2"))
    [point] = plan(*words)["points"]
    assert point["why"] == f"numerics numba-2 -> numba-3 (nearest: {'0' * 16})"


@pytest.mark.parametrize("name", ["settings.yaml", "result.json", PROVENANCE])
def test_a_record_that_nobody_should_read_is_passed_over(name, plan, place, tmp_path):
    words = [*ALPHA, "training.iterations=4"]
    assert train([*place, *words]) == 0
    [folder] = (tmp_path / "experiments" / "scratch" / "points").glob("*/*")
    (folder / name).write_bytes(b"[" * 200_000)
    [point] = plan(*words, "seed=1")["points"]
    assert (point["differs"] == []) == (name != PROVENANCE)


def test_what_it_costs_is_what_it_then_cost(plan, place, tmp_path):
    words = ["-m", "model.kernel_size=3,5", "training.alpha=0.1", "training.iterations=300,600", "compute.n_jobs=1"]
    assert train([*place, *words]) == 0
    found = plan(*words, "seed=1")
    rates = json.loads((tmp_path / "experiments" / "scratch" / FILE).read_text())
    spent = sum(rate["seconds"] + rate["took"] for rate in rates.values())
    # Another seed of the same shape: the same work.
    assert found["seconds"] == pytest.approx(spent, rel=0.5)
    records = sum(len(content) for content in contents(tmp_path / "experiments" / "scratch" / "points").values())
    assert found["bytes"] == pytest.approx(records, rel=0.15)
    (tmp_path / "experiments" / "scratch" / FILE).write_text('{"threads": {"seconds": "x"}}')
    assert plan(*words, "seed=1")["seconds"] is None


def test_the_table_is_short_however_many_points(place, capsys):
    assert main([*place, "-m", "seed=range(0,40)", "training.alpha=0.1,0.2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("scratch: 80 points: 80 new; 160000 iterations, how long was not measured yet")
    assert [line.split()[:2] for line in lines[2:]] == [["what", "points"], ["new", "80"]]
    assert main([*place, "-m", "seed=0,1"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 5
    with pytest.raises(SettingsError, match="a search draws its points as it goes"):
        main([*place, "experiment=digits_search"])


def test_a_rate_of_points_that_were_only_evaluated_is_no_rate_of_training(plan, place, tmp_path):
    words = ["-m", "training.iterations=2000,4000"]
    assert train([*place, *words[:1], "training.iterations=200,400"]) == 0
    path = tmp_path / "experiments" / "scratch" / FILE
    rates = json.loads(path.read_text())
    assert all(rate["iterations"] + rate["last"] > 0 for rate in rates.values()) and plan(*words)["seconds"] > 0
    # As after a point whose training another experiment had done.
    alone = {"iterations": 0, "seconds": 0, "points": 1, "last": 0, "took": 0.01}
    path.write_text(json.dumps(dict.fromkeys(rates, alone)))
    assert plan(*words)["seconds"] is None
    (tmp_path / "experiments" / "other" / FILE).parent.mkdir(parents=True)
    (tmp_path / "experiments" / "other" / FILE).write_text(json.dumps(rates))
    assert plan(*words)["seconds"] > 0
