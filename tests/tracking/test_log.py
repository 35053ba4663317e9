"""What a run holds: curves, final values, files, tables and pictures."""

import json
from pathlib import Path

import pandas as pd

from pipeline.tracking import pictures
from pipeline.tracking.curves import curve_rows
from pipeline.tracking.events import Compared
from pipeline.tracking.lease import Lease
from pipeline.tracking.parent import command
from pipeline.tracking.runs import Runs
from pipeline.tracking.store import open_store
from pipeline.tracking.sweeps import sweep_key
from tests.helpers.tracking import (
    EXPERIMENT,
    make_points,
    make_record,
    open_tracker,
    parents,
    point_runs,
    settings_of,
    sweep_of,
    track,
)  # fmt: skip


def test_a_child_holds_what_its_record_holds(folder):
    [point] = make_points(folder, 1, (100,), classes=["ant", "mean", "a/b", ""])
    assert track(folder, [point], sweep=False) == []
    [run] = point_runs(folder)[point.key]
    client = open_store(settings_of(folder), EXPERIMENT).client
    result = json.loads((point.folder / "result.json").read_text())
    for key, value in result["metrics"].items():
        assert [(row.value, row.step) for row in client.get_metric_history(run.info.run_id, key)] == [(value, 0)]
    curves = {key for key in run.data.metrics if key.startswith("loss/")}
    assert len(curves) == 5 and {"loss/ant", "loss/mean"} < curves
    steps = [row.step for row in client.get_metric_history(run.info.run_id, "loss/mean")]
    assert steps == sorted(set(steps)) and (steps[0], steps[-1]) == (1, 100)
    for key in curves:
        last = client.get_metric_history(run.info.run_id, key)[-1]
        assert (last.step, last.value) == (100, run.data.metrics[key])
    # Of a head its recall, on images that are new to it and of its class.
    assert {key: run.data.metrics[key] for key in run.data.metrics if key.endswith("/ant")} == {
        "loss/ant": run.data.metrics["loss/ant"], "validation_recall/ant": 0.5
    }  # fmt: skip
    assert run.data.tags["mlflow.note.content"].startswith(
        f"**validation_accuracy {run.data.metrics['validation_accuracy']:.4g}"
    )
    assert float(run.data.params["log10 training.alpha"]) == -1
    assert run.data.tags["mlflow.loggedImages"] == "True"
    images = sorted(file.path for file in client.list_artifacts(run.info.run_id, "images"))
    assert images == sorted(pictures.pictures(make_record(point), run.info.start_time))
    artifacts = {f.path for part in ("record", None) for f in client.list_artifacts(run.info.run_id, part)}
    assert artifacts >= {"record/checkpoint.npz", "record/y_hat.csv", "record/SHA256SUMS", "y_hat.json"}
    data = [(entry.dataset.name, entry.dataset.digest, entry.tags[0].value) for entry in run.inputs.dataset_inputs]
    used = {"train": "training", "validation": "validation", "test": "test"}
    assert data == [("digits", f"{result['data'][:16]}-{split}", context) for split, context in used.items()]
    # As MLflow reads it.
    table = pd.read_json(client.download_artifacts(run.info.run_id, "y_hat.json", folder), orient="split")
    assert len(table) == 3 and list(table)[:2] == ["image", "target"] and "output" in table


