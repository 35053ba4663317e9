"""The typed settings, and `parse`: the only door from an untyped config.

Each dataclass is a folder of conf/, each field a line of its files. A field declares its setting whole: default, meaning
and range; what settings ask of each other stands in `_pair_faults`.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, get_args, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from .base.errors import SettingsError
from .base.project import expanded
from .base.ranges import Range, one_of, positive, whole
from .heads.choices import DTYPES, ENGINES, GRADIENTS, INITS, LOSSES, SCHEDULES

SOURCES = ("digits", "fashion_mnist", "idx", "images", "arrays", "notebook")
NEEDED_PATHS = {
    "idx": "FOLDER with train-images-idx3-ubyte and train-labels-idx1-ubyte, plain or .gz",
    "images": "FOLDER with a sub-folder of pictures for each class",
    "arrays": "FILE.npz with images (N, H, W) and labels (N,)",
}
LARGEST_SIDE = 4096
# What Windows takes for a device, in any folder and with any ending.
DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.I)
# Each leaves a loss a head, in 8 bytes: so many are 8 GB a head.
MOST_ITERATIONS = 10**9
EXECUTORS = ("threads", "processes", "dask")
STORES = ("sqlite", "server", "off")
KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def setting(default: Any, meaning: str, values: Range | None = None) -> Any:
    """A field that declares a setting."""
    return field(default=default, metadata={"meaning": meaning, "range": values})


def _is_name(name: str) -> bool:
    """Whether a folder of any system, or on a share, can be called so."""
    plain = len(name) <= 100 and all(c.isalnum() or c in "_-." for c in name) and len(name.encode()) <= 255
    return plain and name[:1] not in ("", ".") and name[-1:] != "." and not DEVICES.fullmatch(name)


def image_size(size: int | str | None) -> tuple[int, int] | None:
    """data.size as (H, W): 28 is (28, 28), 28x32 is (28, 32). None for null, and for what is no size."""
    found = re.fullmatch(r"([0-9]{1,4})(?:x([0-9]{1,4}))?", str(size), re.ASCII)
    if found is None:
        return None
    height, width = int(found[1]), int(found[2] or found[1])
    return (height, width) if min(height, width) >= 2 and max(height, width) <= LARGEST_SIDE else None


BATCH = Range("at least 1, or all", lambda value: value == "all" or (isinstance(value, int) and value >= 1))
NAME = Range("letters, digits, '_', '-' and '.', not '.' first or last, at most 100, no device as nul or com1", _is_name)
SHARE = Range("from 0 to below 1", lambda value: 0 <= value < 1)
SIZE = Range(f"N or HxW, each from 2 to {LARGEST_SIDE}, or null", lambda size: size is None or image_size(size) is not None)
WORKERS = Range("a number of workers, or -1 for one a core", lambda value: value >= 1 or value == -1)


@dataclass(frozen=True)
class DataSettings:
    source: str = setting("digits", "where the images come from", one_of(SOURCES))
    path: str | None = setting(None, "the file or folder of the images, for sources that need one")
    size: int | str | None = setting(None, "data=images only: N or HxW, to which pictures are stretched", SIZE)
    scale: float | None = setting(None, "pixels are divided by this", positive("positive and finite, or null"))
    folds: int = setting(5, "the images are dealt into so many folds", whole(2))
    fold: int = setting(0, "this fold is the test split")
    validation: float = setting(0.2, "share of all images kept aside to choose settings on", SHARE)


@dataclass(frozen=True)
class ModelSettings:
    kernel_size: int | None = setting(3, "odd, at most the image's shorter side")
    filters: int = setting(1, "kernels in each head", whole(1, 1024))
    init: str = setting("he", "how parameters are drawn", one_of(INITS))
    gradient: str = setting("exact", "of the kernel: exact, the notebook's, or frozen: kernel and bias stay", one_of(GRADIENTS))
    dtype: str = setting("float32", "of parameters and pixels", one_of(DTYPES))


@dataclass(frozen=True)
class TrainingSettings:
    alpha: float = setting(0.1, "size of a step against the batch's mean gradient", positive())
    iterations: int = setting(2000, "steps, each from one batch", whole(1, MOST_ITERATIONS))
    batch_size: int | str = setting(32, "images a batch, or all", BATCH)
    loss: str = setting("binary_cross_entropy", "what is made small", one_of(LOSSES))
    schedule: str = setting("constant", "of alpha: constant, or cosine down to 0", one_of(SCHEDULES))


@dataclass(frozen=True)
class ComputeSettings:
    executor: str = setting("threads", "where blocks of training run", one_of(EXECUTORS))
    engine: str = setting("numba", "numba: compiled; numpy: the readable reference", one_of(ENGINES))
    n_jobs: int = setting(-1, "cores to use at most; -1: all", WORKERS)
    scheduler: str | None = setting(None, "compute=dask only: tcp://HOST:PORT; null: a cluster on this machine")


@dataclass(frozen=True)
class TrackingSettings:
    store: str = setting("sqlite", "where MLflow keeps its view", one_of(STORES))
    uri: str | None = setting(None, "sqlite:////absolute/path.db, or http://HOST:PORT of a server")
    system_metrics: bool = setting(False, "whether MLflow's own system metrics are logged: processor, memory, disk, network")


@dataclass(frozen=True)
class PathSettings:
    experiments: str = setting("experiments", "the folder of all experiments")


@dataclass(frozen=True)
class Settings:
    name: str = setting("scratch", "results go to experiments/<name>", NAME)
    seed: int = setting(0, "decides split, initial parameters and batches", whole(0, 2**32 - 1))
    data: DataSettings = field(default_factory=DataSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    compute: ComputeSettings = field(default_factory=ComputeSettings)
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    paths: PathSettings = field(default_factory=PathSettings)

    @cached_property
    def folder(self) -> Path:
        """Where everything about this experiment lies."""
        return expanded(self.paths.experiments).resolve() / self.name


def parse(config: DictConfig | Mapping[str, Any]) -> Settings:
    """A config as Settings. SettingsError, a line a fault: unknown keys, wrong types, values out of range."""
    try:
        plain = OmegaConf.to_container(config, resolve=True) if isinstance(config, DictConfig) else config
    except OmegaConfBaseException as error:
        key = getattr(error, "full_key", None)
        text = unresolved(str(error).strip().splitlines()[0])
        raise SettingsError([f"{key}: {text}" if key else text]) from None
    assert isinstance(plain, Mapping)
    found: list[str] = []
    settings: Settings = _read(Settings, plain, "", found)
    found += faults(settings)
    if found:
        raise SettingsError(list(dict.fromkeys(found)))
    return settings


def unresolved(text: str) -> str:
    """OmegaConf's line for what a resolver raised, oc.env among them, without the name of an exception."""
    return re.sub(r'\w+ raised while resolving interpolation: "?(.*?)"?$', r"cannot be resolved: \1", text, flags=re.M)


