"""check-gradients as a user meets it: a table, an exit code that tells, one line for each wrong argument."""

from dataclasses import replace

import pytest

from pipeline.base.errors import SettingsError
from pipeline.certify import __main__ as check_gradients
from pipeline.certify.__main__ import main
from tests.helpers.command_lines import answer

FEW = ["--image-shape", "5x4", "--draws", "1", "--kernel-size", "1,3"]

WRONG = {
    "--image-shape 1x5": "--image-shape: must be HxW or N, each from 2 to 256, not '1x5'",
    "--image-shape 999": "--image-shape: must be HxW or N, each from 2 to 256, not '999'",
    "--image-shape wide": "--image-shape: must be HxW or N, each from 2 to 256, not 'wide'",
    "--kernel-size 4": "--kernel-size: must be odd, not 4",
    "--kernel-size 3,9": "--kernel-size: must be at most 7 for 8 x 8 images, not 9",
    "--kernel-size 3,": "--kernel-size: must be a whole number from 1 to 256, not ''",
    "--filters 0": "--filters: must be a whole number from 1 to 1024, not '0'",
    "--draws x": "--draws: must be a whole number from 1 to 1000000, not 'x'",
    "--seed -1": "--seed: must be a whole number from 0 to 4294967295, not '-1'",
    "--seed 4294967296": "--seed: must be a whole number from 0 to 4294967295, not '4294967296'",
    "--loss hinge": "command line: argument --loss: invalid choice: 'hinge'",
    "--engine abacus": "command line: argument --engine: invalid choice: 'abacus'",
    "training.alpha=1": "command line: unrecognized arguments: training.alpha=1",
}


def test_it_prints_a_row_a_gradient_and_the_notebooks(tmp_path):
    code, said, error = answer(["check-gradients", *FEW], tmp_path)
    assert (code, error) == (0, "")
    lines = said.splitlines()
    assert lines[0] == "5 x 4 pixels, filters 1, 1 draws of each kind, engine numba"
    assert sum(line.endswith(" ok") for line in lines) == 16
    assert sum("%" in line and "cross_entropy" in line for line in lines) == 4
    assert lines[-1] == "16 of 16 gradients are certified"


def test_one_loss_and_the_numpy_engine(capsys):
    assert main([*FEW, "--loss", "binary_cross_entropy", "--engine", "numpy", "--seed", "3", "--filters", "2"]) == 0
    said = capsys.readouterr().out
    assert "half_squared_error" not in said and said.endswith("8 of 8 gradients are certified\n")


def test_a_wrong_gradient_is_told_by_the_exit_code(capsys, monkeypatch):
    real = check_gradients.certify

    def wrong(*arguments):
        found = real(*arguments)
        return replace(found, rows=(replace(found.rows[0], held=1e-5), *found.rows[1:]))

    monkeypatch.setattr(check_gradients, "certify", wrong)
    assert main(FEW) == 1
    said = capsys.readouterr().out
    assert said.count("WRONG") == 2 and said.endswith("14 of 16 gradients are certified\n")


@pytest.mark.parametrize("arguments", WRONG)
def test_a_wrong_argument_is_one_line(arguments, capsys):
    with pytest.raises(SettingsError) as caught:
        main(arguments.split())
    [line] = caught.value.faults
    assert line.startswith(WRONG[arguments])
    assert capsys.readouterr().out == ""


def test_several_wrong_arguments_are_a_line_each():
    with pytest.raises(SettingsError) as caught:
        main(["--kernel-size", "2,11", "--draws", "0"])
    assert [line.split(":")[0] for line in caught.value.faults] == ["--draws", "--kernel-size", "--kernel-size"]


def test_images_on_which_nothing_can_be_certified_are_refused(monkeypatch):
    def refuse(*_):
        raise ArithmeticError("9 x 9 pixels: every draw has a tie")

    monkeypatch.setattr(check_gradients, "certify", refuse)
    with pytest.raises(SettingsError, match=r"^--image-shape: 9 x 9 pixels: every draw has a tie$"):
        main(FEW)


def test_the_command_line_exits_with_1_and_helps(run, tmp_path):
    ended = run("certify", "--kernel-size", "4")
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "--kernel-size: must be odd, not 4\n")
    code, said, error = answer(["check-gradients", "--help"], tmp_path)
    assert (code, error) == (0, "") and "usage: ovrcnn check-gradients" in said
