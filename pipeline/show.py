"""Stage show: one point: its settings, its neighbours, what its heads do, where it errs, its kernels.

python -m pipeline.show digits kernel_size=5 alpha=0.5 iterations=1000
python -m pipeline.show digits best
"""

import sys

from .base import console
from .base.errors import SettingsError
from .comparison import portrait
from .comparison.select import differing, find_point, neighbours_of
from .comparison.terminal import colours_of, kernel_lines, terminal_width
from .tracking.places import read_point_words

HELP = """\
usage: ovrcnn show POINT

prints one point: settings, what its neighbours in the experiment do better or worse, metrics a split and a head, y-hat beside
target of the images that are most wrong, its kernels, where its files are. POINT is one of:

  digits                            the best point of an experiment, by validation; also digits best, digits champion
  digits kernel_size=5 alpha=0.5    a point by columns of points.csv, as many as it takes
  experiments/digits/points/0123456789abcdef/1000     a record's folder; 0123456789abcdef/1000 says the same
  an MLflow run id, or models:/NAME@champion          fetched from the server when it is not here

paths.experiments=FOLDER looks elsewhere; tracking.uri=http://HOST:PORT names the server. Kernels are drawn in
colours on a terminal, as numbers elsewhere and where NO_COLOR is set."""


def main(arguments: list[str]) -> int:
    """Print the point that the command line names."""
    if {"-h", "--help"} & set(arguments):
        console.answer(HELP + "\n")
        return 0
    places, words = read_point_words(arguments)
    if not words:
        raise SettingsError(["show: names no point; ovrcnn show --help says how to name one"])
    record = find_point(words, places)
    siblings = neighbours_of(record)
    swept = differing(siblings)
    parts = [
        portrait.title_lines(record, siblings, swept),
        portrait.settings_lines(record, swept),
        portrait.neighbour_lines(record, siblings, swept),
        portrait.metric_lines(record),
        portrait.head_lines(record),
        portrait.y_hat_lines(record),
    ]
    console.answer("\n\n".join("\n".join(part) for part in parts if part) + "\n\n")
    kernels = kernel_lines(record.kernels, record.classes, colours_of(sys.stdout), terminal_width() - 2)
    console.answer("\n".join(["kernels", *(f"  {line}" for line in kernels)]) + "\n\n", raw=True)
    console.answer("\n".join(portrait.file_lines(record, siblings)) + "\n")
    return 0


if __name__ == "__main__":
    console.run(main)
