"""A notebook's cells, run as Jupyter runs them, in this process: what they print, return and draw, as the file holds it.

python -m tests.helpers.notebook FILE.ipynb    runs it anew and keeps the outputs in the file
"""

import ast
import base64
import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import matplotlib

Cell = dict[str, Any]


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def executed(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with the outputs that its code cells have now, run in order. Whatever a cell raises is raised."""
    matplotlib.use("agg")
    names: dict[str, Any] = {"__name__": "__main__"}
    cells, number = [], 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            number += 1
            cell = {**cell, "execution_count": number, "outputs": _outputs("".join(cell["source"]), names, number)}
        cells.append(cell)
    return {**notebook, "cells": cells}


def write(path: Path, notebook: dict[str, Any]) -> None:
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def pictures(cell: Cell) -> list[bytes]:
    return [base64.b64decode(out["data"]["image/png"]) for out in cell["outputs"] if "image/png" in out.get("data", {})]


def texts(cell: Cell) -> list[str]:
    """What was printed, and what was returned as text."""
    plain = [out["text"] if out["output_type"] == "stream" else out["data"].get("text/plain", []) for out in cell["outputs"]]
    return ["".join(each) for each in plain if each]


def _outputs(source: str, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    body = ast.parse(source).body
    last = ast.Expression(body.pop().value) if body and isinstance(body[-1], ast.Expr) else None
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(ast.Module(body, []), f"cell {number}", "exec"), names)
        value = eval(compile(last, f"cell {number}", "eval"), names) if last else None
    # As in Jupyter, a semicolon at the end says that the last value is not to be shown.
    value = None if source.rstrip().endswith(";") else value
    outputs: list[dict[str, Any]] = []
    if printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": printed.getvalue().splitlines(keepends=True)})
    if hasattr(value, "_repr_png_"):
        outputs.append(_picture(value._repr_png_()))
    elif value is not None:
        data = {"text/plain": repr(value).splitlines(keepends=True)}
        outputs.append({"output_type": "execute_result", "execution_count": number, "metadata": {}, "data": data})
    return [*outputs, *map(_picture, _figures())]


def _figures() -> list[bytes]:
    """The figures that pyplot has, which it then forgets."""
    from matplotlib import pyplot

    found = []
    for figure in map(pyplot.figure, pyplot.get_fignums()):
        file = io.BytesIO()
        figure.savefig(file, format="png", bbox_inches="tight", metadata={"Software": None})
        found.append(file.getvalue())
    pyplot.close("all")
    return found


def _picture(png: bytes) -> dict[str, Any]:
    data = {"image/png": base64.b64encode(png).decode(), "text/plain": ["<picture>"]}
    return {"output_type": "display_data", "metadata": {}, "data": data}


if __name__ == "__main__":
    write(Path(sys.argv[1]), executed(read(Path(sys.argv[1]))))
