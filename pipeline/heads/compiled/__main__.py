"""Compile the engine before the first sweep has to: python -m pipeline.heads.compiled.

For heads of each dtype and images of bytes, as all data that come with the project are stored; code for others is compiled when
it is needed. What is on disk already is not compiled again.
"""

import gc
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from ..choices import DTYPES
from .engine import warm_up

if __name__ == "__main__":
    # The processes do nothing else, and looking for garbage would take a tenth of their time.
    with ProcessPoolExecutor(len(DTYPES), get_context("spawn"), gc.disable) as processes:
        list(processes.map(warm_up, DTYPES, ["uint8"] * len(DTYPES)))
