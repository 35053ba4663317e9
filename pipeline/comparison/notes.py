"""What one should know before comparing points: which of them have other classes, or saw other images."""

from collections.abc import Mapping
from typing import Any

from ..base.text import quoted_if_blank
from ..records.record import Record
from .labels import label
from .vectors import images_of

# Names in a note.
MOST_NAMED = 4


def notes(records: Mapping[str, Record]) -> list[str]:
    """What one should know before comparing these points, a line each."""
    said = []
    classes = list(dict.fromkeys(tuple(record.classes) for record in records.values()))
    if len(classes) > 1:
        shown = "; ".join(label(f"{len(names)} ({', '.join(map(quoted_if_blank, names))})") for names in classes[:MOST_NAMED])
        more = f"; and {len(classes) - MOST_NAMED} more" if len(classes) > MOST_NAMED else ""
        said.append(f"note: the points have different classes: {shown}{more}")
    images = of_images(records)
    return [*said, f"note: the points saw different images: {images}"] if images else said


def of_images(records: Mapping[str, Record]) -> str:
    """Which images points saw, and how many did, where they are not all the same; else nothing."""
    data = data_names(records)
    if not data:
        return ""
    counts = {name: list(data.values()).count(name) for name in dict.fromkeys(data.values())}
    shown = ", ".join(f"{label(name)} ({count})" for name, count in list(counts.items())[:MOST_NAMED])
    more = f" and {len(counts) - MOST_NAMED} more" if len(counts) > MOST_NAMED else ""
    return f"{shown}{more}; metrics compare within each"


def data_names(records: Mapping[str, Record]) -> dict[str, str]:
    """What each point's images are called, where they are not all the same; then y-hat vectors are joined within each."""
    known: dict[tuple[Any, ...], str] = {}
    found = {}
    for point, record in records.items():
        parts = images_of(record)
        same = (*parts, tuple(record.classes))
        if same not in known:
            name = " ".join(str(part) for part in parts if part is not None)
            known[same] = name if name not in known.values() else f"{name} {len(known) + 1}"
        found[point] = known[same]
    return found if len(known) > 1 else {}
