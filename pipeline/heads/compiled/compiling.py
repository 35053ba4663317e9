"""How the engine's functions are compiled."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])
# _nrt: nothing that is compiled counts references to arrays, which takes longer than small sums; so nothing in it makes arrays.
PLAIN: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False, "no_cfunc_wrapper": True}
INLINED = {**PLAIN, "forceinline": True, "no_cpython_wrapper": True}
# Everything that is compiled into the entry point.
SOURCES = (
    "../elementary", "vectors", "registers", "compiling", "arithmetic", "losses", "tuples", "pixels", "maps", "tiles", "image",
    "forward", "backward", "layout", "loop",
)  # fmt: skip


def compiled(function: Function) -> Function:
    """Compile the entry point. The machine code is cached on disk, with all that is called in it."""
    return cast(Function, njit(**PLAIN, cache=True)(named_by_sources(function)))


def inlined(function: Function) -> Function:
    """Compile what the entry point calls: into it, as to pass a group's arrays to a function costs as much as a small image,
    and vectors passed by value depend on the CPU's registers. Python cannot call it, which saves a third of compiling."""
    return cast(Function, njit(**INLINED)(function))


def named_by_sources(function: Function) -> Function:
    """Name a function after a digest of SOURCES. Numba finds cached code by the function's name and the time of the file it
    stands in; of the other files it knows nothing, and would go on using what was compiled from an older one."""
    text = b"".join(Path(__file__).parent.joinpath(f"{name}.py").read_bytes() for name in SOURCES)
    function.__qualname__ += f"_{hashlib.sha256(text).hexdigest()[:12]}"
    return function
