"""MLflow's pages, answered for this machine only: MLflow's own server with one page put in front.

The page is MLflow's, with the views of the sweeps (see view.py) and a script of ours that leads to them (pages.js).
To be imported only by who serves: that imports MLflow's server.
"""

import hashlib
import json
import os
import warnings
from collections.abc import Awaitable, Callable, MutableMapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio

from .address import artifacts_of, database_of
from .store import Store
from .view import View, views

# A page of another's that finds its way here by a name of its own (DNS rebinding) gets nothing. Any port: it may be forwarded.
HOSTS = ("127.0.0.1", "localhost", "::1")

# What the pages ask for their list of experiments; clients ask elsewhere.
LIST = "/ajax-api/2.0/mlflow/experiments/search"
DEFAULT = "0"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Pages:
    """An ASGI application around MLflow's."""

    def __init__(self, mlflow: App, index: str, store: Store) -> None:
        self._mlflow, self._index, self._store = mlflow, index, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not is_ours(scope):
            await _answer(send, 403, b"text/plain", b"this server answers to 127.0.0.1 and localhost only\n")
        elif scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "GET":
            found = await anyio.to_thread.run_sync(views, self._store)
            await _answer(send, 200, b"text/html; charset=utf-8", with_views(self._index, found).encode())
        elif scope["type"] == "http" and scope["path"] == LIST:
            empty = await anyio.to_thread.run_sync(_is_default_empty, self._store)
            await self._mlflow(scope, receive, _Without(send).send if empty else send)
        else:
            await self._mlflow(scope, receive, send)


class _Without:
    """Sends a list of experiments without the one that MLflow makes by itself."""

    def __init__(self, send: Send) -> None:
        self._send, self._start, self._body = send, dict[str, Any](), b""

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._start = dict(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        if self._start["status"] == 200:
            found = json.loads(self._body)
            kept = [entry for entry in found.get("experiments", []) if entry["experiment_id"] != DEFAULT]
            self._body = json.dumps({**found, "experiments": kept}).encode()
            others = [(name, value) for name, value in self._start["headers"] if name.lower() != b"content-length"]
            self._start["headers"] = [*others, (b"content-length", str(len(self._body)).encode())]
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": self._body})


def _is_default_empty(store: Store) -> bool:
    """Whether nothing was ever logged without an experiment's name. The pages need not show an experiment that holds nothing;
    deleted it must not be: there MLflow puts what people log without a name."""
    client = store.client
    return not (
        client.search_runs([DEFAULT], max_results=1)
        or client.search_logged_models([DEFAULT], max_results=1)
        or client.search_traces(locations=[DEFAULT], max_results=1)
    )


def mlflow_app(store: Store) -> Pages:
    """MLflow's server for the embedded store, in this process; it reads where the store is from the environment."""
    artifacts = artifacts_of(database_of(store.uri))
    from mlflow.server import constants

    os.environ |= {
        constants.BACKEND_STORE_URI_ENV_VAR: store.uri,
        constants.ARTIFACT_ROOT_ENV_VAR: "mlflow-artifacts:/",
        constants.ARTIFACTS_DESTINATION_ENV_VAR: artifacts.as_uri(),
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
        # Job runners are for evaluations on a server; here they would only cost memory.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with warnings.catch_warnings():
        # MLflow's own use of Starlette.
        warnings.simplefilter("ignore")
        from mlflow.server import app as flask
        from mlflow.server.fastapi_app import app
    return Pages(app, (Path(str(flask.static_folder)) / "index.html").read_text(), store)


def is_ours(scope: Scope) -> bool:
    """Whether a request asks for this machine by one of its own names."""
    [host] = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"] or [""]
    try:
        return urlsplit(f"//{host}").hostname in HOSTS
    except ValueError:
        return False


def with_views(index: str, found: list[View]) -> str:
    """MLflow's page with the views, newest last, and the script that shows them."""
    experiments: dict[str, dict[str, Any]] = {}
    for view in found:
        entry = experiments.setdefault(view.experiment_id, {"views": {}})
        mark = hashlib.sha256(json.dumps(view.state, sort_keys=True).encode()).hexdigest()[:16]
        entry["newest"] = view.key
        entry["views"][view.key] = {"mark": f"{view.key} {mark}", "state": view.state}
    pages = {"newest": found[-1].experiment_id if found else None, "experiments": experiments}
    # In a script's element nothing but its own end is read as HTML.
    data = json.dumps(pages).replace("<", "\\u003c")
    script = files(__package__).joinpath("pages.js").read_text("utf-8")
    ours = f'<script type="application/json" id="ovrcnn-views">{data}</script><script>{script}</script>'
    return index.replace("<head>", f"<head>{ours}", 1)


async def _answer(send: Send, status: int, kind: bytes, body: bytes) -> None:
    headers = [(b"content-type", kind), (b"cache-control", b"no-store"), (b"x-frame-options", b"SAMEORIGIN")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
