"""The project's docstrings, which are plain text, as Sphinx's markup: `name: meaning` lines and dashes become lists."""

import re

ITEM = re.compile(r"(?:- (?P<plain>.*)|(?P<names>[a-z_][\w, ]{0,40}): (?P<meaning>\S.*))")


def to_markup(lines: list[str]) -> list[str]:
    """The lines of a docstring; indented lines after an item are part of it."""
    found: list[str] = []
    in_list = False
    for line in lines:
        item = ITEM.fullmatch(line)
        if item:
            if not in_list:
                found.append("")
            text = item["plain"] if item["plain"] is not None else f"**{item['names']}**: {item['meaning']}"
            found.append(f"- {text}")
            in_list = True
        elif in_list and line.startswith(" "):
            found.append(f"  {line.strip()}")
        else:
            if in_list and line.strip():
                found.append("")
            in_list = False
            found.append(line)
    return found
