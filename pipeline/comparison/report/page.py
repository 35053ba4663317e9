"""The report as one HTML file: page, style, scripts, the head as JSON, each block as base64 of gzip."""

import base64
import hashlib
import html
import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from numpy.typing import NDArray

from .packing import packed
from .payload import Payload

STYLES = ("style.css", "images.css")
# They share one scope, so the order is that of their use while they are read.
SCRIPTS = (
    "helpers.js",
    "colours.js",
    "axes.js",
    "unpack.js",
    "state.js",
    "filter.js",
    "numbers.js",
    "grid.js",
    "points.js",
    "curves.js",
    "agreement.js",
    "matrices.js",
    "bins.js",
    "beside.js",
    "pictures.js",
    "images.js",
    "forward.js",
    "heads.js",
    "single.js",
    "start.js",
)
# Letters that could end a script or a line of one, as JSON may write them instead.
ESCAPES = str.maketrans({letter: f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"})


def page(payload: Payload) -> bytes:
    """The whole file; the same payload gives the same bytes. Nothing in it is ever requested from elsewhere: the policy
    forbids it, and lets no other script or style in than these."""
    style, script = ("\n".join(map(_text, names)) for names in (STYLES, SCRIPTS))
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    filled = {
        "POLICY": html.escape(policy),
        "TITLE": html.escape(str(payload.head["title"])),
        "STYLE": style,
        "HEAD": head_json(payload.head),
        "SCRIPT": script,
        "BLOCKS": "\n".join(_block_lines(payload.blocks)),
    }
    # Split once, so that what is filled in is never searched for places itself.
    parts = _text("page.html").split("%%")
    parts[1::2] = [filled[name] for name in parts[1::2]]
    return "".join(parts).encode()


def head_json(head: Mapping[str, Any]) -> str:
    """JSON that is safe inside a script element, whatever its texts say."""
    return json.dumps(head, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(ESCAPES)


def _block_lines(blocks: Mapping[str, NDArray[Any]]) -> Iterator[str]:
    for name, array in blocks.items():
        content, shuffled = packed(array)
        shape = ",".join(map(str, array.shape))
        packing = ' data-packing="shuffle"' if shuffled else ""
        attributes = f'id="block-{html.escape(name)}" data-dtype="{array.dtype.name}" data-shape="{shape}"{packing}'
        text = base64.b64encode(content).decode()
        yield f'<script type="application/octet-stream" class="block" {attributes}>{text}</script>'


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
