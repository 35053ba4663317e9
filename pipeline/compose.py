"""Stage compose: an experiment's settings and points, resolved, into its config.yaml.

python -m pipeline.compose experiment=digits
"""

from .base import console
from .sweep.grid import Grid, check_own_name, write_grid
from .sweep.hydra import parse_arguments, read_command


def main(arguments: list[str]) -> int:
    """Write experiments/<name>/config.yaml, on which the later stages depend."""
    command = read_command(parse_arguments(arguments))
    grid = Grid.of(command.points or (command.first,))
    check_own_name(grid, command.changed)
    console.say(f"{write_grid(grid)}: {len(grid.points)} points")
    return 0


if __name__ == "__main__":
    console.run(main)
