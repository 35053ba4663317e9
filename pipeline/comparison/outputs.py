"""What a comparison can be written as, beside the table in the terminal: CSV, JSON, Markdown, the y-hat vectors, the report."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import FileError, SettingsError
from ..base.files import write_bytes, write_text
from ..base.project import expanded
from ..base.text import in_markdown
from ..data.dataset import Dataset
from ..records.origin import dataset_of
from ..records.record import Record
from .axes import short
from .compare import RECORD, SideBySide, report
from .labels import heading, setting
from .notes import data_names
from .select import flat_settings
from .tables import as_csv
from .text import with_spread
from .vectors import join_y_hat

SUFFIXES = {"--csv": ".csv", "--json": ".json", "--markdown": ".md", "--y-hat": ".csv", "--report": ".html"}
# Too large for a terminal, or nothing to read there.
FILES_ONLY = ("--y-hat", "--report")


@dataclass(frozen=True)
class Output:
    """flag: a key of SUFFIXES. file: where to; None for the terminal."""

    flag: str
    file: Path | None


def read_outputs(arguments: Sequence[str]) -> tuple[list[Output], list[str]]:
    """The outputs that a command line asks for, as --csv, --csv=FILE or --csv FILE.csv, and its other words. SettingsError
    for a file that is missing, and for two outputs that would share the terminal."""
    outputs: list[Output] = []
    rest: list[str] = []
    words = list(arguments)
    while words:
        word = words.pop(0)
        flag, has_file, file = word.partition("=")
        if flag not in SUFFIXES:
            rest.append(word)
            continue
        if not has_file and words and words[0].endswith(SUFFIXES[flag]):
            file = words.pop(0)
        if not file and (flag in FILES_ONLY or has_file):
            raise SettingsError([f"{flag}: is missing its file; give it as {flag} FILE{SUFFIXES[flag]}"])
        outputs.append(Output(flag, expanded(file) if file else None))
    shared = [output.flag for output in outputs if output.file is None]
    if len(shared) > 1:
        right = f"give the others as {shared[1]} FILE{SUFFIXES[shared[1]]}"
        raise SettingsError([f"{', '.join(shared)}: one of them fits the terminal; {right}"])
    return outputs, rest


def texts(found: SideBySide, said: Sequence[str], flag: str) -> str:
    """The comparison as --csv, --json or --markdown. said: notes, which a CSV has no room for."""
    if flag == "--csv":
        return _csv(found)
    return _json(found, said) if flag == "--json" else _markdown(found, said)


def write_output(found: SideBySide, said: Sequence[str], output: Output) -> str:
    """Write an output's file; the line that says so."""
    assert output.file is not None
    if output.flag == "--y-hat":
        join_y_hat(found.records, output.file, data_names(found.records))
        return f"y-hat vectors of {len(found.records)} points: {output.file}"
    if output.flag == "--report":
        write_bytes(output.file, _page(found, output.file.parent))
        return f"report of {len(found.records)} points: {output.file}"
    write_text(output.file, texts(found, said, output.flag))
    return f"table of {len(found.records)} points: {output.file}"


def _page(found: SideBySide, folder: Path) -> bytes:
    """The report of these points. folder: where it will lie."""
    title = ", ".join(dict.fromkeys(str(record.settings.get("name")) for record in found.records.values()))
    return report(heading(title), found, _datasets(found.records), folder)


def _datasets(records: Mapping[str, Record]) -> dict[str, Dataset]:
    """The data of the points, as far as it is here."""
    known: dict[str, Dataset | None] = {}
    for record in records.values():
        if record.result.data not in known:
            try:
                known[record.result.data] = dataset_of(record)
            except FileError:
                known[record.result.data] = None
    found = {name: known[record.result.data] for name, record in records.items()}
    return {name: dataset for name, dataset in found.items() if dataset is not None}


def _csv(found: SideBySide) -> str:
    """A row a point, as points.csv has it, every digit; records by their whole paths."""
    paths = [str(record.folder.resolve()) for record in found.records.values()]
    return as_csv(found.points.assign(**{RECORD: paths})).decode()


def _json(found: SideBySide, said: Sequence[str]) -> str:
    table = found.summary
    points = [
        {
            "name": name,
            "settings": flat_settings(record),
            "metrics": _plain(record.result.metrics),
            "heads": list(record.result.heads),
            RECORD: str(record.folder.resolve()),
        }
        for name, record in found.records.items()
    ]
    plain = {"metric": table.metric, "best": found.best, "swept": [*table.keys, *table.repeats], "notes": list(said)}
    summary = [_plain(row) for row in table.settings_at(range(len(table.rows)))] if table.repeats else []
    return json.dumps({**plain, "points": points, **({"summary": summary} if summary else {})}, indent=1) + "\n"


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """What is no number has no place in JSON."""
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}


def _markdown(found: SideBySide, said: Sequence[str]) -> str:
    """A row a setting, repeats as mean ± standard deviation, the best in bold."""
    table = found.summary
    head = [*map(short, table.keys), *table.shown()]
    lines = [_row(head), _row([*(["---"] * len(table.keys)), *(["---:"] * len(table.shown()))])]
    for number, row in enumerate(table.settings_at(range(len(table.rows)))):
        cells = [*(setting(row[key]) for key in table.keys), *(with_spread(row, key, "±") for key in table.shown())]
        lines.append(_row([f"**{cell}**" for cell in cells] if number == table.best_row else cells))
    repeats = [f"Means ± standard deviations over {' and '.join(table.repeats)}."] if table.repeats else []
    more = [f"Best, in bold, by {table.metric}.", *repeats, *map(in_markdown, said)]
    return "\n".join([*lines, "", *more]) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(in_markdown(cell).replace("|", "\\|") for cell in cells) + " |"
