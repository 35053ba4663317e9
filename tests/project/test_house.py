"""The picture of the house in CONTRIBUTING.md, held against the code's own imports."""

import ast
import re
from pathlib import Path

from tests.helpers.commands import ROOT

PIPELINE = ROOT / "pipeline"
# What the picture does not draw: the package itself and the notebook's door for scikit-learn.
STAGES = [
    "cli",
    "compose",
    "prepare",
    "plan",
    "train",
    "compare",
    "show",
    "predict",
    "explain",
    "verify",
    "gc",
    "track",
    "export",
    "take_in",
]


def floors() -> list[list[str]]:
    """The rooms, from the top floor down, as CONTRIBUTING.md draws them."""
    picture = (ROOT / "CONTRIBUTING.md").read_text().split("```text\n")[1].split("```")[0]
    rooms = re.findall(r"^     [|v] +((?:[a-z]+   )*[a-z]+)    ", picture, re.M)
    return [STAGES, *(line.split() for line in rooms)]


def room_of(path: Path) -> str:
    return path.relative_to(PIPELINE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The rooms that a file imports, those inside functions included."""
    found = set()
    depth = len(path.relative_to(PIPELINE).parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            names = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
            found |= {name for name in names if (PIPELINE / name).exists() or (PIPELINE / f"{name}.py").exists()}
    return found


def test_every_room_is_drawn():
    drawn = {room for floor in floors() for room in floor}
    there = {room_of(path) for path in PIPELINE.rglob("*.py")} - {"__init__", "classifier"}
    assert drawn == there


def test_imports_run_one_way():
    height = {room: number for number, floor in enumerate(reversed(floors())) for room in floor}
    height["classifier"] = height["train"]
    climbs = {
        (room_of(path), room)
        for path in PIPELINE.rglob("*.py")
        if room_of(path) != "__init__"
        for room in imports(path) - {room_of(path)}
        if height[room] > height[room_of(path)]
    }
    assert climbs == set()


def test_the_mathematics_knows_nothing_of_files_hydra_or_mlflow():
    text = "\n".join(path.read_text() for path in (PIPELINE / "heads").rglob("*.py"))
    assert not re.search(r"^\s*(from|import) (hydra|mlflow|omegaconf|pandas|yaml)", text, re.M)
    assert not re.search(r"^\s*from \.\.+(base|records|data|sweep|tracking)", text, re.M)
