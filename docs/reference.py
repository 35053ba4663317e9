"""Pages that are made from the code: each setting with default, meaning and range, and what each command says of itself."""

import io
import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pipeline.cli import STAGES, dispatch
from pipeline.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
GROUPS = {
    "": "Settings of their own",
    "data": "Where the images come from",
    "model": "What a head is",
    "training": "How it is trained",
    "compute": "Who computes",
    "tracking": "Who watches",
    "paths": "Where things lie",
}


def write_reference(folder: Path) -> None:
    """settings.md and commands.md, left alone where they say the same already."""
    for name, text in {"settings.md": settings_page(), "commands.md": commands_page()}.items():
        _keep(folder / name, text)


def write_studies(folder: Path) -> None:
    """A page for each experiment that has something to say, and one that lists them."""
    names = sorted(readme.parent.name for readme in (ROOT / "experiments").glob("*/README.md"))
    for name in names:
        _keep(folder / f"{name}.md", f"```{{include}} ../../experiments/{name}/README.md\n:relative-images:\n```\n")
    titles = [(ROOT / "experiments" / name / "README.md").read_text(encoding="utf-8").splitlines()[0] for name in names]
    lines = [f"- [{title.lstrip('# ')}]({name}.md)" for name, title in zip(names, titles, strict=True)]
    tree = ["```{toctree}", ":hidden:", "", *(f"{name} <{name}>" for name in names), "```"]
    _keep(
        folder / "index.md",
        "\n".join(["# Studies", "", "What ran, what was asked, what was found.", "", *lines, "", *tree, ""]),
    )


def _keep(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def settings_page() -> str:
    """A table a group of conf/."""
    lines = ["# Settings", ""]
    lines += [
        "Give them as `SETTING=VALUE` after a command, or in a file of `conf/`. A setting that is not there is refused, with"
    ]
    lines += ["the nearest one that is; so is a value out of its range, before anything is written.", ""]
    for group, found in _groups():
        lines += [f"## {GROUPS[group]}", "", "| setting | default | meaning | must be |", "|---|---|---|---|"]
        lines += [_row(f"{group}.{one.name}" if group else one.name, one) for one in found]
        lines += [""]
        choices = sorted(path.stem for path in (ROOT / "conf" / group).glob("*.yaml")) if group else []
        if choices:
            words = ", ".join(f"`{group}={name}`" for name in choices)
            lines += [f"Whole files of it: {words}; `conf/{group}/` explains them.", ""]
    return "\n".join(lines)


def _groups() -> Iterator[tuple[str, list[Field[Any]]]]:
    yield "", [one for one in fields(Settings) if one.default is not MISSING]
    for one in fields(Settings):
        group = one.default_factory() if one.default_factory is not MISSING else None
        if is_dataclass(group):
            yield one.name, list(fields(group))


def _row(key: str, one: Field[Any]) -> str:
    default = "null" if one.default is None else one.default
    values = one.metadata.get("range")
    cells = [f"`{key}`", f"`{default}`", one.metadata["meaning"], values.words if values else ""]
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"


def commands_page() -> str:
    """What `--help` says, a section a command."""
    texts = [_help(stage) for stage in STAGES]
    others = [f"`{name}`" for name, (module, _) in STAGES.items() if module != name]
    lines = [
        "# Commands",
        "",
        f"`ovrcnn COMMAND`; `python -m pipeline.COMMAND` is the same, but for {', '.join(others[:-1])} and {others[-1]}.",
        "",
        "Exit code 0, or 1 with one line that says why, or 128 and the number of the signal that stopped it: 130 after Ctrl-C,",
        "143 after `kill`.",
        "",
    ]
    for (name, (_, what)), text in zip(STAGES.items(), texts, strict=True):
        lines += [f"## ovrcnn {name}", "", f"{what[0].upper()}{what[1:]}.", "", "```text", text.strip(), "```", ""]
    return "\n".join(lines)


def _help(stage: str) -> str:
    said = io.StringIO()
    with patch.dict(os.environ, COLUMNS="100", NO_COLOR="1"), redirect_stdout(said):
        try:
            code: object = dispatch([stage, "--help"])
        except SystemExit as end:
            code = end.code
    if code:
        raise RuntimeError(f"{stage} --help: {code}")
    return said.getvalue()
