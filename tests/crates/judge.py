"""Run by the validators' own Python: what the RO-Crate community's validator says of crates, as JSON, without a network.

It wants the JSON-LD context of RO-Crate 1.1 from its address. The community's package `rocrate` carries that very file, so the
validator's cache is filled from there.

python judge.py CACHE CRATE ...
"""

import io
import json
import sys
from importlib.resources import files

from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.services import validate
from urllib3 import HTTPResponse

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class Carried(HTTPAdapter):
    """Answers with the package's file."""

    def send(self, request, **_):
        content = (files("rocrate") / "data" / "ro-crate.jsonld").read_bytes()
        assert json.loads(content)["@id"] == CONTEXT
        headers = {"Content-Type": "application/ld+json"}
        answer = HTTPResponse(io.BytesIO(content), headers, 200, preload_content=False, request_url=request.url)
        return self.build_response(request, answer)


def fill(cache):
    with CachedSession(cache, backend="sqlite", expire_after=-1) as session:
        session.mount(CONTEXT, Carried())
        session.get(CONTEXT).raise_for_status()


def judged(crate, cache):
    """Whether it passed, how many checks were made and skipped, and what is wrong."""
    chosen = ValidationSettings(
        rocrate_uri=crate,
        profile_identifier="process-run-crate",
        requirement_severity=Severity.REQUIRED,
        cache_path=cache,
        offline=True,
    )
    found = validate(chosen)
    counts = found.statistics
    return {
        "passed": found.passed(),
        "profile": found.context.target_profile.identifier,
        "checks": counts.total_checks,
        "skipped": len(found.skipped_checks),
        "issues": [str(issue.message) for issue in found.get_issues()],
    }


if __name__ == "__main__":
    cache, *crates = sys.argv[1:]
    fill(cache)
    print(json.dumps({crate: judged(crate, cache) for crate in crates}))