def faults(settings: Settings) -> list[str]:
    """What is out of range, a line each; empty when the settings can be used."""
    return _range_faults(settings, "") + _pair_faults(settings)


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
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


@cache
def _kinds(group: type) -> dict[str, tuple[type, ...]]:
    """The types that each setting of a group may have; a group among them has itself."""
    return {name: get_args(kind) or (kind,) for name, kind in get_type_hints(group).items()}


def _read(group: type, plain: object, prefix: str, found: list[str]) -> Any:
    """A dataclass from plain values. Faults are added to `found`; a value with a fault is left at its default."""
    if not isinstance(plain, Mapping):
        found.append(f"{prefix.rstrip('.')}: is a group of settings, give them as GROUP.SETTING=VALUE")
        return group()
    kinds = _kinds(group)
    found += [f"{prefix}{key}: no such setting{did_you_mean(f'{prefix}{key}')}" for key in plain if key not in kinds]
    values = {}
    for name, kind in kinds.items():
        if name not in plain:
            continue
        if is_dataclass(kind[0]):
            values[name] = _read(kind[0], plain[name], f"{prefix}{name}.", found)
            continue
        try:
            values[name] = _converted(plain[name], kind)
        except ValueError:
            found.append(f"{prefix}{name}: must be {_right(group, name, plain[name])}")
    return group(**values)


