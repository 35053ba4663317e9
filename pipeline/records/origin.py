"""Where a record comes from: the data its point was trained on, and what its heads take."""

from ..base.errors import DataError, FileError, SettingsError
from ..base.npz import read_npz
from ..data.dataset import Dataset
from ..data.input import Input
from ..data.prepared import load, read
from ..settings import parse
from .record import Record


def input_of(record: Record) -> Input:
    """What the record's heads take. Earlier ones do not say so: their data is asked. FileError when that is not there."""
    return record.result.input or dataset_of(record).input


def dataset_of(record: Record) -> Dataset:
    """The data of the record's point: prepared beside it, or from its source. FileError when neither holds these very
    images any more."""
    wanted = record.result.data
    for path in sorted((record.folder.parents[2] / "data").glob("*.npz")) if len(record.folder.parents) > 2 else []:
        try:
            if str(read_npz(path, ["digest", "split"])["digest"]) == wanted:
                return read(path)
        except FileError:
            continue
    try:
        found = load(parse(record.settings))
    except (DataError, SettingsError) as error:
        raise FileError(f"{record.folder}: the data of this point is not here ({str(error).splitlines()[0]})") from None
    if found.digest != wanted:
        raise FileError(f"{record.folder}: the data of this point is not here (that of {found.name} is other data now)")
    return found
