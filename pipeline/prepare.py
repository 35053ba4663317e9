"""Stage prepare: the images and labels of an experiment, read from their source, into one npz.

python -m pipeline.prepare experiment=digits
"""

from .base import console
from .data.prepared import prepare, prepared_path
from .sweep.grid import compose_grid, parse_arguments


def main(arguments: list[str]) -> int:
    """Write experiments/<name>/data/*.npz for every point of the grid."""
    grid = compose_grid(parse_arguments(arguments))
    for path, point in {prepared_path(point): point for point in grid.points}.items():
        dataset = prepare(point)
        height, width = dataset.image_shape
        print(f"{path}: {len(dataset.images)} images of {height} x {width}, {len(dataset.classes)} classes")
    return 0


if __name__ == "__main__":
    console.run(main)
