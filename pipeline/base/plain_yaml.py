"""YAML as plain values, read without trust: no tags that make objects, no bombs of anchors, no depth that ends the process."""

from pathlib import Path
from typing import Any

import yaml

from .errors import SettingsError

# What a grid, a record's settings and the files of conf/ hold is at most 5 deep.
DEEPEST = 32
# A grid of a million points.
LARGEST = 2**27
# Anchors may stand for so many times the values that are written, and for so many in any file.
MOST_REPEATED, FREE = 10, 1000


def read_yaml(content: bytes) -> Any:
    """What a YAML text holds. ValueError, one line, when it is none, or is not plain (see `check_yaml`)."""
    try:
        check_yaml(content)
        return yaml.load(content, yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ValueError((str(error).strip() or type(error).__name__).splitlines()[0]) from None


def check_yaml(content: bytes) -> None:
    """ValueError for a YAML text that no reader should be given; yaml.YAMLError when it is none.

    A few lines of nested anchors stand for more than any memory holds, and libyaml's recursion over a deep text would end the
    process without a word.
    """
    if len(content) > LARGEST:
        raise ValueError(f"it has {len(content)} bytes; at most {LARGEST} are read")
    # By anchor, how many values it stands for. open: of each collection that is being read, its anchor and values so far.
    stands_for: dict[str, int] = {}
    opened: list[tuple[str | None, int]] = [(None, 0)]
    written = 0
    for event in yaml.parse(content, yaml.CSafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        written, more = written + 1, 0
        if isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, 1))
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in stands_for:
                raise ValueError(f"line {line}: anchor {event.anchor:.40} holds itself or is not there")
            more = stands_for[event.anchor]
        elif isinstance(event, (yaml.ScalarEvent, yaml.CollectionEndEvent)):
            anchor, more = opened.pop() if isinstance(event, yaml.CollectionEndEvent) else (event.anchor, 1)
            if anchor is not None:
                stands_for[anchor] = more
        opened[-1] = opened[-1][0], opened[-1][1] + more
        if len(opened) > DEEPEST + 1:
            raise ValueError(f"line {line}: is nested more than {DEEPEST} deep")
        if opened[-1][1] > FREE + MOST_REPEATED * written:
            raise ValueError(f"line {line}: its anchors stand for {opened[-1][1]} values; write out what is meant")


def check_folder(folder: Path) -> None:
    """SettingsError naming each YAML file in or below a folder that nothing should read: others will. What is no YAML at all
    they tell themselves."""
    faults = []
    for path in sorted(folder.rglob("*.yaml")):
        try:
            if path.is_file():
                check_yaml(path.read_bytes())
        except ValueError as error:
            faults.append(f"{path}: cannot be read ({error})")
        except yaml.YAMLError:
            continue
    if faults:
        raise SettingsError(faults)
