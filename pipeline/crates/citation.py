"""Who made the software and on which terms: what CITATION.cff says of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base import project
from ..base.errors import FileError
from ..base.plain_yaml import read_yaml

CITATION = "CITATION.cff"


@dataclass(frozen=True)
class Citation:
    """licence: by its SPDX name. released: an ISO 8601 day. authors: schema.org's entities."""

    licence: str
    released: str
    authors: tuple[dict[str, str], ...]


def citation() -> Citation | None:
    """That of this checkout; None where there is none. FileError when it cannot be read."""
    path = project.root() / CITATION
    return read_citation(path) if project.is_checkout() and path.is_file() else None


def read_citation(path: Path) -> Citation:
    """FileError when the file does not say it as citation-file-format 1.2 does."""
    try:
        plain = read_yaml(path.read_bytes())
        authors = tuple(_author(number, author) for number, author in enumerate(plain["authors"], 1))
        return Citation(str(plain["license"]), str(plain["date-released"]), authors)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise FileError(f"{path}: must say authors, license and date-released as citation-file-format does ({error})") from None


def _author(number: int, plain: dict[str, Any]) -> dict[str, str]:
    """A person has given and family names; anything else has a name."""
    if "name" in plain:
        return {"@id": str(plain.get("website", f"#author-{number}")), "@type": "Organization", "name": str(plain["name"])}
    name = " ".join(str(plain[key]) for key in ("given-names", "name-particle", "family-names") if key in plain)
    return {"@id": str(plain.get("orcid", f"#author-{number}")), "@type": "Person", "name": name}
