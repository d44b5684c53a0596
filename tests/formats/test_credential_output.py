import json
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.formats.credential_output import Output, Unreadable, parse, request
from cove.model.index import CredentialProtocol
from cove.model.secret import Secret
from cove.model.url import Url

NOW = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2030, 1, 1, tzinfo=UTC)
EPOCH = int(END.timestamp())
JWT = "eyJhbGciOiJub25lIn0.eyJleHAiOjQwMDAwMDAwMDB9.x"


def output(secret: str, username: str | None = None, expires: datetime | None = None) -> Output:
    return Output(Secret(secret), username, expires=expires)


def bearer(secret: str, expires: datetime | None = None) -> Output:
    return Output(Secret(secret), None, "bearer", "", expires)


READ: dict[str, tuple[CredentialProtocol, str, Output | None]] = {
    "text": ("auto", "s3cret\n", output("s3cret")),
    "text, first line": ("auto", "s3cret \nnot this\n", output("s3cret")),
    "text that looks like another": ("text", '{"a": 1}', output('{"a": 1}')),
    "a token that says when it ends": ("auto", JWT, output(JWT, None, datetime.fromtimestamp(4000000000, UTC))),
    "nothing": ("auto", " \n", None),
    "nothing in JSON": ("json", "", None),
    "keyring --output json": ("auto", '{"username": "ada", "password": "p"}', output("p", "ada")),
    "aws": (
        "auto",
        '{"authorizationToken": "t", "expiration": "2030-01-01T01:00:00+01:00"}',
        output("t", None, END),
    ),
    "gcloud config-helper": (
        "auto",
        '{"configuration": {}, "credential": {"access_token": "t", "token_expiry": "2030-01-01T00:00:00Z"}}',
        output("t", None, END),
    ),
    "az": (
        "auto",
        json.dumps(
            {"accessToken": "t", "expiresOn": "2019-01-01 00:00:00.000000", "expires_on": EPOCH, "tokenType": "Bearer"}
        ),
        output("t", None, END),
    ),
    "az, old": (
        "auto",
        json.dumps({"accessToken": "t", "expiresOn": END.astimezone().replace(tzinfo=None).isoformat(" ")}),
        output("t", None, END),
    ),
    "docker": ("auto", '{"ServerURL": "https://h", "Username": "ada", "Secret": "p"}', output("p", "ada")),
    "kubernetes": (
        "auto",
        '{"kind": "ExecCredential", "status": {"token": "t", "expirationTimestamp": "2030-01-01T00:00:00Z"}}',
        output("t", None, END),
    ),
    "OAuth": ("auto", '{"access_token": "t", "expires_in": 60}', output("t", None, NOW + timedelta(seconds=60))),
    "milliseconds": ("auto", json.dumps({"token": "t", "expires": EPOCH * 1000}), output("t", None, END)),
    "scheme": ("json", '{"token": "t", "scheme": "Bearer"}', bearer("t")),
    "header": ("json", '{"token": "t", "header": "X-Api-Key"}', Output(Secret("t"), "", "header", "X-Api-Key")),
    "JSON without a secret": ("auto", '{"error": "no"}', None),
    "git": (
        "auto",
        f"protocol=https\nhost=h\nusername=ada\npassword=p=q\npassword_expiry_utc={EPOCH}\n\n",
        output("p=q", "ada", END),
    ),
    "git without a user": ("git", "password=p\n", output("p")),
    "git that gives up": ("auto", "quit=1\n", None),
    "git with a scheme": ("auto", "authtype=Bearer\ncredential=t\n", bearer("t")),
    "a password that is like git's": ("auto", "password=1\nx\n", output("password=1")),
    "Bazel": (
        "auto",
        '{"headers": {"authorization": ["Bearer t"]}, "expires": "2030-01-01T00:00:00Z"}',
        bearer("t", END),
    ),
    "Bazel, basic": (
        "bazel",
        json.dumps({"headers": {"Authorization": ["Basic " + b64encode(b"ada:p:q").decode()]}}),
        output("p:q", "ada"),
    ),
    "Bazel, header": (
        "bazel",
        '{"headers": {"X-Api-Key": ["t"]}}',
        Output(Secret("t"), "", "header", "X-Api-Key"),
    ),
    "Bazel, nothing": ("bazel", '{"headers": {}}', None),
}


@pytest.mark.parametrize("case", READ)
def test_what_is_read(case: str) -> None:
    protocol, text, expected = READ[case]
    assert parse(text, protocol, NOW) == expected


@pytest.mark.parametrize(
    "protocol, text",
    [
        ("auto", "{canary"),
        ("json", "canary"),
        ("json", '["canary"]'),
        ("json", "[" * 100_000),
        ("json", '{"token": "canary", "expires": "canary"}'),
        ("json", '{"token": "canary", "expires": true}'),
        ("json", '{"token": "canary", "expires": 1e300}'),
        ("json", '{"token": "canary", "expires_in": "canary"}'),
        ("json", '{"token": "canary", "expires_in": Infinity}'),
        ("json", '{"token": "canary", "scheme": "canary"}'),
        ("json", '{"token": "canary", "header": "Host"}'),
        ("json", r'{"token": "canary\r\nX: y"}'),
        ("text", "can\x00ary"),
        ("git", "password=canary\npassword_expiry_utc=canary\n"),
        ("bazel", '{"headers": ["canary"]}'),
        ("bazel", '{"headers": {"Authorization": "canary", "X": 1}}'),
        ("bazel", '{"headers": {"A": ["canary"], "B": ["canary"]}}'),
        ("bazel", '{"headers": {"Authorization": ["Basic canary"]}}'),
        ("bazel", '{"headers": {"Content-Length": ["canary"]}}'),
    ],
)
def test_what_cannot_be_read_is_not_quoted(protocol: CredentialProtocol, text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(text, protocol, NOW)
    assert "canary" not in str(caught.value)


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_nothing_else_is_raised(text: str) -> None:
    for protocol in get_args(CredentialProtocol):
        with suppress(Unreadable):
            parse(text, protocol, NOW)


def test_what_the_program_is_told() -> None:
    url = Url.parse("https://ada:canary@h.example:8443/simple/?q#f")
    assert request("git", url) == "protocol=https\nhost=h.example:8443\npath=simple/\nusername=ada\n\n"
    assert request("auto", Url.parse("https://h.example")) == "protocol=https\nhost=h.example\npath=\n\n"
    assert json.loads(request("bazel", url)) == {"uri": "https://h.example:8443/simple/?q#f"}
    assert request("git", Url.parse("https://a%0Apassword=b@h/")) == "protocol=https\nhost=h\npath=\n\n"
