"""How the engine's functions are compiled."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])
# _nrt: nothing that is compiled counts references to arrays, which takes longer than small sums; so nothing in it makes arrays.
PLAIN: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
INLINED = {**PLAIN, "forceinline": True, "no_cpython_wrapper": True}
# Everything that is compiled into the entry point.
SOURCES = (
    "../elementary", "vectors", "registers", "compiling", "arithmetic", "losses", "tuples", "pixels", "maps", "tiles", "image",
    "winograd", "forward", "backward", "layout", "loop",
)  # fmt: skip


def compiled(function: Function) -> Callable[[str], Function]:
    """The entry point's compiled form for arguments of each kind; the machine code is cached on disk, with all that is called
    in it. A form has one kind of arguments only: Numba numbers a function's cached code in one file, where processes that
    compile for different arguments at the same moment would give theirs the same number."""
    digest = sources_digest()

    @cache
    def form(kind: str) -> Function:
        named = FunctionType(function.__code__, function.__globals__, function.__name__)
        named.__qualname__ = f"{function.__qualname__}_{kind}_{digest}"
        return cast(Function, njit(**PLAIN, cache=True)(named))

    return form


def inlined(function: Function) -> Function:
    """Compile what the entry point calls: into it, as to pass a group's arrays to a function costs as much as a small image,
    and vectors passed by value depend on the CPU's registers. Python cannot call it, which saves a third of compiling."""
    return cast(Function, njit(**INLINED)(function))


def sources_digest() -> str:
    """A digest of SOURCES, to name functions after. Numba finds cached code by the function's name and the time of the file it
    stands in; of the other files it knows nothing, and would go on using what was compiled from an older one."""
    text = b"".join(Path(__file__).parent.joinpath(f"{name}.py").read_bytes() for name in SOURCES)
    return hashlib.sha256(text).hexdigest()[:12]
