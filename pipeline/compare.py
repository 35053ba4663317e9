"""Stage compare: an experiment's grid, or any points, side by side.

python -m pipeline.compare experiment=digits
python -m pipeline.compare digits notebook_grid 'alpha<0.5' --markdown
"""

from .base import console
from .base.errors import FileError
from .comparison.compare import SideBySide, compare
from .comparison.gather import gather
from .comparison.notes import notes
from .comparison.outputs import Output, read_outputs, texts, write_output
from .comparison.select import find_records
from .comparison.text import table_lines
from .records.record import is_finished
from .records.shelf import bring_up_to_date
from .settings import Settings
from .sweep.grid import read_grid
from .sweep.points import points_of
from .tracking.places import NAMED, read_places

HELP = """\
usage: ovrcnn compare experiment=NAME|name=NAME [OUTPUT ...]
       ovrcnn compare POINTS ... [FILTER ...] [OUTPUT ...]

The first compares the points that were run last under a name, and writes the experiment's tables and figures. The second
compares any points, and writes nothing but what it is asked for. POINTS are:

  digits                        an experiment: all its records      digits/best             its best point
  experiments/digits            the same by its folder              a record's folder, or a trajectory's
  0123456789abcdef              a trajectory's id; /1000 after it for one point
  an MLflow run id              a point, or a sweep with all its points; records that are not here are fetched
  models:/NAME@champion         the point that a registered model came from

FILTER is a column of points.csv with =, !=, <, <=, > or >= and a value: model.kernel_size=3,5 'alpha<0.5' 'dead_heads=0'

OUTPUT, to the terminal instead of the table, or to a FILE:

  --csv [FILE.csv]              a row a point, every digit          --json [FILE.json]      the same, with all settings
  --markdown [FILE.md]          a row a setting, repeats averaged   --y-hat FILE.csv        y-hat vectors, joined by image
  --report FILE.html            a page to explore: grid, curves, A beside B, images, heads; no network, no server

paths.experiments=FOLDER looks elsewhere; tracking.uri=http://HOST:PORT names the server of MLflow run ids."""


def main(arguments: list[str]) -> int:
    """Compare what the command line names."""
    if {"-h", "--help"} & set(arguments):
        console.answer(HELP + "\n")
        return 0
    outputs, words = read_outputs(arguments)
    places, settings, points = read_places(words)
    if points:
        named = [settings.name] if any(word.startswith(NAMED) for word in words) else []
        found = gather(find_records([*named, *points], places))
        text = "\n".join(table_lines(found.summary, found.laid, "in --csv's table")).lstrip("\n")
    else:
        found, text = grid(settings)
    show(found, text, outputs)
    return 0


def grid(settings: Settings) -> tuple[SideBySide, str]:
    """Compare the grid that was composed last for an experiment, and write its tables and figures; and what to say of it."""
    grid = read_grid(settings.folder)
    if grid.first.folder != settings.folder:
        raise FileError(f"{settings.folder / 'config.yaml'}: is the grid of {grid.first.name}; train writes a new one")
    points = points_of(grid)
    for line in bring_up_to_date(settings.folder, [point.folder for point in points]):
        console.say(line, error=True)
    missing = next((point for point in points if not is_finished(point.folder)), None)
    if missing:
        raise FileError(f"{missing.folder}: point {missing.name} has no record yet; train it first")
    comparison = compare(points, settings.folder, grid.swept)
    assert comparison is not None
    return comparison, comparison.text


def show(found: SideBySide, text: str, outputs: list[Output]) -> None:
    """Write the files, then print one thing: the table, unless an output wants the terminal; what is said beside that is kept
    off a pipe."""
    said = notes(found.records)
    written = [write_output(found, said, output) for output in outputs if output.file is not None]
    shown = next((output.flag for output in outputs if output.file is None), None)
    if shown is None:
        console.answer("\n".join([text, *said, *written]) + "\n")
        return
    for line in [*(said if shown == "--csv" else []), *written]:
        console.say(line, error=True)
    console.answer_data(texts(found, said, shown))


if __name__ == "__main__":
    console.run(main)
