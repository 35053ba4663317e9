"""The count of instructions: what it finds is what the engine is written to do, and what its README says is what it found."""

import csv
import importlib.util
import platform
import shutil
import sys

import pytest

from pipeline.heads.compiled.registers import PARTS
from tests.helpers.commands import ROOT

FOLDER = ROOT / "experiments" / "instructions"
able = sys.platform == "linux" and platform.machine() == "x86_64" and shutil.which("objdump")


@pytest.fixture(scope="module")
def count():
    spec = importlib.util.spec_from_file_location("count", FOLDER / "count.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.skipif(not able, reason="instructions are counted on Linux and x86-64, with objdump")
def test_multiply_adds_of_a_filter_and_image_are_those_of_the_formulas(count):
    _, found = count.differences((4, 6), 1)
    # One vector of pooled values. Forward a tap at four places, and the share; backward the tap, and its factor; weights; bias.
    assert found["multiply-adds"] == (4 + 1 + 1 + 1 + 1 + 1) * PARTS
    assert all(found[kind] > 0 for kind in count.KINDS)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("vfmadd231ps zmm3,zmm23,zmm22", "multiply-adds"), ("vfmadd213ps zmm2,zmm0,ZMMWORD PTR [r9]", "multiply-adds"),
        ("vblendmps zmm1{k1},zmm2,zmm3", "selects"), ("vmovaps zmm0{k2}{z},zmm2", "selects"),
        ("vmaxps zmm0,zmm1,zmm2", "selects"), ("vcmpltps k1,zmm0,zmm1", "compares and masks"),
        ("kmovw WORD PTR [rdx+rsi*4],k1", "compares and masks"),
        ("vmovups ZMMWORD PTR [rax],zmm1", "stores"), ("vmovups zmm1,ZMMWORD PTR [rax]", "loads"),
        ("vbroadcastss zmm1,DWORD PTR [rax]", "loads"), ("vaddps zmm0,zmm1,zmm2", "other vector"),
        ("vmovaps zmm10,zmm3", "other vector"), ("imul rax,rcx", "scalar"),
    ],
)  # fmt: skip
def test_an_instruction_is_of_the_kind_that_its_word_says(count, text, kind):
    assert count.kind_of(text) == kind


def test_the_readmes_table_is_the_counts():
    with (FOLDER / "counts.csv").open(newline="") as file:
        counts = {(row["images"], row["kernel_size"], row["for each"]): row for row in csv.DictReader(file)}
    lines = [
        line.strip("| \n").split(" | ") for line in (FOLDER / "README.md").read_text().splitlines() if line.startswith("| ")
    ]
    told = [line for line in lines if line[0] != "images"]
    assert told
    kinds = ("multiply-adds", "", "selects", "compares and masks", "loads", "stores", "other vector", "scalar")
    for line in told:
        for kind, text in zip(kinds, line[3:], strict=True):
            if kind:
                assert text == f"{round(float(counts[*line[:3],][kind])):,}", (line, kind)
