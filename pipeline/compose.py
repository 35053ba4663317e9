"""Stage compose: an experiment's settings and points, resolved, into its config.yaml.

python -m pipeline.compose experiment=digits
"""

from .base import console
from .sweep.grid import compose_grid, parse_arguments, write_grid


def main(arguments: list[str]) -> int:
    """Write experiments/<name>/config.yaml, on which the later stages depend."""
    grid = compose_grid(parse_arguments(arguments))
    print(f"{write_grid(grid)}: {len(grid.points)} points")
    return 0


if __name__ == "__main__":
    console.run(main)
