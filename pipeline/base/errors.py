"""The errors that are a person's to mend: one root, so that the command line can tell them from faults of the program.

MendableError
    SettingsError     settings or a command line that cannot be used, a line a fault
    DataError         images or labels that cannot be trained on
    FileError         a file of ours that is damaged or missing
      FullDiskError   a disk that takes no more
    NonFiniteError    training met nan or inf
    LostWorkerError   a block's workers died again and again
"""

from .text import printable


class MendableError(Exception):
    """What is wrong can be put right by the person who reads the message: one line that names setting or file, whatever that is
    called."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class SettingsError(MendableError, ValueError):
    """Settings cannot be used; `faults` has one line for each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = [printable(fault) for fault in faults]
        Exception.__init__(self, "\n".join(self.faults))


class DataError(MendableError, ValueError):
    """Data cannot be used; the message names the file or setting."""


class FileError(MendableError, ValueError):
    """A file cannot be used; the message names it."""


class FullDiskError(FileError):
    """A disk takes no more. where: the place and the system's reason. kept: what of it all is on disk, and how to go on."""

    def __init__(self, where: str, kept: str) -> None:
        self.where = printable(where)
        super().__init__(f"{where}; {kept}")


class NonFiniteError(MendableError, ArithmeticError):
    """Training met nan or inf; the message names head, iteration and alpha."""


class LostWorkerError(MendableError, RuntimeError):
    """Workers died again and again on one block; the message names the trajectory."""
