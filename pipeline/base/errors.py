"""The errors that are a person's to mend: one root, so that the command line can tell them from faults of the program.

MendableError
    SettingsError     settings or a command line that cannot be used, a line a fault
    DataError         images or labels that cannot be trained on
    FileError         a file of ours that is damaged or missing
    NonFiniteError    training met nan or inf
    LostWorkerError   a block's workers died again and again
"""


class MendableError(Exception):
    """What is wrong can be put right by the person who reads the message: a line a fault, naming setting or file."""


class SettingsError(MendableError, ValueError):
    """Settings cannot be used; `faults` has one line for each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class DataError(MendableError, ValueError):
    """Data cannot be used; the message is one line that names the file or setting, whatever that is called."""

    def __init__(self, message: str) -> None:
        super().__init__("".join(c if c.isprintable() else repr(c)[1:-1] for c in message))


class FileError(MendableError, ValueError):
    """A file cannot be used; the message is one line that names it."""


class NonFiniteError(MendableError, ArithmeticError):
    """Training met nan or inf; the message names head, iteration and alpha."""


class LostWorkerError(MendableError, RuntimeError):
    """Workers died again and again on one block; the message names the trajectory."""
