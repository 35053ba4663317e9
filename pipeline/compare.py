"""Stage compare: the points of an experiment's current grid side by side, as tables and figures.

python -m pipeline.compare experiment=digits
python -m pipeline.compare name=scratch
"""

from pathlib import Path

from .base import console
from .base.errors import FileError, SettingsError
from .comparison.compare import compare
from .comparison.vectors import join_y_hat
from .records.record import is_finished
from .records.shelf import bring_up_to_date
from .sweep.grid import read_grid
from .sweep.hydra import parse_arguments, read_command
from .sweep.plan import plan

Y_HAT = "--y-hat"


def main(arguments: list[str]) -> int:
    """Compare the grid that was composed last for the experiment that the command line names."""
    file, arguments = _y_hat_file(arguments)
    folder = read_command(parse_arguments(arguments)).first.folder
    grid = read_grid(folder)
    points = plan(grid)
    for line in bring_up_to_date(folder, [point.folder for point in points]):
        console.say(line)
    missing = next((point for point in points if not is_finished(point.folder)), None)
    if missing:
        raise FileError(f"{missing.folder}: point {missing.name} has no record yet; train it first")
    comparison = compare(points, folder, grid.swept)
    assert comparison is not None
    print(comparison.text)
    if file:
        join_y_hat(comparison.records, file)
        print(f"y-hat vectors of {len(comparison.records)} points: {file}")
    return 0


def _y_hat_file(arguments: list[str]) -> tuple[Path | None, list[str]]:
    """--y-hat FILE, which is not Hydra's, and the other arguments."""
    if Y_HAT not in arguments:
        return None, arguments
    at = arguments.index(Y_HAT)
    if arguments[at + 1 : at + 2] == [] or arguments[at + 1].startswith("-"):
        raise SettingsError([f"{Y_HAT}: is missing its file; give it as {Y_HAT} FILE.csv"])
    return Path(arguments[at + 1]), [*arguments[:at], *arguments[at + 2 :]]


if __name__ == "__main__":
    console.run(main)
