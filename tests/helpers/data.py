"""Data for the tests of sources, of what is prepared and of clusters."""

from pipeline.base.errors import FileError
from pipeline.data import prepared
from pipeline.data.dataset import Dataset
from pipeline.settings import Settings


def prepare(settings: Settings) -> Dataset:
    """The Dataset of these settings, read from its prepared files, which are written first where there are none."""
    path = prepared.prepared_path(settings)
    try:
        return prepared.read(path)
    except FileError:
        prepared.write(path, prepared.load(settings))
        return prepared.read(path)
