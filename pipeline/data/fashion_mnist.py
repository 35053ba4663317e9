"""Fashion-MNIST: 70000 articles of clothing, 28 x 28, 256 grey levels (H. Xiao, K. Rasul, R. Vollgraf 2017)."""

from ..base.errors import DataError
from ..settings import Settings
from . import idx
from .dataset import Dataset
from .folders import source_path

# Where Debian's package dataset-fashion-mnist puts the four files.
FOLDER = "/usr/share/datasets/fashion-mnist"
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def load(settings: Settings) -> Dataset:
    """The four files of data.path, or of FOLDER when it is null. DataError; it says how to get them."""
    folder = source_path(settings.data.path or FOLDER)
    if not folder.is_dir():
        raise DataError(
            f"{folder}: no such folder; data=fashion_mnist needs Debian's (apt install dataset-fashion-mnist), "
            "or data.path=FOLDER with the four files of https://github.com/zalandoresearch/fashion-mnist"
        )
    return idx.read(folder, settings, "fashion_mnist", CLASSES)
