"""MLflow's pages for the embedded store, on 127.0.0.1: ovrcnn ui [PORT] [tracking.uri=...]."""

import socket
from collections.abc import Callable
from typing import Any

from ..base import console
from ..base.errors import FileError, SettingsError
from ..sweep.hydra import parse_arguments, read_command
from .store import VARIABLE, open_store, resolved, store_uri
from .trouble import explain, shown
from .view import View, views

PORT = 5000
# Sweeps before the newest that are named; the pages have a menu of all of an experiment.
EARLIER = 5
USAGE = f"""usage: ovrcnn ui [PORT] [tracking.uri=sqlite:////PATH.db]

MLflow's pages on 127.0.0.1 only, at PORT, {PORT} unless it is given; they open at the newest sweep. Ctrl-C ends them.

tracking.uri=sqlite:////PATH.db serves another store."""
WORDS = ("tracking=", "tracking.uri=")


def main(arguments: list[str]) -> int:
    """Serve until Ctrl-C. SettingsError when the port is not a number or taken, and for words that mean nothing here."""
    if {"-h", "--help"} & set(arguments):
        console.answer(USAGE + "\n")
        return 0
    port = _port([word for word in arguments if not word.startswith(WORDS)])
    given = read_command(parse_arguments([word for word in arguments if word.startswith(WORDS)])).first.tracking
    tracking = resolved(given)
    if tracking.store == "off":
        raise SettingsError(["tracking: is off, so there are no pages; choose tracking=sqlite"])
    uri = store_uri(tracking)
    if tracking.store == "server":
        named = VARIABLE if given.uri is None else "tracking.uri"
        console.say(f"{named} names a server, which has pages of its own: {shown(uri)}")
        return 0
    with _listening(port) as listening:
        try:
            store = open_store(tracking, None)
        except Exception as error:
            # MLflow, SQLAlchemy and SQLite raise dozens of kinds; each is about the one store.
            trouble = explain(error, uri)
            raise FileError(f"{trouble.what}; {trouble.mend}") from None
        if store.mended:
            console.say(f"MLflow: {store.mended}; ovrcnn track logs what was recorded", error=True)
        from .pages import mlflow_app

        _serve(mlflow_app(store), listening, lambda: console.say(welcome(f"http://127.0.0.1:{port}", views(store))))
    return 0


def welcome(address: str, found: list[View]) -> str:
    """What the terminal shows when the pages are there: the newest sweep's links last."""
    lines = [f"MLflow: {address}  (Ctrl-C ends it)"]
    if not found:
        return f"{lines[0]}\nno sweep is logged yet: make sweep, or ovrcnn train experiment=digits"
    *earlier, newest = found
    lines += [f"{view.name}: {address}/{view.link()}" for view in earlier[-EARLIER:]]
    lines.append(f"{newest.name}, the newest:")
    modes = {"table": "", "charts": "CHART", "y-hat": "ARTIFACT"}
    return "\n".join([*lines, *(f"  {name:6s} {address}/{newest.link(mode)}" for name, mode in modes.items())])


def _port(words: list[str]) -> int:
    """The port that a command line names. SettingsError for what is none, and for more than one word."""
    unknown = [word for word in words if "=" in word] + words[1:]
    if unknown:
        raise SettingsError([f"ui: knows no {unknown[0]!r:.80}; ovrcnn ui --help says what it takes"])
    text = words[0] if words else str(PORT)
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= 65535:
        raise SettingsError([f"port: must be a number from 1 to 65535, not {text!r}"])
    return int(text)


def _listening(port: int) -> socket.socket:
    """A socket on 127.0.0.1 that the server takes over. SettingsError when the port is taken."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise SettingsError([f"port: {port} cannot be used ({error.strerror}); try: ovrcnn ui {port + 1}"]) from None
    return listening


def _serve(app: Any, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Answer requests until a signal ends it; `ready` is called when the first one would be answered."""
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            ready()

    Server(uvicorn.Config(app, log_level="error", access_log=False)).run([listening])


if __name__ == "__main__":
    console.run(main)
