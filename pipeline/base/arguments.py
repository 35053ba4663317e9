"""Command lines: read by argparse, and refused in one line, as all that is wrong with an input."""

import argparse
from typing import NoReturn

from .errors import SettingsError


def refuse(message: str) -> NoReturn:
    """SettingsError for a command line."""
    raise SettingsError([f"command line: {message}; --help lists what there is"])


class Parser(argparse.ArgumentParser):
    """A parser that refuses in one line."""

    def error(self, message: str) -> NoReturn:
        """What argparse calls; itself it would print its usage and exit with 2."""
        refuse(message)


def new_parser(
    program: str,
    what: str,
    words: str | None = None,
    formatter: type[argparse.HelpFormatter] = argparse.RawDescriptionHelpFormatter,
) -> Parser:
    """A parser that shortens nothing. words: what it takes before its options, as the usage says; None: every option is in the
    usage. formatter: of its help."""
    usage = None if words is None else f"{program} {words} [options]"
    return Parser(prog=program, usage=usage, description=what, formatter_class=formatter, allow_abbrev=False)


def whole_number(flag: str, text: str | None, least: int, most: int, faults: list[str]) -> int | None:
    """A flag's text as a whole number; None where there is no text, or, with a line in `faults`, where it is none in range."""
    if text is None:
        return None
    # Of thousands of digits Python itself makes no number.
    if text.isascii() and text.isdigit() and len(text) <= 20 and least <= int(text) <= most:
        return int(text)
    faults.append(f"{flag}: must be a whole number from {least} to {most}, not {text!r:.80}")
    return None
