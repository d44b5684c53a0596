"""AWS CodeArtifact."""

import re

from cove.model.url import Url
from cove.registries.registry import Registry, without_simple

_HOST = re.compile(r"[a-z0-9-]+-\d{12}\.d\.codeartifact\.[a-z0-9-]+\.(?:amazonaws\.com(?:\.cn)?|on\.aws)")


def _recognise(url: Url) -> bool:
    return _HOST.fullmatch(url.host) is not None


CODEARTIFACT = Registry(
    "codeartifact",
    "AWS CodeArtifact",
    _recognise,
    username="aws",
    publish_url=without_simple,
    login=(
        (
            "CodeArtifact takes the user name aws and the output of `aws codeartifact get-authorization-token "
            "--domain … --domain-owner … --query authorizationToken --output text` as password; a token is valid for 12 hours"
        ),
    ),
    duplicates=((409, ""),),
    notes=((404, "CodeArtifact may answer 404 to an expired token as well"),),
)
