"""Stage compose: an experiment's settings and points, resolved, into its config.yaml.

python -m pipeline.compose experiment=digits
"""

from .base import console
from .sweep.grid import Grid, check_own_name, write_grid
from .sweep.hydra import hand_over, is_question, parse_arguments, read_command

HELP = """\
usage: ovrcnn compose [SETTING=VALUE ...] [-m]

takes the words of ovrcnn train and writes the experiment's points, resolved, into experiments/NAME/config.yaml, which is what
ovrcnn compare name=NAME and DVC's stages go by; nothing is trained. ovrcnn plan shows the same and writes nothing.

ovrcnn train --help lists the settings."""


def main(arguments: list[str]) -> int:
    """Write experiments/<name>/config.yaml, on which the later stages depend."""
    args = parse_arguments(arguments)
    if args.help:
        console.answer(HELP + "\n")
        return 0
    if is_question(args):
        hand_over(args, lambda _: None)
        return 0
    command = read_command(args)
    grid = Grid.of(command.points or (command.first,))
    check_own_name(grid, command.changed)
    console.say(f"{write_grid(grid)}: {len(grid.points)} points")
    return 0


if __name__ == "__main__":
    console.run(main)
