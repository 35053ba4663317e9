"""Wrong commands: one clear line that names the setting, exit code 1, no traceback, nothing written."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.base.errors import MendableError
from pipeline.cli import dispatch
from pipeline.sweep import executors
from pipeline.train import main

WRONG = {
    "+model.kernel=5": "model.kernel: no such setting; did you mean model.kernel_size?",
    "model.kernel=5": "model.kernel: no such setting; did you mean model.kernel_size?",
    "+experment=grid": "experment: no such setting; did you mean experiment?",
    "experiment=typo": "experiment: there is no 'typo'; there are ",
    "data=nosuch": "data: there is no 'nosuch'; there are arrays, digits",
    "hydra/launcher=nosuch": "hydra/launcher: there is no 'nosuch'; there are basic, joblib",
    "model=glob(zzz*)": "model: takes one value; to sweep over several, add -m",
    "-m model=glob(zzz*)": "model: glob(zzz*) fits none of exact, notebook",
    "-m training.alpha=interval(0,1)": "training.alpha: interval(0,1) needs a sweeper that draws values",
    "compute=nosuch": "compute: there is no 'nosuch'; there are dask, processes, threads",
    "compute.scheduler=tcp://127.0.0.1:1": "compute.scheduler: must be null with compute=threads",
    "compute=dask compute.scheduler=here": "compute.scheduler: must be tcp://HOST:PORT, or null, not 'here'",
    "compute.n_jobs=-2": "compute.n_jobs: must be a number of workers, or -1 for one a core, not -2",
    "compute=null": "compute: there is no 'null'; there are dask, processes, threads",
    "compute=5": "compute: there is no '5'; there are dask, processes, threads",
    "compute={a:1}": "compute: there is no '{a:1}'; there are dask, processes, threads",
    "compute=[threads,nosuch]": "compute: there is no '[threads,nosuch]'; there are dask",
    "-m compute=threads,null": "compute: there is no 'null'; there are dask, processes, threads",
    "-m compute=range(3)": "compute: there is no '0'; there are dask, processes, threads",
    "tracking=false": "tracking: there is no 'false'; there are off, server, sqlite",
    "hydra/launcher=null": "hydra/launcher: there is no 'null'; there are basic",
    "experiment=../config": "experiment: there is no '../config'; there are digits",
    "-m seed=range(0,1,0)": "seed: range(0,1,0) never ends; its third number, the step, is 0",
    "-m training.alpha=range(0.1,0.5,0)": "training.alpha: range(0.1,0.5,0) never ends; its third number, the step, is 0",
    "-m seed=range(5,1)": "seed: range(5,1) holds no value; the second number is where a range ends, and is not in it",
    "-m seed=glob(*)": "seed: glob(*) stands for names of files in a folder of conf/; the values of a setting are typed",
    "seed=${oc.env:NOSUCH}": "seed: cannot be resolved: Environment variable 'NOSUCH' not found",
    "hydra.run.dir=${oc.env:NOSUCH}": "hydra.run.dir: cannot be resolved: Environment variable 'NOSUCH' not found",
    "+hydra.sweeper.params.seed=1 -m": "hydra.sweeper.params: holds no axes here; type yours as SETTING=A,B and add -m",
    "-cn nosuch": "-cn: there is no config 'nosuch'",
    "model.kernel_size=abc": "model.kernel_size: must be a whole number, not 'abc'",
    "model.kernel_size=4": "model.kernel_size: must be an odd number from 1, not 4",
    "model.kernel_size=9": "model.kernel_size: must be at most 7 for 8 x 8 images, not 9",
    "model.kernel_size=null": "model.kernel_size: must be an odd number from 1, not None",
    "model.kernel_size=3,5": "model.kernel_size: takes one value; to sweep over several, add -m",
    "model.kernel_size=[": "model.kernel_size=[: cannot be read",
    "model.init=notebook_draws": "model.init: notebook_draws needs data=notebook",
    "model.dtype=float16": "model.dtype: must be float32 or float64, not 'float16'",
    "training.alpha=0": "training.alpha: must be positive and finite, not 0.0",
    "training.alpha=-1": "training.alpha: must be positive and finite, not -1.0",
    "training.alpha=nan": "training.alpha: must be positive and finite, not nan",
    "training.alpha=inf": "training.alpha: must be positive and finite, not inf",
    "training.iterations=0": "training.iterations: must be from 1 to 1000000000, not 0",
    "training.iterations=1.5": "training.iterations: must be a whole number, not '1.5'",
    "training.batch_size=some": "training.batch_size: must be at least 1, or all, not 'some'",
    "training.loss=hinge": "training.loss: must be half_squared_error or binary_cross_entropy, not 'hinge'",
    "~training.alpha": "training.alpha: is missing",
    "~data": "data: is missing; every setting of conf/ is needed",
    "seed={a:1}": "seed: must be a whole number, not \"{'a': 1}\"",
    "compute.n_jobs=0": "compute.n_jobs: must be a number of workers, or -1 for one a core, not 0",
    "seed=-1": "seed: must be from 0 to 4294967295, not -1",
    "name=../outside": "name: must be letters, digits",
    "data.fold=5": "data.fold: must be from 0 to data.folds - 1 = 4, not 5",
    "data=arrays": "data.path: is missing",
    "data.path=mine.npz": "data.path: must be null with data=digits, which reads no file; add data=arrays (a .npz), ",
    "data=arrays data.path=nosuch.npz": "data.path: {here}/nosuch.npz: no such file",
    "data=arrays data.path=.": "data.path: {here}: is a folder",
    "tracking=server": "tracking.uri: must be the server's http://HOST:PORT, not None",
    "tracking=sqlite tracking.uri=sqlite:///relative.db": "tracking.uri: must be sqlite:////ABSOLUTE/PATH.db",
    "--nosuchflag": "command line: unrecognized arguments: --nosuchflag",
    "word": "word: cannot be read; settings are given as SETTING=VALUE",
}


def refusal(arguments: list[str]) -> str:
    with pytest.raises(MendableError) as caught:
        main(arguments)
    return str(caught.value)


@pytest.mark.parametrize("wrong", WRONG)
def test_one_line_and_nothing_written(wrong, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = [place[0], *([] if "tracking" in wrong else [place[1]]), *wrong.split()]
    message = refusal(arguments)
    assert message.startswith(WRONG[wrong].replace("{here}", str(tmp_path)))
    assert len(message.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_that_is_not_there_is_one_line_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(executors, "SCHEDULER_SECONDS", 1)
    where = ["compute=dask", "compute.scheduler=tcp://127.0.0.1:9", f"paths.experiments={tmp_path / 'experiments'}"]
    message = refusal(where)
    assert message.startswith("compute.scheduler: no Dask scheduler answers at tcp://127.0.0.1:9")
    assert len(message.splitlines()) == 1 and list(tmp_path.iterdir()) == []


def test_the_command_line_prints_just_that_and_exits_with_1(run, place, tmp_path):
    ended = run("train", *place, "training.alpha=nan")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "training.alpha: must be positive and finite, not nan\n"
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_says_every_fault_once_before_the_first_point(place, tmp_path):
    message = refusal([*place, "-m", "model.kernel_size=3,4,9", "training.alpha=0.5,nan"])
    assert message.splitlines() == [
        "model.kernel_size=3 training.alpha=nan: training.alpha: must be positive and finite, not nan (and 2 more points)",
        "model.kernel_size=4 training.alpha=0.5: model.kernel_size: must be an odd number from 1, not 4 (and 1 more point)",
    ]
    message = refusal([*place, "-m", "model.kernel_size=3,9", "training.batch_size=32,64,128"])
    said = "model.kernel_size: must be at most 7 for 8 x 8 images, not 9 (and 2 more points)"
    assert message == f"kernel_size=9 batch_size=32: {said}"
    assert not (tmp_path / "experiments").exists()


@pytest.mark.parametrize(
    ("arrays", "line"),
    [
        ({"images": np.zeros((4, 4, 4)), "labels": np.arange(3)}, "there are 4 images and 3 labels"),
        ({"images": np.full((4, 4, 4), np.nan), "labels": np.arange(4)}, "image 0 has a pixel that is nan or inf"),
        ({"images": np.zeros((4, 4, 4)), "labels": np.zeros(4, int)}, "one-vs-rest needs at least two classes"),
        ({"images": np.zeros((4, 4)), "labels": np.arange(4)}, "images must be (N, H, W), not (4, 4)"),
        ({"pictures": np.zeros((4, 4, 4)), "labels": np.arange(4)}, "has no array images; it holds labels, pictures"),
    ],
)
def test_bad_arrays_name_the_file(arrays, line, place, tmp_path):
    file = tmp_path / "mine.npz"
    np.savez(file, **arrays)
    message = refusal([*place, "data=arrays", f"data.path={file}"])
    assert str(file) in message and line in message and len(message.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [file]


def test_the_largest_kernel_that_is_named_is_one_that_is_taken(place, tmp_path):
    """An odd one, also where the shorter side is even."""
    np.savez(tmp_path / "mine.npz", images=np.arange(60, dtype=np.uint8).reshape(10, 2, 3), labels=np.arange(10) % 2)
    words = [*place, "data=arrays", f"data.path={tmp_path / 'mine.npz'}", "training.iterations=1"]
    assert refusal([*words, "model.kernel_size=3"]) == "model.kernel_size: must be at most 1 for 2 x 3 images, not 3"
    assert main([*words, "model.kernel_size=1"]) == 0


def test_hydras_own_help_answers_beside_settings(run):
    ended = run("train", "tracking=off", "seed=1", "--hydra-help")
    assert (ended.returncode, ended.stderr) == (0, "") and "--hydra-help" in ended.stdout


def test_a_place_that_cannot_be_written_is_said_in_one_line(run, tmp_path):
    """A folder below a file cannot be made."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    ended = run("train", f"paths.experiments={blocked}", "tracking=off", "training.iterations=1")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1 and str(blocked) in ended.stderr


def test_an_unknown_stage_lists_the_stages(capsys):
    assert dispatch(["nosuch"]) == 1
    assert capsys.readouterr().err.startswith("ovrcnn: there is no stage 'nosuch'; there are compose, prepare, ")


def test_comparing_what_never_ran_names_the_file(place, tmp_path):
    from pipeline.compare import main as compare

    with pytest.raises(MendableError, match="no such experiment; nothing has run there"):
        compare([*place, "name=never"])
    assert not Path(tmp_path / "experiments").exists()