def test_what_a_sweep_came_to_hangs_on_its_run(folder):
    points = make_points(folder, 2)
    output = folder / "experiments" / EXPERIMENT
    (output / "figures").mkdir(parents=True)
    files = {"config.yaml", "points.csv", "summary.csv", "y_hat.csv", "metrics.json", "report.html", "figures/heatmap.png"}
    for name in {*files, "other.txt"}:
        (output / name).write_text(name)
    records = [make_record(point) for point in points]
    for value in (0.75, 0.5, 0.5):
        watched = open_tracker(folder, points)
        for point, record in zip(points, records, strict=True):
            watched.finished(point, record, known=False)
        values = {"validation_accuracy": value, "train_loss": 0.25}
        best = (points[1], records[1])
        watched.compared(Compared(output, "seed=1", values, "a table\nof points", "validation_accuracy", best, tuple(points)))
        assert watched.close("FINISHED") == []
    [parent] = parents(folder)
    client = open_store(settings_of(folder), EXPERIMENT).client
    found = {file.path for part in (None, "figures") for file in client.list_artifacts(parent.info.run_id, part)}
    assert found - {"git.diff"} == {*files, "figures"}
    assert parent.data.tags["best"] == "seed=1"
    # The last value counts, not the largest.
    assert parent.data.metrics == {"best_validation_accuracy": 0.5}
    assert len(client.get_metric_history(parent.info.run_id, "best_validation_accuracy")) == 2
    assert "a table\nof points" in parent.data.tags["mlflow.note.content"]
    assert parent.data.tags["mlflow.note.content"].startswith("best: **seed=1  validation_accuracy 0.5, train_loss 0.25**")
    assert "2 points on 2 trajectories; seed 0, 1" in parent.data.tags["mlflow.note.content"]
    assert parent.data.params["data.source"] == "digits" and "seed" not in parent.data.params
    assert {entry.dataset.name for entry in parent.inputs.dataset_inputs} == {"digits"}
    assert parent.data.tags["command"] == command()
    described = client.get_experiment(parent.info.experiment_id).tags["mlflow.note.content"]
    assert described == "seed=1  validation_accuracy 0.5, train_loss 0.25 (the best of the newest sweep of 2 points)"
    assert sweep_of(points).condition in parent.data.tags["mlflow.note.content"]
    assert any(tag.endswith(sweep_key(points)) for tag in client.get_experiment(parent.info.experiment_id).tags)


def test_many_heads_are_a_table(folder):
    [point] = make_points(folder, 1, (30,), [f"class {number}" for number in range(300)])
    assert track(folder, [point], sweep=False) == []
    [run] = point_runs(folder)[point.key]
    # What three hundred heads come to is a table.
    assert [key for key in run.data.metrics if "/" in key] == ["loss/mean"]
    client = open_store(settings_of(folder), EXPERIMENT).client
    table = json.loads(Path(client.download_artifacts(run.info.run_id, "heads.json", folder)).read_text())
    assert len(table["data"]) == 300 and table["data"][7][:2] == ["class 7", 0.5]


def test_a_half_logged_run_is_gone_on_with_though_other_settings_were_spelled_differently(folder):
    """The data's path is no part of a point's key; MLflow refuses to change a parameter."""
    [point] = points = make_points(folder, 1, (30,))
    record, store = make_record(point), open_store(settings_of(folder), EXPERIMENT)
    run = Runs(store, None, Lease(store.uri)).open(point, {})
    store.client.log_param(run.run_id, "data.path", "../elsewhere")
    store.client.log_metric(run.run_id, "loss/mean", curve_rows(record.losses, "ab", 30)[0][1], run.began + 1, 1)
    store.client.set_terminated(run.run_id, "KILLED")
    assert track(folder, points) == []
    [again] = point_runs(folder)[point.key]
    assert again.info.run_id == run.run_id and again.data.params["data.path"] == "../elsewhere"
    rows = store.client.get_metric_history(run.run_id, "loss/mean")
    assert [row.step for row in rows] == sorted({step for _, _, step in curve_rows(record.losses, "ab", 30)})


def test_any_class_has_a_curve_of_its_own_and_its_name_in_the_table(folder):
    classes = ["$\\frac", ".", "..", "x" * 300, "a/b", "a:b", "mean", " ", "🐜", "=1+1", "\x1b[31m"]
    [point] = make_points(folder, 1, (100,), classes=classes)
    assert track(folder, [point], sweep=False) == []
    [run] = point_runs(folder)[point.key]
    # Each head's losses are its number times those of the first.
    last = {key: value for key, value in run.data.metrics.items() if key.startswith("loss/")}
    assert last.pop("loss/mean") and len({f"{value:.6g}" for value in last.values()}) == len(last) == len(classes)
    client = open_store(settings_of(folder), EXPERIMENT).client
    table = json.loads(Path(client.download_artifacts(run.info.run_id, "y_hat.json", folder)).read_text())
    assert table["columns"][2:-1] == [f"y_hat_{name}" for name in classes]
    assert {row[1] for row in table["data"]} <= set(classes)
