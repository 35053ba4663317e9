"""Stage explain: what each head of a trained point sees of one image, step by step.

ovrcnn explain digits --image 7 --out explained.png
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .base import console
from .base.arguments import new_parser
from .base.errors import DataError, SettingsError
from .base.files import write_bytes
from .base.npz import npz_bytes
from .base.project import expanded
from .base.text import columns, padded, printable, quoted_if_blank
from .comparison.explanation import Explanation, explain
from .comparison.labels import SHORT, one_line
from .comparison.select import find_point
from .data.files import read_file
from .data.input import odd_range
from .predict import POINT_HELP, reader_of
from .records.origin import dataset_of, input_of
from .records.record import Record
from .tracking.places import read_point_words

SUFFIXES = (".png", ".npz")


def main(arguments: list[str]) -> int:
    """Print a row a head; draw or write the steps. An error of ours for a point or an image that cannot be used."""
    args, words = parse_arguments(arguments)
    places, words = read_point_words(words)
    record = find_point(words, places)
    image, name = image_of(record, args.image)
    shown = explain(record.heads, record.classes, image, input_of(record).scale)
    lines = lines_of(shown, name)
    if args.out:
        is_picture = args.out.suffix.lower() == ".png"
        write_bytes(args.out, shown.png(name) if is_picture else npz_bytes(shown.arrays()))
        lines.append(f"{'picture' if is_picture else 'arrays'}: {args.out}")
    console.answer("\n".join(lines) + "\n")
    return 0


def image_of(record: Record, wanted: str) -> tuple[NDArray[np.generic], str]:
    """The image (H, W), as stored, and what it is: a number among the point's data, or a file that holds one."""
    if wanted.isascii() and wanted.isdigit():
        dataset = dataset_of(record)
        number, count = int(wanted), len(dataset.images)
        if number >= count:
            raise SettingsError([f"--image: must be from 0 to {count - 1}, as the column image of y_hat.csv, not {wanted}"])
        target = quoted_if_blank(dataset.classes[dataset.labels[number]])
        return dataset.images[number], f"image {number} of {dataset.name}, target {target}"
    file = expanded(wanted)
    images = read_file(file, reader_of(record))
    if len(images) != 1:
        raise DataError(f"{file}: holds {len(images)} images; explain takes a file of one, or the number of an image")
    strange = odd_range(images, input_of(record))
    if strange:
        console.say(f"warning: {strange}", error=True)
    return images[0], file.name


def lines_of(shown: Explanation, name: str) -> list[str]:
    """A row a head: what its windows add, its bias_flat, their sum, the logit, and y-hat; the answer starred."""
    names = [one_line(name, SHORT) for name in shown.classes]
    wide = max(4, *map(columns, names))
    lines = [printable(name), f"  {'head':{wide}}  {'active':>9}  {'sum':>9}  {'bias_flat':>9}  {'logit':>9}  {'y_hat':>9}"]
    for j, (head, seen) in enumerate(zip(shown.heads, shown.forwards, strict=True)):
        active = f"{int((seen.pooled > 0).sum())}/{seen.pooled.size}"
        numbers = (float(seen.contributions.sum()), float(head.bias_flat), float(seen.logit), float(seen.y_hat))
        star, text = "*" if j == shown.answer else " ", "  ".join(f"{number:>9.4g}" for number in numbers)
        lines.append(f"{star} {padded(names[j], wide)}  {active:>9}  {text}")
    return lines


def parse_arguments(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our options, and all other words. SettingsError for options that cannot be used."""
    what = "Show what each head of a trained point sees of one image, from the feature map to y-hat."
    parser = new_parser("ovrcnn explain", what, "POINT --image I")
    parser.epilog = f"""{POINT_HELP}

The table has a row a head: how many pooled features are active, the sum of weights times pooled, bias_flat, logit and y-hat;
the answer is starred. The picture and the arrays have every step. The heads are the checkpoint's, after the last
update."""
    parser.add_argument(
        "--image", metavar="I", help="number of an image, as in y_hat.csv, or a file: a picture, .npz or IDX of one image"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="draw all steps as FILE.png, or keep them as arrays, FILE.npz")
    args, words = parser.parse_known_args(arguments)
    if args.image is None:
        parser.error("--image is missing; give a number as in y_hat.csv, or a file")
    if args.out and args.out.suffix.lower() not in SUFFIXES:
        parser.error(f"--out must end in {' or '.join(SUFFIXES)}, not {args.out.suffix or str(args.out)!r}")
    return args, words


if __name__ == "__main__":
    console.run(main)
