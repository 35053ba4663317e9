"""ovrcnn gc: the runs that no experiment wants go to MLflow's trash, and no others."""

import shutil

from mlflow import MlflowClient
from mlflow.entities import ViewType

from pipeline import gc
from pipeline.tracking.models import model_name
from tests.helpers.tracking import EXPERIMENT, make_points, parents, point_runs, runs_of, settings_of, track


def test_runs_of_points_that_no_grid_has_go_to_the_trash_with_their_sweep(folder, capsys, monkeypatch):
    old, new = make_points(folder, 4)[:2], make_points(folder, 4)[2:]
    track(folder, old)
    track(folder, new)
    client = MlflowClient(settings_of(folder).uri)
    stray = client.create_run(client.get_experiment_by_name(EXPERIMENT).experiment_id).info.run_id
    shutil.rmtree(old[0].folder.parent)
    words = [f"paths.experiments={folder / 'experiments'}", f"tracking.uri={settings_of(folder).uri}"]
    assert gc.main(words) == 0
    listed = capsys.readouterr().out
    monkeypatch.setenv("MLFLOW_TRACKING_URI", settings_of(folder).uri)
    assert gc.main(words[:1]) == 0
    assert "runs" not in capsys.readouterr().out
    assert "1 runs that no experiment wants" in listed and "of a point that no grid has: seed=0 it=5" in listed
    assert len(point_runs(folder)) == 4

    # Now all of the old sweep's points are gone, and so is the sweep.
    shutil.rmtree(old[1].folder.parent)
    assert gc.main([*words, "--delete"]) == 0
    assert "3 runs moved to MLflow's trash" in capsys.readouterr().out
    assert set(point_runs(folder)) == {point.key for point in new}
    assert len(parents(folder)) == 1 and stray in {run.info.run_id for run in runs_of(folder)}
    experiment = client.get_experiment_by_name(EXPERIMENT).experiment_id
    trash = client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)
    assert {run.data.tags.get("point") for run in trash} == {old[0].key, old[1].key, None}
    assert len(client.search_logged_models([experiment])) == 2
    assert gc.main(words) == 0
    assert "runs" not in capsys.readouterr().out


def test_a_registered_models_run_stays(folder, capsys):
    [point] = make_points(folder, 1)
    track(folder, [point], sweep=False)
    shutil.rmtree(point.folder.parent)
    client = MlflowClient(settings_of(folder).uri)
    [[run]] = point_runs(folder).values()
    client.create_registered_model(model_name(EXPERIMENT))
    client.create_model_version(model_name(EXPERIMENT), f"runs:/{run.info.run_id}/record", run.info.run_id)
    words = [f"paths.experiments={folder / 'experiments'}", f"tracking.uri={settings_of(folder).uri}"]
    assert gc.main([*words, "--delete"]) == 0
    assert "runs" not in capsys.readouterr().out


def test_a_store_that_cannot_be_looked_at_is_one_line(tmp_path, capsys):
    (tmp_path / "experiments" / EXPERIMENT).mkdir(parents=True)
    (tmp_path / "mlflow.db").write_bytes(b"this is no database" * 100)
    words = [f"paths.experiments={tmp_path / 'experiments'}", f"tracking.uri={settings_of(tmp_path).uri}"]
    assert gc.main(words) == 1
    said = capsys.readouterr().err
    assert said.startswith("MLflow: ") and said.count("\n") == 1 and "mlflow.db" in said
    assert (tmp_path / "mlflow.db").stat().st_size == 1900
    assert gc.main([*words[:1], "tracking=off"]) == 0


def test_what_was_set_aside_for_a_store_is_listed_and_removed(tmp_path, capsys):
    (tmp_path / "experiments").mkdir()
    kept = tmp_path / "mlflow.db.aside" / "mlflow.db"
    kept.parent.mkdir()
    kept.write_bytes(b"1234567")
    words = [f"paths.experiments={tmp_path / 'experiments'}", f"tracking.uri={settings_of(tmp_path).uri}"]
    assert gc.main(words) == 0
    assert "7 bytes" in (listed := capsys.readouterr().out) and "mlflow.db.aside/mlflow.db  set aside" in listed
    assert kept.exists()
    assert gc.main([*words, "--delete"]) == 0
    assert not kept.exists()


def test_a_servers_runs_are_left_alone(tmp_path, capsys):
    """They may be those of others; the server is not even asked, and nothing listens here."""
    (tmp_path / "experiments" / EXPERIMENT).mkdir(parents=True)
    words = [f"paths.experiments={tmp_path / 'experiments'}", "tracking=server", "tracking.uri=http://127.0.0.1:9"]
    assert gc.main([*words, "--delete"]) == 0
    assert capsys.readouterr().err == ""
