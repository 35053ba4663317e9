"""Counts on the scheduler, which loads it by --preload: blocks whose worker died under them, and journeys of the images.

The counts stand in the file that OVRCNN_COUNTS names.
"""

import json
import os
from collections import Counter
from pathlib import Path

from distributed.diagnostics.plugin import SchedulerPlugin


class Counts(SchedulerPlugin):
    """Blocks given out, blocks whose workers died; workers that the images came to."""

    def __init__(self, scheduler: object) -> None:
        self.scheduler, self.counts = scheduler, Counter()

    def transition(self, key: str, start: str, finish: str, *_: object, **__: object) -> None:
        kind = str(key).partition("-")[0]
        if kind == "block" and finish == "processing":
            self.counts["blocks given out"] += 1
        elif kind == "block" and start == "processing" and finish == "released":
            self.counts["blocks given out again"] += 1
        elif kind != "pictures" or finish != "memory":
            return
        Path(os.environ["OVRCNN_COUNTS"]).write_text(json.dumps(self.counts))

    def remove_worker(self, *_: object, **__: object) -> None:
        self.counts["workers lost"] += 1


def dask_setup(scheduler: object) -> None:
    scheduler.add_plugin(Counts(scheduler))
