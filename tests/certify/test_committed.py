"""The committed numbers are those that this code computes, to the last bit; .ci/run shows the same of digits."""

import shutil

from pipeline.verify import main
from tests.helpers.commands import ROOT


def test_the_notebooks_grid_comes_out_again(tmp_path, capsys):
    name = "notebook_grid"
    shutil.copy(ROOT / "dvc.lock", tmp_path)
    (tmp_path / "experiments" / name).mkdir(parents=True)
    for file in ("config.yaml", "points.csv", "summary.csv", "metrics.json"):
        shutil.copy(ROOT / "experiments" / name / file, tmp_path / "experiments" / name)
    assert main([name, f"paths.experiments={tmp_path / 'experiments'}", "tracking=off"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("verdict: 27 of 27 points hold; ") and "all 27 points of its grid were trained anew (4500 " in said
    held = "points.csv, summary.csv, metrics.json and, by the digests in dvc.lock, y_hat.csv, champion, plots/losses.csv, "
    assert said.endswith(f"held against {held}plots/confusion.csv\n")
