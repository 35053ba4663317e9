"""Names of classes, settings and points in the letters that MLflow allows."""

import hashlib
import re
from collections.abc import Sequence

# The curve of all heads together is called loss/mean.
RESERVED = ("mean",)
LEGAL = re.compile(r"[\w.\-]([\w.\- ]*[\w.\-])?")
LONGEST = 100
# The pages cut names after some twenty letters; what differs must not be lost.
SHORT = {"kernel_size": "k", "iterations": "it", "filters": "F", "batch_size": "batch", "gradient": "grad", "validation": "val"}


def class_keys(classes: Sequence[str]) -> list[str]:
    """A key for each class, all distinct: its name where MLflow takes that, else what is left of it and a hash."""
    taken = {name for name in classes if _is_plain(name)}
    keys = []
    for name in classes:
        key = name
        if not _is_plain(name):
            digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
            rest = re.sub(r"[^\w.\-]", "_", name)[: LONGEST // 2] or "_"
            # A class may be called like another one's key; a longer hash ends that.
            key = next(k for n in range(8, 65) if (k := f"{rest}-{digest[:n]}") not in taken)
            taken.add(key)
        keys.append(key)
    return keys


def run_name(point: str) -> str:
    """A point's name as its run has it: the same settings, with short names."""
    words = (word.partition("=") for word in point.split(" "))
    return clean(" ".join(f"{SHORT.get(key, key)}{sign}{value}" for key, sign, value in words))


def clean(text: object) -> str:
    """As text that any database takes: what is no character of Unicode is shown by its number."""
    return str(text).encode(errors="backslashreplace").decode().replace("\0", "\\x00")


def _is_plain(name: str) -> bool:
    # MLflow reads keys as paths, so that . and .. would lead elsewhere.
    legal = LEGAL.fullmatch(name) and name.isprintable() and name.strip(".") != ""
    return bool(legal) and len(name) <= LONGEST and name not in RESERVED
