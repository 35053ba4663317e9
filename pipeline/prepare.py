"""Stage prepare: the images and labels of an experiment, read from their source, into prepared files.

python -m pipeline.prepare experiment=digits
"""

from .base import console
from .sweep.grid import Grid
from .sweep.hydra import hand_over, is_question, parse_arguments, read_command
from .sweep.points import points_of

HELP = """\
usage: ovrcnn prepare [SETTING=VALUE ...] [-m]

takes the words of ovrcnn train, reads the images and labels of every point from where they come from, and writes them into
experiments/NAME/data/, one file for all points with the same data; nothing is trained. train does so itself; for DVC it is a
stage.

ovrcnn train --help lists the settings."""


def main(arguments: list[str]) -> int:
    """Write experiments/<name>/data/ for every point of the grid."""
    args = parse_arguments(arguments)
    if args.help:
        console.answer(HELP + "\n")
        return 0
    if is_question(args):
        hand_over(args, lambda _: None)
        return 0
    command = read_command(args)
    points = points_of(Grid.of(command.points or (command.first,)))
    for path, dataset in {point.data: point.dataset for point in points}.items():
        height, width = dataset.image_shape
        console.say(f"{path}: {len(dataset.images)} images of {height} x {width}, {len(dataset.classes)} classes")
    return 0


if __name__ == "__main__":
    console.run(main)
