"""The typed settings, their ranges, and `parse`: the only door from Hydra's untyped config.

Each dataclass is a folder of conf/, each field a line of its files; the ranges stand in `faults`.
"""

import difflib
import math
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

SOURCES = ("digits", "fashion_mnist", "idx", "images", "arrays", "notebook")
NEEDED_PATHS = {
    "idx": "FOLDER with train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or .gz",
    "images": "FOLDER with a sub-folder of pictures for each class",
    "arrays": "FILE.npz with images (N, H, W) and labels (N,)",
}
LARGEST_SIDE = 4096
INITS = ("he", "notebook", "notebook_draws")
GRADIENTS = ("exact", "notebook")
DTYPES = ("float32", "float64")
LOSSES = ("half_squared_error", "binary_cross_entropy")
SCHEDULES = ("constant", "cosine")
ENGINES = ("numba", "numpy")
BACKENDS = ("threads", "processes")
STORES = ("sqlite", "server", "off")


class SettingsError(ValueError):
    """Settings cannot be used; `faults` has one line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass
class DataSettings:
    source: str = "digits"
    path: str | None = None
    size: int | str | None = None
    scale: float | None = None
    folds: int = 5
    fold: int = 0
    validation: float = 0.2


@dataclass
class ModelSettings:
    kernel_size: int | None = 3
    filters: int = 1
    init: str = "he"
    gradient: str = "exact"
    dtype: str = "float32"


@dataclass
class TrainingSettings:
    alpha: float = 0.1
    iterations: int = 2000
    batch_size: int | str = 32
    loss: str = "binary_cross_entropy"
    schedule: str = "constant"


@dataclass
class ComputeSettings:
    engine: str = "numba"
    n_jobs: int = -1
    backend: str = "threads"


@dataclass
class TrackingSettings:
    store: str = "sqlite"
    uri: str | None = None


@dataclass
class PathSettings:
    experiments: str = "experiments"


@dataclass
class Settings:
    name: str = "scratch"
    seed: int = 0
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    compute: ComputeSettings = field(default_factory=ComputeSettings)
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    paths: PathSettings = field(default_factory=PathSettings)

    @property
    def folder(self) -> Path:
        """Where everything about this experiment lies."""
        return Path(self.paths.experiments).expanduser().resolve() / self.name

    def at(self, iterations: int) -> "Settings":
        """The same settings with another number of iterations: another point of the same trajectory."""
        return replace(self, training=replace(self.training, iterations=iterations))


def parse(cfg: DictConfig | dict[str, Any]) -> Settings:
    """Hydra's config as Settings. SettingsError, a line a fault: unknown keys, wrong types and values out of range."""
    try:
        plain = OmegaConf.to_container(cfg, resolve=True) if isinstance(cfg, DictConfig) else cfg
        settings = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(Settings), plain))
    except OmegaConfBaseException as error:
        raise SettingsError([_one_line(error)]) from None
    assert isinstance(settings, Settings)
    found = faults(settings)
    if found:
        raise SettingsError(found)
    return settings


def faults(settings: Settings) -> list[str]:
    """What is out of range, a line each; empty when the settings can be used."""
    data, model, training, compute = settings.data, settings.model, settings.training, settings.compute
    checks = [
        ("name", settings.name, _is_name(settings.name), "letters, digits, '_', '-' and '.', not starting with '.'"),
        ("seed", settings.seed, 0 <= settings.seed < 2**32, "from 0 to 4294967295"),
        _choice("data.source", data.source, SOURCES),
        ("data.scale", data.scale, data.scale is None or _positive(data.scale), "positive and finite, or null"),
        ("data.folds", data.folds, data.folds >= 2, "at least 2"),
        ("data.fold", data.fold, 0 <= data.fold < data.folds, f"from 0 to data.folds - 1 = {data.folds - 1}"),
        ("data.validation", data.validation, 0 <= data.validation < 1, "from 0 to below 1"),
        ("model.filters", model.filters, 1 <= model.filters <= 1024, "from 1 to 1024"),
        _choice("model.init", model.init, INITS),
        _choice("model.gradient", model.gradient, GRADIENTS),
        _choice("model.dtype", model.dtype, DTYPES),
        ("training.alpha", training.alpha, _positive(training.alpha), "positive and finite"),
        ("training.iterations", training.iterations, training.iterations >= 1, "at least 1"),
        ("training.batch_size", training.batch_size, _is_batch(training.batch_size), "at least 1, or all"),
        _choice("training.loss", training.loss, LOSSES),
        _choice("training.schedule", training.schedule, SCHEDULES),
        _choice("compute.engine", compute.engine, ENGINES),
        ("compute.n_jobs", compute.n_jobs, compute.n_jobs != 0, "a number of workers, or -1 for one a core"),
        _choice("compute.backend", compute.backend, BACKENDS),
        _choice("tracking.store", settings.tracking.store, STORES),
    ]
    found = [f"{key}: must be {right}, not {value!r}" for key, value, fits, right in checks if not fits]
    return found + _kernel_faults(settings) + _door_faults(settings)


def flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings by their dotted names."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def did_you_mean(key: str) -> str:
    """The nearest known setting or choice, as the end of a message."""
    plain = asdict(Settings())
    known = [*flatten(plain), *(name for name, value in plain.items() if isinstance(value, dict)), "experiment"]
    near = difflib.get_close_matches(key, known, 1, 0.6)
    return f"; did you mean {near[0]}?" if near else "; --help lists them"


def image_size(size: int | str | None) -> tuple[int, int] | None:
    """data.size as (H, W): 28 is (28, 28), 28x32 is (28, 32). None for null, and for what is no size."""
    found = re.fullmatch(r"([0-9]{1,4})(?:x([0-9]{1,4}))?", str(size), re.ASCII)
    if found is None:
        return None
    height, width = int(found[1]), int(found[2] or found[1])
    return (height, width) if min(height, width) >= 2 and max(height, width) <= LARGEST_SIDE else None


def _kernel_faults(settings: Settings) -> list[str]:
    size, drawn = settings.model.kernel_size, settings.model.init == "notebook_draws"
    found = []
    if drawn and settings.data.source != "notebook":
        found.append("model.init: notebook_draws needs data=notebook; he and notebook fit any data")
    elif drawn and size is not None:
        found.append(f"model.kernel_size: must be null with model.init=notebook_draws, which draws it, not {size}")
    elif drawn and settings.model.filters != 1:
        found.append(f"model.filters: must be 1 with model.init=notebook_draws, not {settings.model.filters}")
    if not drawn and (size is None or size < 1 or size % 2 == 0):
        found.append(f"model.kernel_size: must be an odd number from 1, not {size}")
    return found


def _door_faults(settings: Settings) -> list[str]:
    found = []
    data = settings.data
    if data.source in NEEDED_PATHS and not data.path:
        found.append(f"data.path: is missing; data={data.source} needs data.path={NEEDED_PATHS[data.source]}")
    if data.size is not None and data.source != "images":
        found.append(f"data.size: must be null with data={data.source}, only data=images resizes; not {data.size!r}")
    elif data.size is not None and image_size(data.size) is None:
        right = f"N or HxW, each from 2 to {LARGEST_SIDE}, or null"
        found.append(f"data.size: must be {right}, not {data.size!r}")
    if settings.tracking.store == "server" and not (settings.tracking.uri or "").startswith(("http://", "https://")):
        found.append(f"tracking.uri: must be the server's http://HOST:PORT, not {settings.tracking.uri!r}")
    return found


def _choice(key: str, value: str, choices: tuple[str, ...]) -> tuple[str, object, bool, str]:
    return key, value, value in choices, " or ".join([", ".join(choices[:-1]), choices[-1]] if choices[1:] else choices)


def _positive(value: float) -> bool:
    return math.isfinite(value) and value > 0


def _is_batch(value: int | str) -> bool:
    return value == "all" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1)


def _is_name(name: str) -> bool:
    return name[:1] not in ("", ".") and all(c.isalnum() or c in "_-." for c in name)


def _one_line(error: OmegaConfBaseException) -> str:
    key = getattr(error, "full_key", None)
    text = str(error).strip().splitlines()[0]
    group = re.match(r"Merge error: .* is not a subclass of (\w+)Settings", text)
    if group:
        text = "is a group of settings, give them as GROUP.SETTING=VALUE"
        key = key or group.group(1).lower() + ("s" if group.group(1) == "Path" else "")
    value = re.match(r"Value '(.*)' of type '.*' could not be converted to (\w+)", text)
    if value:
        kind = {"Integer": "a whole number", "Float": "a number"}.get(value.group(2), value.group(2))
        text = f"must be {kind}, not {value.group(1)!r}"
    if text.startswith("Key ") and " not in " in text:
        text = f"no such setting{did_you_mean(str(key))}"
    return f"{key}: {text}" if key else text
