"""Stage check-gradients: the engines' gradients against finite differences, for sizes of your own.

ovrcnn check-gradients --image-shape 28x28 --kernel-size 3,5
"""

import argparse

from ..base import console
from ..base.arguments import new_parser, whole_number
from ..base.errors import SettingsError
from ..data.input import sides
from ..heads.choices import ENGINES, LOSSES
from ..settings import image_size, largest_kernel
from .gradients import TOLERANCE, Case, Certificate, Row, certify

# A gradient of the notebook's costs much less than differences, and a median wants more of them.
NOTEBOOK_DRAWS = 100
# Beyond it differences take hours, and every draw has a near tie.
LARGEST_SIDE = 256
HEADER = ("kernel", "loss", "parameter", "texture", "background", "ties, held", "(ties, loss)", "engine", "")
EXPLANATION = f"""
texture       random pixels; no value of a pool's window equals another: central differences of the loss
background    a constant around a random rectangle; ties between equal patches, which stay ties: the same
ties, held    pixels 0 or 1, taps in quarters, bias 0: the loss has kinks, and no gradient; the heads take the branch of the
              first of equals in reading order, with the ReLU's derivative 0 at 0: differences with the routing held there
(ties, loss)  differences across those kinks, for comparison: they are the mean of two branches, and need not agree
engine        the engine's gradients, the notebook's and the frozen ones included, read off one step, against NumPy's
Errors are the largest of all draws, in float64, relative to the gradient's largest entry; up to {TOLERANCE:.0e} is ok."""


def main(arguments: list[str]) -> int:
    """Print the tables; 0 if all is within the tolerance, else 1. SettingsError for arguments that cannot be used."""
    args = parse_arguments(arguments)
    losses = LOSSES if args.loss == "both" else (args.loss,)
    height, width = args.image_shape
    console.say(f"{height} x {width} pixels, filters {args.filters}, {args.draws} draws of each kind, engine {args.engine}\n")
    console.say(line(HEADER))
    found: list[Certificate] = []
    for size in args.kernel_size:
        case = Case(args.image_shape, size, args.filters)
        try:
            certificate = certify(case, losses, args.draws, args.seed, args.engine, NOTEBOOK_DRAWS)
        except ArithmeticError as error:
            raise SettingsError([f"--image-shape: {error}"]) from None
        console.say("\n".join(row_line(row) for row in certificate.rows))
        found.append(certificate)
    console.say(EXPLANATION)
    for certificate, size in zip(found, args.kernel_size, strict=True):
        shares = ", ".join(f"{kind} {share:.0%}" for kind, share in certificate.tied.items())
        console.say(f"tied windows with kernel {size}: {shares}")
    console.say("\nThe notebook's kernel gradient beside the exact one (model.gradient=notebook):")
    console.say(line(("kernel", "loss", "images", "cosine", "negative")))
    for row in [row for certificate in found for row in certificate.notebook]:
        console.say(line((str(row.kernel_size), row.loss, row.kind, f"{row.cosine:.2f}", f"{row.negative:.0%}")))
    rows = [row for certificate in found for row in certificate.rows]
    wrong = sum(not row.passes for row in rows)
    console.say(f"\n{len(rows) - wrong} of {len(rows)} gradients are certified")
    return 1 if wrong else 0


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The checked arguments; SettingsError, a line a fault, for any that cannot be used."""
    what = "Hold the gradients of random heads against finite differences of their loss. Exit code 1 if one is wrong."
    parser = new_parser("ovrcnn check-gradients", what, formatter=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--image-shape", default="8x8", metavar="HxW", help="pixels of the images; N is NxN")
    parser.add_argument("--kernel-size", default="3,5", metavar="K,...", help="odd sizes, at most the image's shorter side")
    parser.add_argument("--filters", default="1", metavar="F", help="kernels in each head")
    parser.add_argument("--loss", default="both", choices=(*LOSSES, "both"), help="which loss")
    parser.add_argument("--draws", default="10", metavar="N", help="random heads with three images of each kind")
    parser.add_argument("--seed", default="0", metavar="S", help="of the draws")
    parser.add_argument("--engine", default="numba", choices=ENGINES, help="whose gradients are held against NumPy's")
    args = parser.parse_args(arguments)
    faults: list[str] = []
    args.filters = whole_number("--filters", args.filters, 1, 1024, faults)
    args.draws = whole_number("--draws", args.draws, 1, 10**6, faults)
    args.seed = whole_number("--seed", args.seed, 0, 2**32 - 1, faults)
    shape, text = image_size(args.image_shape), args.image_shape
    shape = shape if shape and max(shape) <= LARGEST_SIDE else None
    sizes = [whole_number("--kernel-size", size, 1, LARGEST_SIDE, faults) for size in args.kernel_size.split(",")]
    if shape is None:
        faults.append(f"--image-shape: must be HxW or N, each from 2 to {LARGEST_SIDE}, not {text!r}")
    for size in sizes:
        if size is not None and size % 2 == 0:
            faults.append(f"--kernel-size: must be odd, not {size}")
        elif shape and size is not None and size > min(shape):
            faults.append(f"--kernel-size: must be at most {largest_kernel(shape)} for {sides(shape)} images, not {size}")
    if faults:
        raise SettingsError(faults)
    args.image_shape, args.kernel_size = shape, sizes
    return args


def row_line(row: Row) -> str:
    errors = (row.texture, row.background, row.held, row.kinks, row.engine)
    texts = [f"{error:.1e}" for error in errors]
    texts[3] = f"({texts[3]})"
    return line((str(row.kernel_size), row.loss, row.parameter, *texts, "ok" if row.passes else "WRONG"))


def line(cells: tuple[str, ...]) -> str:
    """Cells under each other: words to the left, numbers to the right."""
    words, others = cells[:3], cells[3:]
    text = f"{words[0]:>6}  {words[1]:20}  {words[2]:10}" + "".join(f"  {cell:>12}" for cell in others)
    return text.rstrip()


if __name__ == "__main__":
    console.run(main)
