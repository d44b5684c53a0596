"""AWS CodeArtifact."""

import re

from cove.model.dataclasses import dataclass
from cove.model.url import Url
from cove.registries.registry import Registry, without_simple

_HOST = re.compile(
    r"(?P<name>[a-z](?:[a-z0-9-]{0,48}[a-z0-9])?)-(?P<owner>\d{12})\.d\.codeartifact(?:-fips)?\."
    r"(?P<region>[a-z]{2,3}(?:-[a-z]+)+-\d{1,2})\.(?:amazonaws\.com(?:\.cn)?|on\.aws)"
)


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of CodeArtifact, for which a token is valid: its name, the account that owns it, and the region it is in."""

    name: str
    owner: str
    region: str


def domain_of(url: Url) -> Domain | None:
    """The domain whose repository ``url`` is in, by its host alone."""
    match = _HOST.fullmatch(url.host)
    return Domain(match["name"], match["owner"], match["region"]) if match else None


def _recognise(url: Url) -> bool:
    return domain_of(url) is not None


CODEARTIFACT = Registry(
    "codeartifact",
    "AWS CodeArtifact",
    _recognise,
    username="aws",
    publish_url=without_simple,
    login=(
        (
            "cove fetches the token by itself where the aws program or `cove[aws]` is logged in (`aws sso login`); otherwise "
            "the user name is aws and the password the output of `aws codeartifact get-authorization-token --domain … "
            "--domain-owner … --query authorizationToken --output text`"
        ),
    ),
    duplicates=((409, ""),),
    notes=((404, "CodeArtifact may answer 404 to an expired token as well"),),
)
