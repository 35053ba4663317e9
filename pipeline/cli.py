"""The console script: ovrcnn STAGE ...; where a module is named like the stage, python -m pipeline.STAGE ... is the same."""

import importlib
import os

from .base import console

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
    """Tab completion: the stage first, then what Hydra knows, which must not see the stage's word."""
    words = os.environ.get("COMP_LINE", "").split(" ")
    if "query" in " ".join(arguments) and len(words) <= 2:
        console.say("\n".join(name for name in STAGES if name.startswith(words[-1])))
        return 0
    if "query" in " ".join(arguments):
        os.environ["COMP_LINE"] = " ".join([words[0], *words[2:]])
        os.environ["COMP_POINT"] = str(len(os.environ["COMP_LINE"]))
    from . import train

    return train.main(arguments)
