"""y-hat vectors of many points side by side. Numbers stay the text they are: nothing is parsed, nothing rounded."""

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain, repeat
from pathlib import Path
from types import MappingProxyType
from typing import IO

from ..base.errors import FileError
from ..base.files import atomic_write, csv_line, naming, write_bytes
from ..base.text import unguarded
from ..records.record import Record
from ..settings import flatten

# y_hat.csv is written up to this many numbers, some 60 MB; joining more goes block by block, each of so many.
MOST_NUMBERS = 3_000_000
# Files that are open at once while blocks are joined.
MOST_BLOCKS = 200
Key = tuple[str, ...]
Named = tuple[str, Record]


def count_numbers(record: Record) -> int:
    """How many numbers a record's y-hat vectors hold: those of the test images, without any of those trained on."""
    images = record.result.images
    return (images["test"] or images["train"]) * len(record.classes)


def images_of(record: Record) -> tuple[object, ...]:
    """Which data the numbers of a record's images are of: where it is the same, one number is one image."""
    settings = flatten(record.settings)
    # The notebook draws its image from the seed; elsewhere seeds and folds are other splits of the same images.
    drawn = settings.get("seed") if settings.get("data.source") == "notebook" else None
    return (*(settings.get(key) for key in ("data.source", "data.path", "data.size")), drawn)


def write_y_hat(records: Mapping[str, Record], path: Path) -> bool:
    """Write the joined table, or remove an older one and return False when it would hold more than MOST_NUMBERS."""
    if sum(map(count_numbers, records.values())) > MOST_NUMBERS:
        path.unlink(missing_ok=True)
        return False
    content = io.BytesIO()
    _join(records, content, path.parent)
    write_bytes(path, content.getvalue())
    return True


def join_y_hat(records: Mapping[str, Record], path: Path, data: Mapping[str, str] = MappingProxyType({})) -> None:
    """The same table however large it is, in bounded memory: it takes as much disk again while it is made.

    data: what each point's images are called, where they are not the same ones: then a first column says so.
    """
    with atomic_write(path) as file:
        _join(records, file, path.parent, data)


def read_vectors(record: Record) -> Iterator[tuple[Key, str]]:
    """((image, target), the y-hat vector as it stands in the file), image by image. FileError when that is damaged."""
    path, width = record.folder / "y_hat.csv", 2 + len(record.classes)
    header = ["image", "target", *(f"y_hat_{name}" for name in record.classes)]
    try:
        rows = csv.reader(io.StringIO(record.content("y_hat.csv").decode(), newline=""))
        if [unguarded(cell) for cell in next(rows, [])] != header:
            raise FileError(f"{path}: cannot be read (its columns are not those of result.json)")
        for row in rows:
            if len(row) != width:
                raise FileError(f"{path}: cannot be read (line {rows.line_num} has {len(row)} columns, not {width})")
            yield (row[0], unguarded(row[1])), ",".join(row[2:])
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"{path}: cannot be read ({error})") from None


def _join(
    records: Mapping[str, Record], file: IO[bytes], scratch: Path, data: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Columns image and target, then "<point> y_hat_<class>" for every point; images in the order they first appear, an
    empty cell for an image that a point does not have."""
    names = [f"{name} y_hat_{label}" for name, record in records.items() for label in record.classes]
    file.write(csv_line([*(["data"] if data else []), "image", "target", *names]).encode())
    scratch.mkdir(parents=True, exist_ok=True)
    known: dict[Key, None] = {}
    with naming(scratch), ExitStack() as opened:
        parts = []
        for block in _blocks(list(records.items())):
            # Nameless: a kill leaves nothing behind. A block's file ends where later blocks bring images it has not met.
            part = opened.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=scratch))
            part.writelines(_block_lines(block, known, data))
            part.seek(0)
            parts.append(chain(part, repeat("," * (sum(len(record.classes) for _, record in block) - 1) + "\n")))
        for key, *cells in zip(known, *parts, strict=False):
            file.write((csv_line(key)[:-1] + "," + ",".join(cell[:-1] for cell in cells) + "\n").encode())


def _blocks(records: Sequence[Named]) -> Iterator[list[Named]]:
    """Records in groups of at most MOST_NUMBERS numbers, or of one record, or of as many as keep the groups few."""
    most = max(MOST_NUMBERS, sum(count_numbers(record) for _, record in records) // MOST_BLOCKS)
    block: list[Named] = []
    held = 0
    for name, record in records:
        numbers = count_numbers(record)
        if block and held + numbers > most:
            yield block
            block, held = [], 0
        block.append((name, record))
        held += numbers
    yield block


def _block_lines(block: Sequence[Named], known: dict[Key, None], data: Mapping[str, str]) -> Iterator[str]:
    """The cells of a block, a line for each image known by then; images that are new are added to the known ones."""
    columns = []
    for name, record in block:
        where = (data[name],) if data else ()
        vectors = {(*where, *key): cells for key, cells in read_vectors(record)}
        known.update(dict.fromkeys(vectors))
        columns.append((vectors, "," * (len(record.classes) - 1)))
    for key in known:
        yield ",".join([vectors.get(key, blank) for vectors, blank in columns]) + "\n"
