"""Stage predict: a trained point applied to images of yours.

ovrcnn predict digits digit.png
ovrcnn predict "fashion_mnist kernel_size=5 best" t10k-images-idx3-ubyte.gz --out y_hat.csv
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import console
from .base.arguments import new_parser
from .base.errors import DataError, SettingsError
from .base.files import csv_bytes, write_bytes
from .base.project import expanded
from .comparison.filters import is_filter
from .comparison.select import BEST, find_point
from .data.files import Images, Reader, read_files
from .data.input import odd_range
from .heads.elementary import sigmoid
from .heads.one_vs_rest import Workers, all_logits
from .records.origin import input_of
from .records.record import Record
from .settings import image_size
from .tracking.places import read_point_words

POINT_HELP = """
POINT names one point: an experiment (its best point by validation), 'EXPERIMENT SETTING=VALUE ...', the folder of a record,
TRAJECTORY/ITERATIONS, an MLflow run id, models:/NAME@ALIAS, or champion where a single experiment has run."""


@dataclass(frozen=True)
class Predicted:
    """logits: (N, heads) of images."""

    images: Images
    classes: list[str]
    logits: NDArray[np.float64]

    @property
    def answers(self) -> list[str]:
        """(N,): the class whose head has the largest y-hat. Where y-hats round to one number, the logits decide."""
        return [self.classes[j] for j in self.logits.argmax(axis=1).tolist()]

    def rows(self) -> list[tuple[str, int, str, list[float]]]:
        """For each image its file, its number there, the answer and the y-hat vector."""
        y_hat = sigmoid(self.logits).tolist()
        names = [str(file) for file in self.images.files]
        return list(zip(names, self.images.numbers, self.answers, y_hat, strict=True))


def main(arguments: list[str]) -> int:
    """Print or write a table of y-hat vectors, a row an image. An error of ours for a point or a file that cannot be used."""
    args, words = parse_arguments(arguments)
    places, words = read_point_words(words)
    point, files = point_and_files(words)
    if not files:
        raise SettingsError(
            [f"files: none is named; give pictures, .npz or IDX files after the point, {' '.join(point) or 'POINT'}"]
        )
    record = find_point(point, places)
    found = predict(record, [expanded(file) for file in files])
    content = as_json(found) if args.json else as_csv(found)
    if args.out is None:
        console.answer_data(content.decode())
    else:
        write_bytes(args.out, content)
        console.say(f"y-hat vectors of {len(found.images.files)} images: {args.out}")
    return 0


def predict(record: Record, files: Sequence[Path]) -> Predicted:
    """The record's heads applied to the images of files, with pixels as in training. What is odd about them is said."""
    taken = input_of(record)
    images = read_files(files, reader_of(record))
    strange = odd_range(images.images, taken)
    if strange:
        console.say(f"warning: {strange}", error=True)
    logits = all_logits(record.heads, images.images, taken.scale, Workers(n_jobs=-1))
    if not np.isfinite(logits).all():
        worst = int(np.argmin(np.isfinite(logits).all(axis=1)))
        raise DataError(f"{images.files[worst]}: holds pixels that are too large for these heads")
    return Predicted(images, record.classes, logits)


def reader_of(record: Record) -> Reader:
    """How files become images of this record's."""
    data = record.settings["data"]
    return Reader(input_of(record), data["source"], image_size(data["size"]))


def as_csv(found: Predicted) -> bytes:
    """Columns file, image, answer and y_hat_<class>."""
    header = ["file", "image", "answer", *(f"y_hat_{name}" for name in found.classes)]
    return csv_bytes(header, ([file, number, answer, *y_hat] for file, number, answer, y_hat in found.rows()))


def as_json(found: Predicted) -> bytes:
    """A list of objects with file, image, answer, and y_hat by class."""
    plain: list[dict[str, Any]] = [
        {"file": file, "image": number, "answer": answer, "y_hat": dict(zip(found.classes, y_hat, strict=True))}
        for file, number, answer, y_hat in found.rows()
    ]
    return (json.dumps(plain, indent=1, ensure_ascii=False) + "\n").encode()


def point_and_files(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The first word and the conditions among the others name the point; the rest are files."""
    point = [word for n, word in enumerate(words) if n == 0 or ((is_filter(word) or word in BEST) and not Path(word).exists())]
    return point, [word for word in words if word not in point]


def parse_arguments(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our options, and all other words. SettingsError for options that cannot be used."""
    parser = new_parser("ovrcnn predict", "Apply a trained point to images of yours.", "POINT FILE...")
    parser.epilog = f"""{POINT_HELP}

FILE is a picture, an .npz with images (N, H, W), or an IDX file. Pixels are scaled as in training, and pictures made grey;
their white becomes the white of the training images. Points trained on data=images with a data.size resize pictures; for others
they must have the size of the training images. The table has a row an image: file, number of the image in it, answer (the class
with the largest y-hat) and the y-hat vector. Settings that say where points are, paths.experiments= and tracking.uri=, can be
given too."""
    parser.add_argument("--json", action="store_true", help="a list of objects instead of CSV")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the table to FILE instead of the terminal")
    return parser.parse_known_args(arguments)


if __name__ == "__main__":
    console.run(main)
