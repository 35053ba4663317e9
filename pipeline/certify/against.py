"""Two machines' records of the same points, held against each other."""

from collections.abc import Sequence

from ..base.errors import FileError
from ..records.record import Record
from .differ import Difference, differences, told


def place_of(record: Record) -> str:
    """The point that a record is of: TRAJECTORY/ITERATIONS."""
    return f"{record.trajectory or record.folder.parent.name}/{record.result.iterations}"


def against(record: Record, others: Sequence[Record]) -> list[Difference] | None:
    """Where the record differs from another's of the same point; None when there is none."""
    same = next((other for other in others if place_of(other) == place_of(record)), None)
    if same is None:
        return None
    try:
        for each in (record, same):
            trajectory, _, iterations = place_of(each).partition("/")
            each.check(trajectory, int(iterations))
        if record.classes != same.classes:
            return [Difference("result.json", f"its classes are not those of {same.folder}")]
        return differences(told(record), told(same), record.classes, record.result.iterations)
    except FileError as error:
        return [Difference("checksums", str(error))]
