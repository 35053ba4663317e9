"""Stage prepare: the images and labels of an experiment, read from their source, into prepared files.

python -m pipeline.prepare experiment=digits
"""

from .base import console
from .sweep.grid import Grid
from .sweep.hydra import parse_arguments, read_command
from .sweep.points import points_of


def main(arguments: list[str]) -> int:
    """Write experiments/<name>/data/ for every point of the grid."""
    command = read_command(parse_arguments(arguments))
    points = points_of(Grid.of(command.points or (command.first,)))
    for path, dataset in {point.data: point.dataset for point in points}.items():
        height, width = dataset.image_shape
        console.say(f"{path}: {len(dataset.images)} images of {height} x {width}, {len(dataset.classes)} classes")
    return 0


if __name__ == "__main__":
    console.run(main)
