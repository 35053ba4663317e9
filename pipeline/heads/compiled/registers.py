"""The vector registers of the CPU that code is compiled for. Only speed depends on them, no bit does."""

import platform

import llvmlite.binding as llvm
from numba.core import config

from .vectors import VECTOR_BYTES

ARM = ("aarch64", "arm64")


def register_bytes() -> int:
    """How wide they are, as far as they are used: 64, 32 or 16. Numba's own settings for another CPU are followed."""
    if platform.machine() in ARM:
        return 16
    asked: str | None = config.CPU_FEATURES  # type: ignore[attr-defined]  # made from the environment
    if asked is None and config.CPU_NAME is None:  # type: ignore[attr-defined]  # made from the environment
        return 64 if llvm.get_host_cpu_features().get("avx512f") else 32
    return 64 if "+avx512f" in (asked or "") else 32


# A vector is computed in so many parts, one after the other, that each fits a register.
PARTS = VECTOR_BYTES // register_bytes()
# AVX2 has 16 of them, AVX-512 and Arm 32.
REGISTERS = 16 if PARTS == 2 else 32
# Filters that are computed at once share the loads of an image: four sums each, and what else is needed, fill the registers.
AT_ONCE = 5 if REGISTERS == 32 else 2
# So many take less time at once, others with them again, than one by one.
ENOUGH = min(3, AT_ONCE)
