"""The console script: ovrcnn STAGE ...; where a module is named like the stage, python -m pipeline.STAGE ... is the same."""

import importlib
import io
import os
import re
import signal
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict

from .base import console, project

STAGES = {
    "compose": ("compose", "an experiment's settings and points, resolved"),
    "prepare": ("prepare", "its images and labels in one npz"),
    "plan": ("plan", "what train would do: recorded, to go on, to be trained, why, and how long"),
    "train": ("train", "one point, or a sweep"),
    "compare": ("compare", "the points of a sweep, or any others, side by side"),
    "show": ("show", "one point: settings, neighbours, heads, wrong answers, kernels"),
    "predict": ("predict", "a trained point applied to images of yours"),
    "explain": ("explain", "what each head of a point sees of one image, step by step"),
    "verify": ("verify", "records proved: checksums, then every byte computed again"),
    "export": ("export", "an experiment as an RO-Crate, to be sent"),
    "import": ("take_in", "a crate that somebody sent, held and taken in"),
    "gc": ("gc", "what no experiment wants: listed with its size, or removed"),
    "check-gradients": ("certify.__main__", "the gradients against finite differences, for sizes of your own"),
    "benchmark": ("benchmarks.__main__", "speed and memory, beside plain loops, NumPy, torch and scikit-learn"),
    "track": ("track", "what is recorded, told to an MLflow store that lacks it"),
    "ui": ("tracking.ui", "MLflow's pages on 127.0.0.1"),
}
# Those that take train's words, and those that take names of points.
AS_TRAIN = ("compose", "prepare", "plan", "train")
OF_POINTS = ("compare", "show", "predict", "explain", "verify", "export")


def main() -> None:
    """Run the stage that the first argument names."""
    console.run(dispatch)


def dispatch(arguments: list[str]) -> int:
    """Hand the rest of the command line to a stage; its exit code."""
    if arguments[:1] == ["-sc"]:
        return _complete(arguments)
    if arguments[:1] in ([], ["-h"], ["--help"]):
        console.say("usage: ovrcnn STAGE [SETTING=VALUE ...]\n")
        console.say("\n".join(f"  {name:16s} {what}" for name, (_, what) in STAGES.items()))
        console.say("\novrcnn train --help lists all settings")
        return 0
    stage = arguments[0]
    if stage not in STAGES:
        console.say(f"ovrcnn: there is no stage {stage!r:.80}; there are {', '.join(STAGES)}", error=True)
        return 1
    return int(importlib.import_module(f"pipeline.{STAGES[stage][0]}").main(arguments[1:]))


def _complete(arguments: list[str]) -> int:
    """Tab completion: what fits is printed, and nothing else is, since it would stand in the person's prompt."""
    # Ctrl-C ends it without a word, as it ends the shell's own.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    line = os.environ.get("COMP_LINE", "")
    words = [*line.split(), *([""] if line.endswith(" ") else [])]
    if "query" not in " ".join(arguments):
        return _hydra(arguments)
    with redirect_stderr(io.StringIO()), suppress(Exception):
        if len(words) > 2 and words[1] in AS_TRAIN and not words[-1].startswith("-"):
            # Hydra must not see the stage's word, nor a flag that is not its own.
            os.environ["COMP_LINE"] = " ".join([words[0], *(word for word in words[2:] if word != "--json")])
            os.environ["COMP_POINT"] = str(len(os.environ["COMP_LINE"]))
            return _hydra(arguments)
        console.say("\n".join(offer for offer in _offers(words) if offer.startswith(words[-1])))
    return 0


def _hydra(arguments: list[str]) -> int:
    from . import train

    return train.main(arguments)


def _offers(words: list[str]) -> list[str]:
    """What may stand in the place of the last word: a stage, its flags, an experiment, a column to choose points by."""
    if len(words) <= 2:
        return list(STAGES)
    stage, is_first = words[1], len(words) == 3
    if words[-1].startswith("-"):
        text = "--help " + _help(stage, "--help") + (_help("train", "--hydra-help") if stage in AS_TRAIN else "")
        return sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)))
    # The shell would run what it finds in an odd name.
    found = sorted(path.parent.name for path in (project.root() / "experiments").glob("*/config.yaml"))
    names = [name for name in found if re.fullmatch(r"[\w.-]+", name)]
    if stage in ("gc", "track"):
        return [f"name={name}" for name in names]
    # Where nothing is offered, as for what follows a point that predict takes, the shell offers files.
    if stage not in OF_POINTS or (not is_first and not words[-1] and stage in ("predict", "export")):
        return []
    return [*names, *_columns()] if not is_first else names


def _columns() -> list[str]:
    """What points of an experiment are chosen by, by whole and by short names."""
    from .settings import Settings, flatten

    settings = {key: value for key, value in asdict(Settings()).items() if key in ("seed", "data", "model", "training")}
    keys = list(flatten(settings))
    return ["best", *(f"{name}=" for name in dict.fromkeys([*keys, *(key.rpartition(".")[2] for key in keys)]))]


def _help(*words: str) -> str:
    said = io.StringIO()
    with redirect_stdout(said), suppress(SystemExit):
        dispatch(list(words))
    return said.getvalue()
