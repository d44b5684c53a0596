"""Signing for AWS, compared with botocore."""

from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]

from cove.formats.aws_signature import signed_headers
from cove.model.url import Url


@pytest.mark.parametrize("session", ["", "a/session+token=="])
@pytest.mark.parametrize(
    "url",
    [
        "https://codeartifact.eu-west-1.amazonaws.com/v1/authorization-token?domain=corp&domain-owner=123456789012",
        "http://127.0.0.1:8080/sub/v1/authorization-token?domain-owner=1&domain=a-b",
        "https://example.com",
        "https://example.com:443/a~b/c?z=&a=%20%2F",
    ],
)
def test_signatures_are_those_of_botocore(url: str, session: str) -> None:
    request = AWSRequest("POST", url, data=b"")
    signer = SigV4Auth(Credentials("AKIDTEST", "secret/key", session or None), "codeartifact", "eu-west-1")
    signer.add_auth(request)
    at = datetime.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = signed_headers(
        "POST", Url.parse(url), service="codeartifact", region="eu-west-1", key_id="AKIDTEST", key="secret/key",
        session=session, at=at,
    )  # fmt: skip
    theirs = {name.lower(): value for name, value in request.headers.items()}
    assert ours == {name: theirs[name] for name in ours}
    assert "host" not in ours
