"""The end of a command: how long it waits for the tracker's thread, and what it says of what is not logged."""

from .trouble import LATER, Trouble

# See `patience`.
PATIENCE, PATIENCE_EACH, PATIENCE_OPENING = 2.0, 0.25, 20.0


def patience(pending: int, opening: bool) -> float:
    """Seconds that the end of a command waits for the thread: two, and a quarter for each event that is not yet written.

    Twenty more while MLflow is still imported or a database made, which a busy machine may take long for. Anew when that is
    done, and whenever half of the events were written in that time. Two in all while attempts fail, and for a command that
    is stopped.
    """
    return PATIENCE + PATIENCE_EACH * pending + (PATIENCE_OPENING if opening else 0)


def missing_line(trouble: Trouble, missing: int, points: int) -> str:
    """Why not everything is logged; how many of the points are missing; what mends it."""
    shown = f"{missing} of {points} points {'is' if missing == 1 else 'are'} not logged yet"
    if not missing:
        shown = "how this command ended is not logged yet"
    mend = trouble.mend if missing or trouble.mend != LATER else "the next command looks after it"
    return f"MLflow: {trouble.what}; {shown}{',' if mend == trouble.mend == LATER else ';'} {mend}"
