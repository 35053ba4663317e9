"""Which instructions does the compiled engine run for an image, and for each filter that meets it?

python experiments/instructions/count.py

Linux on x86-64, with objdump. A child process trains one batch instruction by instruction (ptrace's single step), and each
address that it comes by is counted and disassembled. Batches of two and of four images, for five and for ten heads, give the
instructions of an image and those of a filter and image as differences. Writes counts.csv beside this file.
"""

import csv
import ctypes
import os
import re
import signal
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.heads.block import Block
from pipeline.heads.choices import LOSSES
from pipeline.heads.compiled import engine
from pipeline.heads.initial import initial_heads

HERE = Path(__file__).resolve().parent
CASES = (((28, 28), 3), ((28, 28), 5), ((28, 28), 7), ((8, 8), 3))
KINDS = ("multiply-adds", "selects", "compares and masks", "loads", "stores", "other vector", "scalar")
# The first that fits an instruction: AT&T's words turned to Intel's, where the target comes first.
PATTERNS = (
    ("multiply-adds", r"vfn?m(add|sub)"),
    ("selects", r"v(blend|pblend|max|min)|vmov\w+ .*\{k\d\}"),
    ("compares and masks", r"vp?cmp|vptest|k\w+ "),
    ("stores", r"vmov\w+ \[|vmov\w+ \w+ PTR|vextract\w+ \w+ PTR"),
    ("loads", r"(vmov|vbroadcast|vpmov)\w+ .*PTR"),
    ("other vector", r"v"),
    ("scalar", r""),
)
TRACE_ME, PEEK_TEXT, PEEK_USER, POKE_TEXT, POKE_USER, CONTINUE, STEP = 0, 1, 3, 4, 6, 7, 9
STACK_POINTER, ADDRESS = 19 * 8, 16 * 8
BREAKPOINT = 0xCC
ptrace = ctypes.CDLL(None, use_errno=True).ptrace
ptrace.argtypes, ptrace.restype = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p], ctypes.c_long


def main() -> None:
    lines = []
    for shape, kernel_size in CASES:
        image, filter_and_image = differences(shape, kernel_size)
        for what, counts in (("image", image), ("filter and image", filter_and_image)):
            lines.append([f"{shape[0]} x {shape[1]}", kernel_size, what, *(f"{counts[kind]:.1f}" for kind in KINDS)])
            print(*lines[-1], sep=", ", flush=True)
    with (HERE / "counts.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([["images", "kernel_size", "for each", *KINDS], *lines])


def differences(shape: tuple[int, int], kernel_size: int) -> tuple[Counter[str], Counter[str]]:
    """Instructions by kind: of an image, whatever meets it, and of a filter and image."""
    more = {heads: kinds(shape, kernel_size, heads, 4) for heads in (5, 10)}
    less = {heads: kinds(shape, kernel_size, heads, 2) for heads in (5, 10)}
    five, ten = ({kind: (more[heads][kind] - less[heads][kind]) / 2 for kind in KINDS} for heads in (5, 10))
    each = {kind: (ten[kind] - five[kind]) / 5 for kind in KINDS}
    return Counter({kind: five[kind] - 5 * each[kind] for kind in KINDS}), Counter(each)


def kinds(shape: tuple[int, int], kernel_size: int, heads: int, images: int) -> Counter[str]:
    """Instructions by kind that one batch takes."""
    stored = np.random.default_rng(0).integers(0, 256, (images, *shape)).astype(np.uint8)
    start, order = initial_heads(0, heads, "he", 1, kernel_size, shape, "float32"), np.arange(images)[None]
    block = Block(stored, 255.0, np.arange(images), order, np.full(1, 0.1), LOSSES[0])
    counted = addresses(engine.train_arguments(start, block))
    text = disassembly(min(counted), max(counted))
    found: Counter[str] = Counter()
    for address, count in counted.items():
        found[kind_of(text[address])] += count
    return found


def kind_of(instruction: str) -> str:
    return next(kind for kind, pattern in PATTERNS if re.match(pattern, instruction))


def addresses(arguments: tuple) -> Counter[int]:
    """How often the instruction at each address runs when the engine takes the arguments."""
    run = engine.compiled_for(arguments)
    run(*arguments)
    entry = entry_point(run, arguments)
    child = os.fork()
    if not child:
        ptrace(TRACE_ME, 0, None, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        run(*arguments)
        os._exit(0)
    try:
        return stepped(child, entry)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def entry_point(run: Any, arguments: tuple) -> int:
    """Where the machine code for such arguments begins."""
    compiled = run.overloads[tuple(run.typeof_pyval(argument) for argument in arguments)]
    return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)


def stepped(child: int, entry: int) -> Counter[int]:
    """Let the child run to the entry, then count every step until it returns."""
    os.waitpid(child, 0)
    code = ptrace(PEEK_TEXT, child, entry, None)
    ptrace(POKE_TEXT, child, entry, code & ~0xFF | BREAKPOINT)
    ptrace(CONTINUE, child, None, None)
    os.waitpid(child, 0)
    ptrace(POKE_TEXT, child, entry, code)
    ptrace(POKE_USER, child, ADDRESS, entry)
    back = ptrace(PEEK_TEXT, child, ptrace(PEEK_USER, child, STACK_POINTER, None), None)
    counted: Counter[int] = Counter()
    address = entry
    while address != back:
        counted[address] += 1
        ptrace(STEP, child, None, None)
        _, status = os.waitpid(child, 0)
        if not os.WIFSTOPPED(status):
            raise ChildProcessError(f"the traced process ended with {status}")
        address = ptrace(PEEK_USER, child, ADDRESS, None)
    return counted


def disassembly(first: int, last: int) -> dict[int, str]:
    """Instructions by address. This process has the same code at the same place as its child."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(ctypes.string_at(first, last - first + 16))
        file.flush()
        words = ["objdump", "-D", "-b", "binary", "-m", "i386:x86-64", "-M", "intel", "--no-show-raw-insn", "-w"]
        text = subprocess.run([*words, f"--adjust-vma={first}", file.name], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^\s*([0-9a-f]+):\s+(.*)$", text, re.MULTILINE)
    return {int(address, 16): re.sub(r"\s+", " ", instruction) for address, instruction in found}


if __name__ == "__main__":
    main()
