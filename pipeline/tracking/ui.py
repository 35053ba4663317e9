"""MLflow's pages for the embedded store, on 127.0.0.1: ovrcnn ui [PORT]."""

import os
import socket
import subprocess
import sys

from ..base import console
from ..base.errors import FileError, SettingsError
from ..settings import TrackingSettings
from . import view
from .store import open_store, store_uri
from .trouble import explain

PORT = 5000


def main(arguments: list[str]) -> int:
    """Serve until Ctrl-C. SettingsError when the port is not a number or taken."""
    text = arguments[0] if arguments else str(PORT)
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= 65535:
        raise SettingsError([f"port: must be a number from 1 to 65535, not {text!r}"])
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as error:
            raise SettingsError([f"port: {text} cannot be used ({error.strerror}); try: ovrcnn ui {int(text) + 1}"]) from None
    tracking = TrackingSettings()
    try:
        store = open_store(tracking, "scratch")
    except Exception as error:
        # MLflow, SQLAlchemy and SQLite raise dozens of kinds; each is about the one store.
        trouble = explain(error, store_uri(tracking))
        raise FileError(f"{trouble.what}; {trouble.mend}") from None
    address = f"http://127.0.0.1:{text}"
    print(f"MLflow: {address}  (Ctrl-C ends it)")
    for name, link in view.links(store).items():
        print(f"{name}: {address}/{link}")
    sys.stdout.flush()
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", store_uri(tracking)]
    command += ["--host", "127.0.0.1", "--port", text, "--workers", "1"]
    # Job runners are for evaluations on a server; here they would only cost memory.
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    server = subprocess.Popen(command, env=environment)
    try:
        return server.wait()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    console.run(main)
