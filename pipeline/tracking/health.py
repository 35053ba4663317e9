"""How a server is, asked at the end of a command: one that is away, ill or slow is not waited for.

Its pages have an address for that question, which needs no password, and MLflow need not be imported to ask.
"""

import ssl
import urllib.error
import urllib.request

from .trouble import Trouble, explain, shown

# A server that takes longer for one answer takes ten seconds and more for a point.
SECONDS = 0.25
# What MLflow says when it is well.
WELL = b"OK"


def ailment(uri: str) -> Trouble | None:
    """What is wrong with a server; None for one that answers at once, also to ask who comes."""
    # Nothing is told to it, so it need not show whose it is; MLflow asks for that.
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(f"{shown(uri).rstrip('/')}/health", timeout=SECONDS, context=anybody) as answer:
            if answer.read(len(WELL)) != WELL:
                return Trouble(f"the server {shown(uri)} does not answer like an MLflow server")
    except urllib.error.HTTPError as error:
        # A proxy may have another answer than MLflow's, or want a password first.
        return Trouble(f"the server {shown(uri)} answers with error {error.code}") if error.code >= 500 else None
    except Exception as error:
        return explain(error, uri)
    return None
