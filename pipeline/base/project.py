"""Where the project lies: its root and its conf/, in a checkout and in an installed wheel."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent


def root() -> Path:
    """The checkout this package runs from, or the working folder when it was installed from a wheel."""
    return PACKAGE.parent if is_checkout() else Path.cwd()


def is_checkout() -> bool:
    """Whether this package runs from a checkout."""
    return (PACKAGE.parent / "pyproject.toml").is_file()


def conf() -> Path:
    """The checkout's conf/, or the copy that the wheel carries."""
    checkout = PACKAGE.parent / "conf"
    return checkout if is_checkout() and checkout.is_dir() else PACKAGE / "conf"


def expanded(path: str) -> Path:
    """A path as a person typed it, ~ and ~user being the home folders; one that has none stays as it is."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