def _right(group: type, name: str, value: Any) -> str:
    """What a setting must be and this value is not."""
    kinds = [kind for kind in _kinds(group)[name] if kind in KINDS]
    values = next(declared.metadata["range"] for declared in fields(group) if declared.name == name)
    if str in kinds and len(kinds) > 1:
        return f"{values.words}, not {str(value)!r}"
    if str in kinds and isinstance(value, (int, float)):
        if values not in (None, NAME):
            return f"{values.words}, not {value}"
        return f"a text, not {value}, a number or a word like true; quotes, or a letter before it, make it a text"
    return f"{KINDS[kinds[0]]}, not {None if value is None else str(value)!r}"


def _converted(value: Any, kinds: tuple[type, ...]) -> Any:
    """The value in one of these types: numbers may come as text, whole ones as numbers, no text as a number. ValueError."""
    if value is None and type(None) in kinds:
        return None
    if type(value) in kinds:
        return value
    if len(set(kinds) - {type(None)}) > 1 or value is None or isinstance(value, (list, dict)):
        raise ValueError
    if float in kinds and type(value) in (int, str):
        return float(value)
    if int in kinds and type(value) is str:
        return int(value)
    # What a number was typed as is lost: 2026_11_27 is 20261127 by now.
    if str in kinds and not isinstance(value, (int, float)):
        return str(value)
    raise ValueError


def _range_faults(group: Any, prefix: str) -> list[str]:
    found = []
    for declared in fields(group):
        value, values = getattr(group, declared.name), declared.metadata.get("range")
        if is_dataclass(value):
            found += _range_faults(value, f"{prefix}{declared.name}.")
        elif values and not values.holds(value):
            found.append(f"{prefix}{declared.name}: must be {values.words}, not {value!r}")
    return found


def _pair_faults(settings: Settings) -> list[str]:
    """What settings ask of each other."""
    data, compute, tracking = settings.data, settings.compute, settings.tracking
    found = _kernel_faults(settings)
    if not 0 <= data.fold < max(data.folds, 2):
        found.append(f"data.fold: must be from 0 to data.folds - 1 = {data.folds - 1}, not {data.fold}")
    if data.source in NEEDED_PATHS and not data.path:
        found.append(f"data.path: is missing; data={data.source} needs data.path={NEEDED_PATHS[data.source]}")
    if image_size(data.size) and data.source != "images":
        found.append(f"data.size: must be null with data={data.source}, only data=images resizes; not {data.size!r}")
    if compute.scheduler is not None and compute.executor != "dask":
        right = f"null with compute={compute.executor}; compute=dask uses one"
        found.append(f"compute.scheduler: must be {right}, not {compute.scheduler!r}")
    elif compute.scheduler is not None and not re.fullmatch(r"(tcp|tls)://[^\s/]+:\d+", compute.scheduler):
        found.append(f"compute.scheduler: must be tcp://HOST:PORT, or null, not {compute.scheduler!r}")
    if str(expanded(settings.paths.experiments)).startswith("~"):
        found.append(f"paths.experiments: must be a folder, not {settings.paths.experiments!r}, the home of nobody here")
    # Without one, MLFLOW_TRACKING_URI may say it.
    if tracking.store == "server" and not (tracking.uri or "http://").startswith(("http://", "https://")):
        found.append(f"tracking.uri: must be the server's http://HOST:PORT, not {tracking.uri!r}")
    return found


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


def largest_kernel(shape: tuple[int, int]) -> int:
    """Of images (H, W): odd, as all kernels are."""
    return (min(shape) - 1) // 2 * 2 + 1
